import { setTimeout as sleep } from "node:timers/promises"
import type { Qmp } from "./qmp.ts"

/**
 * Where it is set, what a machine's devices hold goes through one file, its memory through another one, which both
 * machines have as their memory: so nothing of it is copied. `x-` is QEMU's for "may change"; templates are of one version.
 */
const ignoreShared = (state: boolean) => ({ capabilities: [{ capability: "x-ignore-shared", state }] })
const LOOK_MS = 10

/** All of it at once: a paused machine has no reason to wait. Bytes a second, and milliseconds. */
const AT_ONCE = { "max-bandwidth": 2 ** 40, "downtime-limit": 2_000_000 }

/** Writes the state of a paused machine's devices to a file of its directory. @throws with QEMU's words */
export async function migrate(qmp: Qmp, file: string, signal?: AbortSignal): Promise<void> {
  await qmp.execute("migrate-set-capabilities", ignoreShared(true))
  await qmp.execute("migrate", { uri: `exec:cat > ${file}` })
  await migrated(qmp, signal)
}

/**
 * Hands a paused machine over to another process that waits for it, memory and all. The first one can go on as long as
 * the other has not.
 * @param socket as each of the two sees it
 */
export async function handOver(
  from: { qmp: Qmp; socket: string },
  to: { qmp: Qmp; socket: string },
  signal: AbortSignal,
): Promise<void> {
  for (const { qmp } of [from, to]) await qmp.execute("migrate-set-capabilities", ignoreShared(false))
  await from.qmp.execute("migrate-set-parameters", AT_ONCE)
  await to.qmp.execute("migrate-incoming", { uri: `unix:${to.socket}` })
  await from.qmp.execute("migrate", { uri: `unix:${from.socket}` })
  await migrated(from.qmp, signal)
  await migrated(to.qmp, signal)
}

/**
 * Gives a machine that was started to wait for it (`-incoming defer`) such a state; it is paused then.
 * @param file as seen from the machine's directory
 */
export async function load(qmp: Qmp, file: string): Promise<void> {
  await qmp.execute("migrate-set-capabilities", ignoreShared(true))
  await qmp.execute("migrate-incoming", { uri: `exec:cat ${file}` })
  await migrated(qmp)
}

/** The same, and lets it run. */
export async function resume(qmp: Qmp, file: string): Promise<void> {
  await load(qmp, file)
  await qmp.execute("cont")
}

async function migrated(qmp: Qmp, signal?: AbortSignal): Promise<void> {
  for (;;) {
    signal?.throwIfAborted()
    const said = (await qmp.execute("query-migrate")) as { status?: string; "error-desc"?: string }
    if (said.status === "completed") return
    if (said.status === "failed" || said.status === "cancelled")
      throw new Error(`The machine's state was not handed over: ${said["error-desc"] ?? said.status}.`)
    await sleep(LOOK_MS)
  }
}
