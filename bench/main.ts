/** `npm run bench -- NAME [--json] [options of the bench]`: measures one thing and prints a table, or one object a line. */
import { cpus } from "node:os"
import { readArguments } from "../tools/arguments.ts"
import { setUp } from "../tools/setup/setup.ts"
import type { Measurement } from "./measurement.ts"
import { summarize } from "./measurement.ts"

const BENCHES: Record<string, () => Promise<{ bench: (options: Record<string, string>) => Promise<Measurement[]> }>> = {
  authorize: () => import("./authorize.ts"),
  burst: () => import("./burst.ts"),
  certificate: () => import("./certificate.ts"),
  engine: () => import("./engine.ts"),
  boot: () => import("./boot.ts"),
  instant: () => import("./instant.ts"),
  "first-prompt": () => import("./first-prompt.ts"),
  "engine-steps": () => import("./engine-steps.ts"),
  "launch-day": () => import("./launch-day.ts"),
  rebuild: () => import("./rebuild.ts"),
  relay: () => import("./relay.ts"),
  terminal: () => import("./terminal.ts"),
  "sign-up": () => import("./sign-up.ts"),
  wake: () => import("./wake.ts"),
}

const { values, positionals } = readArguments(
  {
    allowPositionals: true,
    options: {
      json: { type: "boolean" },
      ahead: { type: "string" },
      boot: { type: "string" },
      image: { type: "string" },
      count: { type: "string" },
      copies: { type: "string" },
      wakes: { type: "string" },
      parallel: { type: "string" },
      profile: { type: "string" },
      rounds: { type: "string" },
      seconds: { type: "string" },
      signups: { type: "string" },
    },
  },
  `npm run bench -- NAME [--json] [options of the bench]; one of: ${Object.keys(BENCHES).join(", ")}`,
)
const [name] = positionals
const load = name === undefined ? undefined : BENCHES[name]
if (!load || name === undefined) {
  console.error(`Which bench? One of: ${Object.keys(BENCHES).join(", ")}.`)
  process.exit(2)
}
await setUp()
const { json, ...options } = values
const measurements = await (await load()).bench(options as Record<string, string>)
if (!json) console.log(`${name}: ${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.versions.node}\n`)
for (const line of measurements.map(one => summarize(name, one))) {
  if (json) console.log(JSON.stringify(line))
  else {
    const { metric, unit, n, min, median, max } = line
    console.log(
      `${metric.padEnd(18)} ${unit.padEnd(8)} n ${String(n).padEnd(4)} min ${min.toFixed(2).padStart(7)}  median ${median.toFixed(2).padStart(7)}  max ${max.toFixed(2).padStart(7)}`,
    )
  }
}
process.exit(0)
