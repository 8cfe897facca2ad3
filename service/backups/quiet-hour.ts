import { createHash } from "node:crypto"
import { inOrder, type LedgerLine } from "../usage/ledger-line.ts"

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** Use is looked at for so long; more days even out more, fewer follow a new habit sooner. */
const LOOK_BACK_MS = 14 * DAY
/** With less than this behind it, a workspace has no habits yet. */
const LEAST_MS = 3 * DAY
/** Two hours differ when one was used for so much longer than the other within the time that is looked at. */
const SAME_MS = 20 * MINUTE

/** Hours of a day (UTC) that count as night where nothing is known of a workspace: from one, up to before another. */
export interface Night {
  from: number
  to: number
}

/**
 * How long a workspace was in use in each hour of the day (UTC), ms, within the last two weeks; null where it has not
 * been there for three days. In use is RUNNING: what is IDLE or off is used by nobody. Pure.
 * @param lines of this workspace, in any order
 */
export function usedByHour(lines: LedgerLine[], now: number): number[] | null {
  const ordered = [...lines].sort(inOrder)
  const first = ordered[0]
  if (!first || now - first.at < LEAST_MS) return null
  const used = Array.from({ length: 24 }, () => 0)
  for (const [place, line] of ordered.entries()) {
    if (line.to !== "RUNNING") continue
    const end = Math.min(now, ordered[place + 1]?.at ?? now)
    for (let at = Math.max(line.at, now - LOOK_BACK_MS); at < end; ) {
      const next = Math.min(end, (Math.floor(at / HOUR) + 1) * HOUR)
      const hour = new Date(at).getUTCHours()
      used[hour] = (used[hour] ?? 0) + next - at
      at = next
    }
  }
  return used
}

/**
 * The minute of the day (UTC, 0 to 1439) at which a workspace is backed up: in the hour in which it is used least, those
 * around it counting too, at night if that is as good; where nothing is known of its use, some time in the night. Which
 * of several hours, and which minute, follows from its id: so workspaces are spread, and one keeps its time. Pure.
 */
export function quietMinute(id: string, used: number[] | null, night: Night): number {
  const hours = Array.from({ length: 24 }, (_, hour) => hour)
  const atNight = (hour: number) =>
    night.from < night.to ? hour >= night.from && hour < night.to : hour >= night.from || hour < night.to
  const cost = (hour: number) => (used === null ? 0 : at(used, hour) + (at(used, hour - 1) + at(used, hour + 1)) / 2)
  const least = Math.min(...hours.map(cost))
  const quiet = hours.filter(hour => cost(hour) <= least + SAME_MS)
  const best = quiet.filter(atNight)
  // The lowest number wins: when an hour joins or leaves the others, most keep the one they have.
  const [hour = 0] = (best.length > 0 ? best : quiet).sort((a, b) => number(`${id} ${a}`) - number(`${id} ${b}`))
  return hour * 60 + (number(id) % 60)
}

const at = (used: number[], hour: number) => used[(hour + 24) % 24] ?? 0
const number = (text: string) => createHash("sha256").update(text).digest().readUInt32BE(0)
