import type { AgentConfig } from "../config.ts"
import type { Relay } from "../relay/relay.ts"
import type { Run } from "../run.ts"
import { createFileWatch } from "./files.ts"
import { readProcesses } from "./process-table.ts"
import { type AgentProcess, createProcessWatch } from "./processes.ts"
import { sshConnections } from "./ssh.ts"
import { type Terminal, terminals } from "./terminals.ts"
import { createTranscriptWatch } from "./transcripts.ts"
import { webUis } from "./web-uis.ts"
import { createWorkWatch } from "./work.ts"

/** What tells whether a workspace is in use; the service judges, the agent only says what it sees. */
export interface Signals {
  viewers: number
  lastInputAt: string | null
  terminals: Terminal[]
  agents: AgentProcess[]
  /** When each agent's transcripts grew last. */
  transcripts: Record<string, string>
  /** When programs of terminals were last seen at work; null: not since the agent started. */
  workAt: string | null
  filesChangedAt: string | null
  ssh: number
  /** Connections from outside to web servers of the user. */
  webUis: number
}

/** Time one look at files may take, of a heartbeat's 15 s. */
const FILES_BUDGET_MS = 250

/** A visit that a report was too late to see is told of by the next one. */
const VISIT_MS = 20_000

/**
 * Least time between two looks at processes. CPU comes in ticks of 10 ms: over a moment, one tick of an agent that
 * waits would look like work.
 */
const LEAST_SPAN_MS = 2_000

/**
 * How busy processes are, by one reading of /proc for agents and work alike.
 * @param options.busyCpu cores from which programs of terminals are at work
 * @param options.clock monotonic, in ms
 */
export function createLoadWatch(options: { busyCpu: number; clock: () => number; now: () => number; proc?: string }) {
  const { busyCpu, clock, now, proc = "/proc" } = options
  const agentsOf = createProcessWatch({ proc })
  const workOf = createWorkWatch({ proc })
  let last: { at: number; agents: AgentProcess[] } | null = null
  let workAt: number | null = null
  return async (): Promise<{ agents: AgentProcess[]; workAt: number | null }> => {
    const at = clock()
    if (last === null || at - last.at >= LEAST_SPAN_MS) {
      const all = await readProcesses(proc)
      last = { at, agents: await agentsOf(all, at) }
      // What a server of `node` has started is no agent's work.
      const agents = last.agents.filter(({ name }) => name !== "node").map(({ pid }) => pid)
      if ((await workOf(all, at, agents)) >= busyCpu) workAt = now()
    }
    return { agents: last.agents, workAt }
  }
}

/** @returns a function that gathers all signals */
export function createSignals(options: {
  config: AgentConfig
  relay: Relay
  run: Run
  now: () => number
  /** Wall clock of the last visit to a web server of the user. */
  visitedAt?: () => number | null
}) {
  const { config, relay, run, now, visitedAt = () => null } = options
  const load = createLoadWatch({ busyCpu: config.busyCpu, clock: () => performance.now(), now })
  const transcripts = createTranscriptWatch({ home: config.home, environment: `${config.runtimeDirectory}/env`, now })
  const files = createFileWatch(config.workDirectories, now)
  const time = (at: number | null) => (at === null ? null : new Date(at).toISOString())
  return async (): Promise<Signals> => {
    const [panes, { agents, workAt }, grown, changed, ssh, pages] = await Promise.all([
      terminals(run, config.tmuxSocket),
      load(),
      transcripts(),
      files.look(FILES_BUDGET_MS),
      sshConnections(),
      webUis(config.userUid, [config.vnc.port]),
    ])
    return {
      viewers: relay.viewers(),
      lastInputAt: time(relay.lastInputAt()),
      terminals: panes ?? [],
      agents,
      transcripts: Object.fromEntries(Object.entries(grown).map(([name, at]) => [name, new Date(at).toISOString()])),
      workAt: time(workAt),
      filesChangedAt: time(changed),
      ssh,
      // Most pages are fetched between two reports.
      webUis: Math.max(pages, now() - (visitedAt() ?? Number.NEGATIVE_INFINITY) < VISIT_MS ? 1 : 0),
    }
  }
}
