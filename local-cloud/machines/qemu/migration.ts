import { setTimeout as sleep } from "node:timers/promises"
import type { Qmp } from "./qmp.ts"

/**
 * What a machine's devices hold goes through one file, its memory through another one, which both machines have as
 * their memory: so nothing of it is copied. `x-` is QEMU's for "may change"; templates are of one version.
 */
const CAPABILITIES = { capabilities: [{ capability: "x-ignore-shared", state: true }] }
const LOOK_MS = 10

/** Writes the state of a paused machine's devices to a file of its directory. @throws with QEMU's words */
export async function migrate(qmp: Qmp, file: string): Promise<void> {
  await qmp.execute("migrate-set-capabilities", CAPABILITIES)
  await qmp.execute("migrate", { uri: `exec:cat > ${file}` })
  await migrated(qmp)
}

/**
 * Gives a machine that was started to wait for it (`-incoming defer`) such a state, and lets it run.
 * @param file as seen from the machine's directory
 */
export async function resume(qmp: Qmp, file: string): Promise<void> {
  await qmp.execute("migrate-set-capabilities", CAPABILITIES)
  await qmp.execute("migrate-incoming", { uri: `exec:cat ${file}` })
  await migrated(qmp)
  await qmp.execute("cont")
}

async function migrated(qmp: Qmp): Promise<void> {
  for (;;) {
    const said = (await qmp.execute("query-migrate")) as { status?: string; "error-desc"?: string }
    if (said.status === "completed") return
    if (said.status === "failed" || said.status === "cancelled")
      throw new Error(`The machine's state was not handed over: ${said["error-desc"] ?? said.status}.`)
    await sleep(LOOK_MS)
  }
}
