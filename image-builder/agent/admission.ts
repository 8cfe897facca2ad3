import { createHash } from "node:crypto"
import { performance } from "node:perf_hooks"

/** What the service says about a token: it admits, it is none (any more), it is for another, or no clear answer. */
export type Admission = "admitted" | "signed-out" | "another's" | "unknown"

/** Close codes that the viewer understands. */
export const STREAM_CLOSED = { signedOut: 4401, stopped: 4410, serviceAway: 4503 } as const

/** Milliseconds a stream may outlive the last good answer while the service is away. */
export const GRACE_MS = 60_000

/** What a re-check means for the streams of a token: null to keep them, else the code to close them with. */
export function judge(answer: Admission, lastGoodAt: number, now: number, graceMs = GRACE_MS): number | null {
  if (answer === "admitted") return null
  if (answer !== "unknown") return STREAM_CLOSED.signedOut
  return now - lastGoodAt >= graceMs ? STREAM_CLOSED.serviceAway : null
}

/** HTTP status of an upgrade for an answer; 0 admits. Without a clear answer nobody comes in. */
export function statusOf(answer: Admission): number {
  const statuses = { admitted: 0, "signed-out": 401, "another's": 403, unknown: 503 }
  return statuses[answer]
}

/** How the service names a token in what it pushes. */
export const hashToken = (token: string) => createHash("sha256").update(token).digest("hex")

/** A clock for spans: it never jumps when the machine's time is set. */
export const monotonic = () => performance.now()
