/**
 * The workspace agent: the way to the desktop, its readiness and activity, and the service's orders. systemd starts
 * it again when it ends.
 */
import { startAgent } from "./agent.ts"
import { proveBackup } from "./backup/prove.ts"
import type { Asker } from "./certificate/request.ts"
import { type AgentConfig, readConfig } from "./config.ts"
import { journal, reasonOf } from "./log.ts"
import { run, runLong } from "./run.ts"
import { createMemoryKeeper } from "./sleep/keeper.ts"
import { isStandby, standBy } from "./standby.ts"

main().catch(error => {
  journal.warn(reasonOf(error))
  process.exit(1)
})

async function main(): Promise<void> {
  const stoodBy = isStandby() ? await standBy({ run, runLong, log: journal }) : null
  const config = await readConfig()
  if (!config.isTrial) {
    await listen(config, stoodBy?.asker)
    return stoodBy?.openDoor()
  }
  await proveBackup({ config, run, runLong, log: journal })
  // Ended, it would be started again; the machine goes soon.
  setInterval(() => {}, 2 ** 30)
}

async function listen(config: AgentConfig, asker?: Asker): Promise<void> {
  const agent = await startAgent({
    ...{ config, run, log: journal, memory: createMemoryKeeper(), ...(asker && { asker }) },
    restart: () => process.kill(process.pid, "SIGTERM"),
  })
  journal.info("the agent listens")
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      // Viewers get their farewell; a peer that does not answer may not hold up the machine's end.
      setTimeout(() => process.exit(0), 1_500).unref()
      agent.close().then(() => process.exit(0))
    })
  }
}
