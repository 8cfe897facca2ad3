import { type Seen, SIGNALS, type Signal } from "./signals.ts"

/** What is known of a workspace's use. Times are milliseconds of the service's clock. */
export interface Observed {
  seen: Seen
  /** When its machine was last heard of; null: never. */
  reportedAt: number | null
  /** Its owner wants it on until then. */
  keepOnUntil: number | null
}

export interface JudgeSettings {
  /** How long each signal holds after it was last seen; 0: it does not count. */
  windows: Record<Signal, number>
  /** From idle to the stop. */
  stopMs: number
  /** A machine that has said nothing for so long is `unknown`. */
  silentMs: number
  autoStop: boolean
}

/** A signal, and what it does. */
export interface SignalState {
  signal: Signal
  lastAt: number | null
  /** Until when it holds the workspace up; null where it does not count, or was never seen. */
  until: number | null
  holds: boolean
}

/** What holds a workspace up. */
export type Reason = Signal | "keepOn"

export type Judgement = { signals: SignalState[] } & (
  | {
      verdict: "active"
      /** What holds it up, the longest first. */
      because: Reason[]
      /** When it becomes idle if nothing more happens. */
      idleAt: number
      /** When it would be stopped then; null: not by itself. */
      stopsAt: number | null
    }
  | { verdict: "idle"; since: number; stopsAt: number | null }
  /** Its machine is silent since then (null: never heard of), so nobody knows. */
  | { verdict: "unknown"; since: number | null }
)

/**
 * Is a workspace in use? Where that cannot be known it is `unknown`, which is never a reason to stop it: the machine is
 * silent, its last word comes from the future (some clock was set), or nothing that counts was ever seen. What was
 * seen in the future holds until its window is over. Pure.
 * @param now service's clock, ms
 */
export function judge(observed: Observed, settings: JudgeSettings, now: number): Judgement {
  const { seen, reportedAt, keepOnUntil } = observed
  const signals = SIGNALS.map((signal): SignalState => {
    const [lastAt, span] = [seen[signal] ?? null, settings.windows[signal]]
    const until = lastAt === null || span === 0 ? null : lastAt + span
    return { signal, lastAt, until, holds: until !== null && now < until }
  })
  const ends: { reason: Reason; until: number }[] = signals.flatMap(({ signal, until }) =>
    until === null ? [] : [{ reason: signal, until }],
  )
  if (keepOnUntil !== null) ends.push({ reason: "keepOn", until: keepOnUntil })
  ends.sort((a, b) => b.until - a.until)
  const last = ends[0]?.until
  const isHeard = reportedAt !== null && Math.abs(now - reportedAt) <= settings.silentMs
  if (!isHeard || last === undefined) return { verdict: "unknown", since: reportedAt, signals }
  const stopsAt = settings.autoStop ? last + settings.stopMs : null
  if (now >= last) return { verdict: "idle", since: last, stopsAt, signals }
  const because = ends.filter(({ until }) => now < until).map(({ reason }) => reason)
  return { verdict: "active", because, idleAt: last, stopsAt, signals }
}
