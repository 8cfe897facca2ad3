import { setTimeout as sleep } from "node:timers/promises"
import { z } from "zod"
import type { Machine } from "../../../infra/machines/contract.ts"
import type { OperationRun } from "../operation-run.ts"

/** What the user wants done before takes up to 45 s, writing the disk out 30 s, keeping the memory a minute. */
const PATIENCE_MS = 150_000
const LOOK_MS = 1_000
/** The mark of an operation whose machine fell asleep, with its id. */
const MARK = "asleep"

/** What a machine answers to `sleep` that is on, as it was. */
export const Awake = z.object({
  /** The operation that asked. */
  id: z.string().max(64),
})

/**
 * Has a machine fall asleep with all that runs on it, where its provider can keep its memory. It is off then, and what
 * is made from a snapshot of it with that memory goes on where it was.
 * @returns whether it sleeps; else nothing has changed
 */
export async function fallAsleep(run: OperationRun, machine: Machine): Promise<boolean> {
  const { means, workspace, operation, signal } = run
  // An earlier run was cut off after that.
  if (machine.state === "off") return operation.marks[MARK] === machine.id
  if (machine.state !== "running" || !workspace.keepsMemory) return false
  const awake = new AbortController()
  const forget = await means.channel.waitFor(workspace.id, what => {
    if (!what.startsWith("awake ")) return
    const heard = Awake.safeParse(JSON.parse(what.slice("awake ".length)))
    if (heard.success && heard.data.id === operation.id) awake.abort()
  })
  try {
    const listeners = await means.channel.order(workspace.id, { type: "sleep", data: { id: operation.id } })
    const end = means.now() + PATIENCE_MS
    while (listeners > 0 && means.now() < end && !awake.signal.aborted) {
      await sleep(LOOK_MS, undefined, { signal: AbortSignal.any([signal, awake.signal]) }).catch(() => {})
      signal.throwIfAborted()
      const now = await means.machines.get(machine.id, { signal })
      if (now === null) return false
      if (now.state !== "off") continue
      await run.mark(MARK, machine.id)
      run.say("It sleeps with all that runs on it: programs go on when it wakes.")
      return true
    }
    run.say("What runs on it could not be kept: programs end.")
    return false
  } finally {
    forget()
  }
}
