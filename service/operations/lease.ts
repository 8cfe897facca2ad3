import type { Redis } from "ioredis"
import { loadScript } from "../redis/scripts.ts"
import { KEY } from "../workspaces/store.ts"
import type { Kind } from "../workspaces/transitions.ts"

/** Length of a lease; a worker that died is succeeded after at most so long. */
export const LEASE_MS = 15_000
/** A lease is renewed so often: two renewals may fail before it is lost. */
const RENEW_MS = 4_000

const claimScript = loadScript(new URL("lua/claim.lua", import.meta.url))
const renewScript = loadScript(new URL("lua/renew.lua", import.meta.url))

/** Why a run is aborted. */
export class RunEnded extends Error {
  readonly reason: "cancelled" | "lost" | "shutting-down"
  constructor(reason: RunEnded["reason"]) {
    super(`The run ended: ${reason}`)
    this.reason = reason
  }
}

export type Claim = { word: "claimed"; epoch: number } | { word: "busy" } | { word: "over" }

/** Takes an operation up, unless it is over or another run still holds its workspace. */
export async function claim(
  redis: Redis,
  operation: { id: string; workspace: string; kind: Kind },
  token: string,
  now: number,
): Promise<Claim> {
  const { id, workspace, kind } = operation
  const keys = [KEY.operation(id), KEY.holder(workspace, kind), KEY.leaseOf(workspace, kind), KEY.toDo]
  const [word, epoch] = (await claimScript.run(redis, keys, [id, token, LEASE_MS, now])) as [Claim["word"], number]
  return word === "claimed" ? { word, epoch } : { word }
}

/**
 * Keeps the lease until `end` is called, and aborts the run when it is lost or its operation is cancelled.
 * A Redis that is away for longer than the lease is a lost lease: another worker may act by then.
 */
export function keepLease(
  redis: Redis,
  held: { operation: string; lease: string; token: string; epoch: number },
  controller: AbortController,
): { end(): void } {
  let keptAt = performance.now()
  const renew = async () => {
    const keys = [held.lease, KEY.operation(held.operation)]
    const word = await renewScript.run(redis, keys, [held.token, LEASE_MS, held.epoch]).catch(() => "away")
    if (word === "kept" || word === "cancel") keptAt = performance.now()
    if (word === "cancel") controller.abort(new RunEnded("cancelled"))
    else if (word === "lost" || performance.now() - keptAt > LEASE_MS) controller.abort(new RunEnded("lost"))
  }
  const timer = setInterval(renew, RENEW_MS)
  // At once too: what was cancelled while it waited for a worker makes nothing.
  void renew()
  return { end: () => clearInterval(timer) }
}
