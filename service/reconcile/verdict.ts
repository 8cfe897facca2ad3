import type { Machine } from "../../infra/machines/contract.ts"

/** Without a report for so long a machine is looked at with its provider, ms: it reports every 15 s. */
export const SILENT_MS = 60_000
/** A silent machine that its provider calls running is looked at again after this, and twice as long each time. */
const FIRST_PAUSE_MS = 60_000
const LONGEST_PAUSE_MS = 3_600_000

/** What was found at the looks before, kept between them. */
export interface Suspicion {
  /** The epoch it was found in: another one is another life. */
  epoch: number
  /** What the provider said at the newest look. */
  found: "off" | "gone" | "on"
  looks: number
  /** When to look again, ms since 1970. */
  nextAt: number
}

/** What is wrong with a workspace that ought to be running: both for two looks in a row. */
export type Wrong = "off" | "gone"

/**
 * What to make of a look at a silent machine of a workspace that is to be running.
 * @param machine as its provider has it; null: it has none
 * @param before of the same epoch, null at the first look
 * @param now ms since 1970
 */
export function judgeSilence(
  machine: Pick<Machine, "state"> | null,
  epoch: number,
  before: Suspicion | null,
  now: number,
): { wrong: Wrong | null; suspicion: Suspicion } {
  const found = machine === null ? "gone" : machine.state === "off" ? "off" : "on"
  const known = before?.epoch === epoch && before.found === found ? before.looks : 0
  const pause = found === "on" ? Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** known) : 0
  const suspicion = { epoch, found, looks: known + 1, nextAt: now + pause } satisfies Suspicion
  // Once may be a restart, or a list that is not up to date.
  return { wrong: found !== "on" && known > 0 ? found : null, suspicion }
}
