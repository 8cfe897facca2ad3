import type { AgentConfig } from "../config.ts"
import type { Relay } from "../relay/relay.ts"
import type { Run } from "../run.ts"
import { createFileWatch } from "./files.ts"
import { type AgentProcess, createProcessWatch } from "./processes.ts"
import { sshConnections } from "./ssh.ts"
import { type Terminal, terminals } from "./terminals.ts"

/** What tells whether a workspace is in use; the service judges, the agent only says what it sees. */
export interface Signals {
  viewers: number
  lastInputAt: string | null
  terminals: Terminal[]
  agents: AgentProcess[]
  filesChangedAt: string | null
  ssh: number
}

/** Time one look at files may take, of a heartbeat's 15 s. */
const FILES_BUDGET_MS = 250

/** @returns a function that gathers all signals */
export function createSignals(options: { config: AgentConfig; relay: Relay; run: Run; now: () => number }) {
  const { config, relay, run, now } = options
  const processes = createProcessWatch()
  const files = createFileWatch(config.workDirectories, now)
  const time = (at: number | null) => (at === null ? null : new Date(at).toISOString())
  return async (): Promise<Signals> => {
    const [panes, agents, changed, ssh] = await Promise.all([
      terminals(run, config.tmuxSocket),
      processes(now()),
      files.look(FILES_BUDGET_MS),
      sshConnections(),
    ])
    const lastInputAt = time(relay.lastInputAt())
    return { viewers: relay.viewers(), lastInputAt, terminals: panes ?? [], agents, filesChangedAt: time(changed), ssh }
  }
}
