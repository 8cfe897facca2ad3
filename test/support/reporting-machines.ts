import { setTimeout as sleep } from "node:timers/promises"
import type { MachineConfig, Machines } from "../../local-cloud/machines/contract.ts"
import { createNoMachines } from "../../local-cloud/machines/none.ts"

/** Milliseconds after which a machine says again what was not heard. */
const AGAIN_MS = 100

/** Digest of the manifest that a pretended machine has written. */
export const MANIFEST = "a".repeat(40)
/** What is found where all is well. */
export const FINE = {
  checks: [{ name: "disk", ok: true, detail: "clean" }],
  manifest: { digest: MANIFEST, files: 100, damaged: [], changed: 0 },
}

/** What a machine was told at birth. */
interface Told {
  service: string
  workspace: string
  workspaceKey: string
  proof?: string
}

/** An order a pretended machine was given. */
export interface Received {
  workspace: string
  type: string
  data: Record<string, unknown>
}

/**
 * Pretended machines that speak to the service as the workspace agent does: they listen for orders and report that
 * their desktop is ready, or what they have found that try a backup out. What boots and what is seen is nothing; what is
 * said over HTTP is real.
 * @param heartbeatMs between reports of a machine that is ready; a real one takes 15 s
 */
export function createReportingMachines(directory: string, heartbeatMs = 2_000) {
  const inner = createNoMachines(directory)
  const living = new Map<number, AbortController>()
  const received: Received[] = []
  const state = {
    ready: true,
    silent: false,
    signals: (): object => ({ viewers: 0 }),
    agent: 1,
    proof: (): object | null => FINE,
  }
  // As an agent does: when it started stays the same as long as it runs.
  const startedAt = new Date().toISOString()

  function switchOn(config: MachineConfig): void {
    const told = JSON.parse(config.metadata.userData) as Told
    const life = new AbortController()
    living.get(config.id)?.abort()
    living.set(config.id, life)
    void (told.proof === undefined ? live(told, life.signal) : tryOut(told, life.signal))
  }

  /** Says what it has found until it is heard. */
  async function tryOut(told: Told, signal: AbortSignal) {
    const headers = { authorization: `Bearer ${told.workspaceKey}`, "content-type": "application/json" }
    while (!signal.aborted) {
      const found = state.proof()
      if (found) {
        const sent = { method: "POST", headers, body: JSON.stringify(found), signal }
        const answer = await fetch(`${told.service}/machine/proof`, sent).catch(() => null)
        if (answer?.status === 204) return
      }
      await sleep(AGAIN_MS)
    }
  }

  async function live(told: Told, signal: AbortSignal) {
    const headers = { authorization: `Bearer ${told.workspaceKey}` }
    void listen(told, headers, signal, () => say())
    const report = () => ({
      ...{ workspace: told.workspace, sessionId: told.workspace, bootId: crypto.randomUUID(), ready: state.ready },
      checks: [{ name: "picture", ok: state.ready, detail: state.ready ? "" : "no picture yet" }],
      ...{
        versions: { agent: String(state.agent) },
        signals: state.signals(),
        startedAt,
        at: new Date().toISOString(),
      },
    })
    const say = async () => {
      if (state.silent) return null
      const sent = { ...headers, "content-type": "application/json" }
      const body = JSON.stringify(report())
      return fetch(`${told.service}/machine/report`, { method: "POST", headers: sent, body, signal }).catch(() => null)
    }
    for (;;) {
      const answer = await say()
      if (signal.aborted) return
      await sleep(state.ready && answer?.status === 204 ? heartbeatMs : AGAIN_MS, undefined, { signal }).catch(() => {})
    }
  }

  /** Follows what the machine is told, and comes back when the stream breaks. */
  async function listen(told: Told, headers: HeadersInit, signal: AbortSignal, asked: () => Promise<unknown>) {
    while (!signal.aborted) {
      await fetch(`${told.service}/machine/events`, { headers, signal })
        .then(answer => hear(told, answer, asked))
        .catch(() => {})
      await sleep(AGAIN_MS)
    }
  }

  async function hear(told: Told, answer: Response, asked: () => Promise<unknown>): Promise<void> {
    let rest = ""
    for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      rest += chunk
      const blocks = rest.split("\n\n")
      rest = blocks.pop() ?? ""
      for (const block of blocks) {
        const type = /^event: (.*)$/m.exec(block)?.[1]
        const data = /^data: (.*)$/m.exec(block)?.[1]
        const given = data ? JSON.parse(data) : {}
        if (type) received.push({ workspace: told.workspace, type, data: given })
        if (type === "freeze") void holdStill(told, given.id)
        if (type === "report") void asked()
      }
    }
  }

  async function holdStill({ service, workspaceKey }: Told, id: string): Promise<void> {
    const headers = { authorization: `Bearer ${workspaceKey}`, "content-type": "application/json" }
    const body = JSON.stringify({ id, manifest: MANIFEST, frozen: true })
    await fetch(`${service}/machine/frozen`, { method: "POST", headers, body }).catch(() => {})
  }

  const switchOff = (id: number) => {
    living.get(id)?.abort()
    living.delete(id)
  }
  const machines: Machines = {
    ...inner,
    async start(config) {
      await inner.start(config)
      switchOn(config)
    },
    async pressPowerButton(id) {
      await inner.pressPowerButton(id)
      switchOff(id)
    },
    async powerOff(id) {
      await inner.powerOff(id)
      switchOff(id)
    },
    async remove(id) {
      await inner.remove(id)
      switchOff(id)
    },
  }
  return {
    machines,
    received,
    /** While false, machines report that they are not ready. */
    setReady: (ready: boolean) => {
      state.ready = ready
    },
    /** What machines report of their use; asked anew for each report. */
    setSignals: (signals: () => object) => {
      state.signals = signals
    },
    /** While true, machines report nothing. */
    setSilent: (silent: boolean) => {
      state.silent = silent
    },
    /** What machines report that try a backup out; null: nothing, for now. */
    setProof: (proof: () => object | null) => {
      state.proof = proof
    },
    /** Version of the agent; from 2 on it holds still for a backup. */
    setAgent: (agent: number) => {
      state.agent = agent
    },
    close: () => {
      for (const id of [...living.keys()]) switchOff(id)
    },
  }
}
