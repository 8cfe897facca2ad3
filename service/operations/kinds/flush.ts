import { setTimeout as sleep } from "node:timers/promises"
import { z } from "zod"
import type { OperationRun } from "../operation-run.ts"

/** A machine may take so long to write a sample of its files down and to flush its disk. */
const ANSWER_MS = 45_000
/** The agent lets go by itself after so long, whatever becomes of us; programs that write wait no longer than this. */
const FROZEN_S = 10
/** From the provider's word that the copy has begun until writing goes on. */
const AFTER_BEGIN_MS = 1_000
/** Agents from this version on know the orders. */
const SINCE_AGENT = 2

/** What a machine answers to `freeze`. */
export const Frozen = z.object({
  /** The operation that asked. */
  id: z.string().max(64),
  /** Digest of the manifest that lies on the disk now; null: none could be written. */
  manifest: z
    .string()
    .regex(/^[0-9a-f]{16,60}$/)
    .nullable(),
  /** Does the filesystem take no writes for the moment? Else it was flushed and goes on. */
  frozen: z.boolean(),
})
export type Frozen = z.output<typeof Frozen>

/** A machine whose disk is as its programs have written it. */
export interface Flushed {
  manifest: string | null
  /** The provider copies now: writing may go on. */
  begun(): void
  /** At the end, however it came. */
  release(): Promise<void>
}

/**
 * Has a running machine write a manifest of its files, flush its filesystem and hold writes back until the copy has
 * begun. A machine that does not answer is copied as it is: its filesystem has a journal, so that is as after a power cut.
 */
export async function flushDisk(run: OperationRun): Promise<Flushed> {
  const { means, workspace, operation, signal } = run
  const thaw = () => means.channel.order(workspace.id, { type: "thaw", data: { id: operation.id } })
  const { report } = await means.reports.last(workspace.id)
  const nothing: Flushed = { manifest: null, begun: () => {}, release: async () => {} }
  if (!(Number(report?.versions.agent) >= SINCE_AGENT)) return nothing
  const answer = Promise.withResolvers<Frozen | null>()
  const forget = await means.channel.waitFor(workspace.id, what => {
    if (!what.startsWith("frozen ")) return
    const heard = Frozen.safeParse(JSON.parse(what.slice("frozen ".length)))
    if (heard.success && heard.data.id === operation.id) answer.resolve(heard.data)
  })
  const waiting = new AbortController()
  try {
    await means.channel.order(workspace.id, { type: "freeze", data: { id: operation.id, seconds: FROZEN_S } })
    const patience = sleep(ANSWER_MS, null, { signal: AbortSignal.any([signal, waiting.signal]) })
    const heard = await Promise.race([answer.promise, patience])
    if (!heard) {
      run.say("The machine did not answer in time: its disk is copied as it is.")
      await thaw()
      return nothing
    }
    let later: NodeJS.Timeout | undefined
    return {
      manifest: heard.manifest,
      begun: () => {
        later = setTimeout(() => void thaw().catch(() => {}), AFTER_BEGIN_MS)
      },
      release: async () => {
        clearTimeout(later)
        await thaw().catch(() => {})
      },
    }
  } finally {
    waiting.abort()
    forget()
  }
}
