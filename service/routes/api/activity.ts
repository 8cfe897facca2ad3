import { z } from "zod"
import type { Judgement } from "../../idleness/judge.ts"
import type { IdleRecord } from "../../idleness/record.ts"
import { SIGNALS } from "../../idleness/signals.ts"
import { explain, SIGNAL_WORDS } from "../../idleness/words.ts"

const time = (description: string) => z.iso.datetime().meta({ description }).nullable()

export const ActivitySchema = z
  .object({
    verdict: z.enum(["active", "idle", "unknown", "off"]).meta({
      description: "`unknown`: its machine says nothing, so it is not stopped; `off`: it does not run",
    }),
    text: z.string().meta({ description: "why it is on and when it will stop, in words" }),
    because: z.array(z.enum([...SIGNALS, "keepOn"])).meta({ description: "what holds it up, the longest first" }),
    idleAt: time("when it becomes idle if nothing more happens, or since when it is"),
    stopsAt: time("when it is stopped if nothing more happens; null: not by itself"),
    announced: z.boolean().meta({ description: "whoever is on the machine has been told of the stop" }),
    reportedAt: time("when its machine was last heard of"),
    signals: z.array(
      z.object({
        signal: z.enum(SIGNALS),
        label: z.string(),
        lastAt: time("when it was last seen"),
        until: time("until when it holds the workspace up; null: it does not count, or was never seen"),
        holds: z.boolean(),
      }),
    ),
  })
  .meta({ id: "Activity", description: "How a workspace is used" })
export type Activity = z.output<typeof ActivitySchema>

const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString())

/** The use of a workspace as the API shows it. @param found null: its machine does not run */
export function presentActivity(found: { record: IdleRecord; judgement: Judgement } | null, now: number): Activity {
  if (!found) {
    const nothing = { because: [], idleAt: null, stopsAt: null, announced: false, reportedAt: null, signals: [] }
    return { verdict: "off", text: "Its machine does not run, so there is nothing to see of its use.", ...nothing }
  }
  const { record, judgement } = found
  const { verdict, signals } = judgement
  const { plannedStop } = record
  const stop = judgement.verdict === "unknown" ? null : judgement.stopsAt
  return {
    verdict,
    text: explain(judgement, record, now),
    because: judgement.verdict === "active" ? judgement.because : [],
    idleAt: judgement.verdict === "active" ? iso(judgement.idleAt) : verdict === "idle" ? iso(judgement.since) : null,
    stopsAt: iso(stop === null || verdict !== "idle" ? stop : Math.max(stop, plannedStop ?? 0)),
    announced: plannedStop !== null,
    reportedAt: iso(record.reportedAt),
    signals: signals.map(({ signal, lastAt, until, holds }) => {
      return { signal, label: SIGNAL_WORDS[signal].label, lastAt: iso(lastAt), until: iso(until), holds }
    }),
  }
}
