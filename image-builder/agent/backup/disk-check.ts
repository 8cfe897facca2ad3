import { readFile, readlink } from "node:fs/promises"
import { basename } from "node:path"
import type { Check } from "../checks.ts"
import type { Run } from "../run.ts"

/** What may write to the disk or keep deleted files open, beside the agent and the journal. */
const WRITERS = ["foozol-x11vnc", "foozol-wm", "foozol-xvfb", "nginx"]

/**
 * Checks the filesystem of the root as it lies on the disk, on a machine that is there for nothing else: everything that
 * writes is stopped, the filesystem is frozen, which leaves it on the disk as if it were not mounted, and e2fsck reads
 * all of it and changes nothing. The machine is deleted afterwards, so nobody has to thaw it but us, for the report.
 */
export async function checkDisk(run: Run): Promise<Check> {
  const device = (await run("findmnt", ["--noheadings", "--output", "SOURCE", "/"])).stdout.trim()
  const name = basename(await readlink(device).catch(() => device))
  const errors = (await readFile(`/sys/fs/ext4/${name}/errors_count`, "utf8").catch(() => "0")).trim()
  if (errors !== "0") return { name: "disk", ok: false, detail: `the filesystem has noted ${errors} errors` }
  await run("systemctl", ["stop", ...WRITERS])
  // The programs are in memory then: once frozen, nothing must be written, not even the time of a reading.
  const script = `e2fsck -V 2> /dev/null; fsfreeze --freeze / || exit 90
timeout 240 e2fsck -f -n "$0"; code=$?; fsfreeze --unfreeze /; exit $code`
  const { code, stdout, stderr } = await run("/usr/bin/busybox", ["sh", "-c", script, device])
  if (code === 0) return { name: "disk", ok: true, detail: "clean" }
  if (code === 90)
    return { name: "disk", ok: true, detail: "the filesystem has noted no errors; it could not be read whole" }
  const said = `${stdout}\n${stderr}`.split("\n").filter(line => line !== "" && !/^(Pass|e2fsck) /.test(line))
  return { name: "disk", ok: false, detail: `e2fsck ended with ${code}: ${said.slice(0, 4).join(" | ")}`.slice(0, 480) }
}
