/**
 * `npm run chaos -- CAMPAIGN [--count N] [--seed S] [--worlds N] [--minutes M] [--json]`: lets something go wrong again
 * and again and counts what was broken by it. Ends with 1 where a promise was. After M minutes, or on SIGTERM, it brings
 * to an end what is under way, and counts what was done.
 */
import { appendFileSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { summarize } from "../../bench/measurement.ts"
import { readArguments } from "../../tools/arguments.ts"
import { cacheDirectory } from "../../tools/setup/paths.ts"
import { setUp } from "../../tools/setup/setup.ts"
import { CAMPAIGNS } from "./campaigns.ts"

const USAGE = "npm run chaos -- CAMPAIGN [--count N] [--seed S] [--worlds N] [--minutes M] [--json]"
const { values, positionals } = readArguments(
  {
    allowPositionals: true,
    options: {
      json: { type: "boolean" },
      count: { type: "string" },
      seed: { type: "string" },
      worlds: { type: "string" },
      minutes: { type: "string" },
    },
  },
  USAGE,
)
const name = positionals[0] ?? ""
const campaign = CAMPAIGNS.get(name)
const number = (given: string | undefined, otherwise: number) => (given === undefined ? otherwise : Number(given))
const count = number(values.count, campaign?.count ?? 0)
const seed = number(values.seed, Date.now() % 1_000_000)
const worlds = number(values.worlds, 2)
const minutes = number(values.minutes, Number.POSITIVE_INFINITY)
if (!campaign || ![count, seed, worlds].every(Number.isInteger) || !(Math.min(count, worlds, minutes) > 0)) {
  console.error(`${USAGE}\n`)
  for (const [known, { about, count }] of CAMPAIGNS) console.error(`  ${known.padEnd(12)} ${about} (${count})`)
  process.exit(2)
}
await setUp()
const folder = join(cacheDirectory(), "chaos")
mkdirSync(folder, { recursive: true })
const ledger = join(folder, `${name}-${seed}-${Date.now()}.ndjson`)
console.error(`${name}: ${count} times, seed ${seed}, ${worlds} worlds; ledger ${ledger}`)
const endsAt = Date.now() + minutes * 60_000
let isTold = false
process.once("SIGTERM", () => {
  isTold = true
})
let noted = 0
const { measurements, broken } = await campaign.run({
  ...{ count, seed, worlds: Math.min(worlds, count) },
  isEnough: () => isTold || Date.now() > endsAt,
  note(entry) {
    noted++
    appendFileSync(ledger, `${JSON.stringify({ at: new Date().toISOString(), ...entry })}\n`)
    if (!values.json) console.log(`${String(noted).padStart(5)}  ${summary(entry)}`)
  },
})
for (const words of broken) console.error(`broken: ${words}`)
for (const line of measurements.map(one => summarize(`chaos-${name}`, one))) {
  if (values.json) console.log(JSON.stringify({ ...line, seed }))
  else console.log(`${line.metric.padEnd(18)} ${line.median}${line.unit ? ` ${line.unit}` : ""}`)
}
process.exit(broken.length > 0 ? 1 : 0)

/** One entry of the ledger for somebody who watches. */
function summary(entry: Record<string, unknown>): string {
  return Object.entries(entry)
    .filter(([, value]) => value !== 0 && value !== false && !(Array.isArray(value) && value.length === 0))
    .map(([key, value]) => `${key} ${text(value)}`)
    .join("  ")
}

function text(value: unknown): string {
  if (typeof value === "number") return String(Math.round(value * 100) / 100)
  if (Array.isArray(value)) return [...new Set(value.map(text))].join(" ")
  return String(value)
}
