import { z } from "zod"

/** What can tell that a workspace is in use, in the order in which people are shown it. */
export const SIGNALS = [
  "input",
  "viewer",
  "visit",
  "output",
  "agent",
  "work",
  "files",
  "ssh",
  "webUi",
  "start",
  "contact",
] as const
export type Signal = (typeof SIGNALS)[number]

/** When each was last seen, in milliseconds of the service's clock; what was never seen is missing. */
export type Seen = Partial<Record<Signal, number>>

const time = z.iso.datetime({ offset: true }).transform(text => Date.parse(text))
const count = z.number().nonnegative()

/** The signals of a report that are looked at; whatever is missing comes from an agent that does not know it. */
const Reported = z.object({
  at: time,
  signals: z.object({
    viewers: count.default(0),
    lastInputAt: time.nullable().default(null),
    terminals: z.array(z.object({ lastOutputAt: time })).default([]),
    agents: z.array(z.object({ cpu: z.number() })).default([]),
    transcripts: z.record(z.string(), time).default({}),
    workAt: time.nullable().default(null),
    filesChangedAt: time.nullable().default(null),
    ssh: count.default(0),
    webUis: count.default(0),
  }),
})

/** What a report says of a machine's use, in the service's clock. */
export interface Reading {
  seen: Seen
  /** How far the machine's clock is behind the service's, in ms; null where the report does not say its time. */
  clockOffset: number | null
}

/**
 * Reads a machine's report. Its times are by the machine's own clock, which may be wrong, so only their distance to
 * the report's own time counts: that long before `receivedAt` it was. What lies after the report's own time is taken
 * for now. A report that cannot be read is `contact` now: a machine that nobody understands is not idle.
 * @param receivedAt service's clock, ms
 * @param busyCpu share of one core from which an agent's process is at work
 */
export function readSignals(report: unknown, receivedAt: number, busyCpu: number): Reading {
  const parsed = Reported.safeParse(report)
  if (!parsed.success) return { seen: { contact: receivedAt }, clockOffset: null }
  const { at, signals } = parsed.data
  const seen: Seen = {}
  const note = (signal: Signal, machineTime: number | null) => {
    if (machineTime === null) return
    const seenAt = receivedAt - Math.max(0, at - machineTime)
    if (seenAt > 0) seen[signal] = Math.max(seen[signal] ?? 0, seenAt)
  }
  note("input", signals.lastInputAt)
  for (const { lastOutputAt } of signals.terminals) note("output", lastOutputAt)
  for (const changedAt of Object.values(signals.transcripts)) note("agent", changedAt)
  if (signals.agents.some(({ cpu }) => cpu >= busyCpu)) note("agent", at)
  note("work", signals.workAt)
  note("files", signals.filesChangedAt)
  if (signals.viewers > 0) note("viewer", at)
  if (signals.ssh > 0) note("ssh", at)
  if (signals.webUis > 0) note("webUi", at)
  return { seen, clockOffset: receivedAt - at }
}
