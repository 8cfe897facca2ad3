import { USAGE_KINDS } from "./billing.ts"
import type { WorkspaceUsage } from "./usage.ts"

const FACTS = ["month", "workspace", "name", "profile", "provider", "region", "size"] as const

/** Usage as CSV (RFC 4180) with a head line, a row for each workspace, month and currency. */
export function usageCsv(usage: WorkspaceUsage[]): string {
  const head = [...FACTS, ...USAGE_KINDS.map(kind => `${kind}_seconds`), "estimated_cost", "currency"]
  const rows = usage.flatMap(one => {
    const facts = [...FACTS.map(fact => one[fact]), ...USAGE_KINDS.map(kind => one.seconds[kind].toFixed(0))]
    if (one.costs.length === 0) return [[...facts, "", ""]]
    return one.costs.map(({ currency, amount }, place) => {
      // Seconds stand in the first row of a month alone: whoever adds the column up counts them once.
      const own = place === 0 ? facts : [...FACTS.map(fact => one[fact]), ...USAGE_KINDS.map(() => "")]
      return [...own, amount.toFixed(4), currency]
    })
  })
  return [head, ...rows].map(row => `${row.map(cell).join(",")}\r\n`).join("")
}

/** A value as a cell of a CSV; what a spreadsheet would take for a formula is no longer one. */
export function cell(text: string): string {
  // A spreadsheet would take a name such as "=1+1" for a formula.
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}
