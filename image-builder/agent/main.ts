/**
 * The workspace agent: the way to the desktop, its readiness and activity, and the service's orders. systemd starts
 * it again when it ends.
 */
import { startAgent } from "./agent.ts"
import { readConfig } from "./config.ts"
import { journal, reasonOf } from "./log.ts"
import { run } from "./run.ts"

try {
  const agent = await startAgent({ config: await readConfig(), run, log: journal })
  journal.info("the agent listens")
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      // Viewers get their farewell; a peer that does not answer may not hold up the machine's end.
      setTimeout(() => process.exit(0), 1_500).unref()
      agent.close().then(() => process.exit(0))
    })
  }
} catch (error) {
  journal.warn(reasonOf(error))
  process.exit(1)
}
