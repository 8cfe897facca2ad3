import { readFileSync } from "node:fs"
import { join } from "node:path"
import { PROJECT_ROOT } from "../../tools/setup/paths.ts"

const file = (name: string) => readFileSync(join(PROJECT_ROOT, "monitoring", name), "utf8")

/** The service's alerts for Prometheus: what each asks for, by its name. */
export function readAlerts(): Map<string, string> {
  const found = file("alerts.yml").matchAll(/- alert: (\w+)\n\s+expr: (.*)/g)
  return new Map([...found].map(([, name = "", expression = ""]) => [name, expression]))
}

/** Their pages by the alert's name, with the commands of `foozol-cloud` that stand there. */
export function readRunbooks(): Map<string, string[]> {
  const parts = file("runbooks.md").split(/^## /m).slice(1)
  return new Map(
    parts.map(text => {
      const commands = [...text.matchAll(/`foozol-cloud ([^`]+)`/g)].map(([, command = ""]) => command)
      return [text.split("\n", 1)[0] ?? "", commands]
    }),
  )
}

/**
 * Does an alert's expression hold for these metrics, as they are now? Of Prometheus's language: what the alerts use but
 * rates, which need two looks.
 * @throws Error for what it does not know
 */
export function fires(expression: string, metrics: string): boolean {
  return expression.split(" or ").some(part =>
    part
      .replace(/^\((.*)\)$/, "$1")
      .split(" and ")
      .every(comparison => holds(comparison, metrics)),
  )
}

const OPERATORS: Record<string, (left: number, right: number) => boolean> = {
  ">": (left, right) => left > right,
  "<": (left, right) => left < right,
  "<=": (left, right) => left <= right,
  "==": (left, right) => left === right,
}
const AGGREGATES: Record<string, (all: number[]) => number> = {
  max: all => Math.max(...all),
  min: all => Math.min(...all),
  min_over_time: all => Math.min(...all),
  sum: all => all.reduce((sum, one) => sum + one, 0),
  count: all => all.length,
}

function holds(comparison: string, metrics: string): boolean {
  const [, outer = "", rest = "", operator = "", right] = /^(\w+)\b(.*) ([<>=]+) ([\d.]+)$/.exec(comparison) ?? []
  const [, metric, label, value] = /\((foozol_\w+)(?:\{(\w+)="(\w+)"\})?\)/.exec(rest) ?? []
  const [aggregate, compare] = [AGGREGATES[outer], OPERATORS[operator]]
  if (!aggregate || !compare || !metric) throw new Error(`Not understood: ${comparison}`)
  const samples = [...metrics.matchAll(new RegExp(`^${metric}(?:\\{(.*)\\})? (\\S+)$`, "gm"))]
  const meant = samples.filter(([, labels = ""]) => label === undefined || labels.includes(`${label}="${value}"`))
  // Of nothing Prometheus concludes nothing.
  return meant.length > 0 && compare(aggregate(meant.map(([, , number]) => Number(number))), Number(right))
}
