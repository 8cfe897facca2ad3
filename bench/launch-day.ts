/**
 * On paper: which of 2,000 new workspaces of one day get a certificate when, by what authorities grant. No machine and
 * no authority is asked; the decisions are the service's own. docs/certificates.md has the table.
 */
import { launchDay, type Outcome, SCENARIOS } from "./launch-day-model.ts"
import type { Measurement } from "./measurement.ts"

const DAY = 86_400_000

/** @param options.count sign-ups of the day (2,000) */
export async function bench(options: { count?: string }): Promise<Measurement[]> {
  const outcomes = SCENARIOS.map(scenario => launchDay(scenario, Number(options.count ?? 2_000)))
  console.error(`${launchDayTable(outcomes)}\n`)
  return outcomes.map(({ title, longest }) => ({ metric: title.slice(0, 18), unit: "days", samples: [longest / DAY] }))
}

/** The outcomes as a table in Markdown. Pure. */
export function launchDayTable(outcomes: Outcome[]): string {
  const head = [
    "",
    "at once",
    "within a day",
    "within a week",
    "half of them after",
    "the last one after",
    "by the second",
  ]
  const rows = outcomes.map(one => [
    ...[one.title, one.atOnce, one.firstDay, one.firstWeek].map(String),
    ...[one.median, one.longest].map(days),
    String(one.byAuthority.second ?? 0),
  ])
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n")
}

function days(ms: number): string {
  if (ms < 60_000) return "at once"
  return ms < DAY ? `${(ms / 3_600_000).toFixed(1)} h` : `${Math.round(ms / DAY)} days`
}
