import { readFile, readlink } from "node:fs/promises"
import { basename } from "node:path"
import type { Check } from "../checks.ts"
import type { Run } from "../run.ts"

/** What may write to the disk or keep deleted files open, beside the agent and the journal. */
const WRITERS = ["foozol-x11vnc", "foozol-wm", "foozol-xvfb", "nginx"]

/**
 * $1: device of the root. Makes it read-only, by force where files are still open for writing (the kernel does it beside,
 * so it is waited for), and has e2fsck read all of it. Freezing would not do: e2fsck tries to make a file in the root to
 * see whether that is writable, and would wait for ever.
 */
const SCRIPT = `
sync
read_only() { grep -q '^[^ ]* / [^ ]* ro[, ]' /proc/mounts; }
mount -o remount,ro / 2> /dev/null || echo u > /proc/sysrq-trigger
tries=0
until read_only; do
  tries=$((tries + 1))
  [ "$tries" -lt 100 ] || exit 90
  sleep 0.2
done
exec e2fsck -f -n "$1"
`

/**
 * Checks the filesystem of the root as it lies on the disk, on a machine that is there for nothing else: everything that
 * writes is stopped, the filesystem is made read-only, and e2fsck reads all of it and changes nothing. Nobody makes it
 * writable again: the machine is deleted.
 */
export async function checkDisk(run: Run): Promise<Check> {
  const device = (await run("findmnt", ["--noheadings", "--output", "SOURCE", "/"])).stdout.trim()
  const name = basename(await readlink(device).catch(() => device))
  const errors = (await readFile(`/sys/fs/ext4/${name}/errors_count`, "utf8").catch(() => "0")).trim()
  if (errors !== "0") return { name: "disk", ok: false, detail: `the filesystem has noted ${errors} errors` }
  await run("systemctl", ["stop", ...WRITERS])
  const { code, stdout, stderr } = await run("sh", ["-c", SCRIPT, "sh", device])
  if (code === 0) return { name: "disk", ok: true, detail: "clean" }
  if (code === 90)
    return { name: "disk", ok: false, detail: "the filesystem could not be made read-only to be checked" }
  const said = `${stdout}\n${stderr}`.split("\n").filter(line => line !== "" && !/^(Pass|e2fsck) /.test(line))
  const words = said.slice(0, 4).join(" | ")
  return { name: "disk", ok: false, detail: `e2fsck ended with ${code}: ${words}`.slice(0, 480) }
}
