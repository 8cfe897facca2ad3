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
  const hanging = new Map<number, MachineConfig>()
  let resets = 0
  const received: Received[] = []
  const state = {
    ready: true,
    silent: false,
    hangs: false,
    signals: (): object => ({ viewers: 0 }),
    agent: 1,
    proof: (): object | null => FINE,
    certificate: (_workspace: string, _authority: { directory: string } | null): object | null => null,
    repository: (_workspace: string): object | null => null,
    prompt: (_data: Record<string, unknown>): string | null => null,
    devContainer: (_data: Record<string, unknown>): string | null | undefined => null,
    keepsMemory: false,
    fallsAsleep: true,
  }
  let stopped: (id: number) => void = () => {}
  let carrying: (direction: string) => "done" | "failed" = () => "done"
  // What users have written on machines, and where it has gone: by ids of machines, images and volumes.
  const [written, imaged, carried] = [new Map<number, string>(), new Map<number, string>(), new Map<number, string>()]
  const machineOf = new Map<string, number>()
  // Images that were made with a machine's memory, and the machines that were to go on from theirs.
  const [remembered, woken] = [new Set<number>(), new Map<number, boolean>()]
  const attached = new Map<number, number[]>()
  // As an agent does: when it started stays the same as long as it runs.
  const startedAt = new Date().toISOString()

  function switchOn(config: MachineConfig): void {
    const told = JSON.parse(config.metadata.userData) as Told
    const life = new AbortController()
    living.get(config.id)?.abort()
    living.set(config.id, life)
    hanging.delete(config.id)
    if (state.hangs) return void hanging.set(config.id, config)
    if (told.proof !== undefined) return void tryOut(told, life.signal)
    machineOf.set(told.workspace, config.id)
    void live(config.id, told, life.signal)
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

  async function live(id: number, told: Told, signal: AbortSignal) {
    const headers = { authorization: `Bearer ${told.workspaceKey}` }
    let carry: object | null = null
    let authority: { directory: string } | null = null
    void listen(told, headers, signal, (type, data) => {
      if (type === "carry") carry = carryAs(id, data)
      if (type === "report") void say()
      if (type === "sleep") void fallAsleep(id, told, data.id)
      if (type === "settings") {
        authority = data.certificate as typeof authority
        void say()
      }
    })
    const report = () => ({
      ...{ workspace: told.workspace, sessionId: told.workspace, bootId: crypto.randomUUID(), ready: state.ready },
      checks: [{ name: "picture", ok: state.ready, detail: state.ready ? "" : "no picture yet" }],
      ...{ versions: { agent: String(state.agent) }, signals: state.signals() },
      ...{ startedAt, at: new Date().toISOString(), ...(carry ? { carry } : {}), ...certificate() },
      ...{ ...repository(), keepsMemory: state.keepsMemory },
    })
    const certificate = () => {
      const certificate = state.certificate(told.workspace, authority)
      return certificate === null ? {} : { certificate }
    }
    const repository = () => {
      const repository = state.repository(told.workspace)
      return repository === null ? {} : { repository }
    }
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

  /** As the machine's own program does: onto a volume it has, or from it. */
  function carryAs(id: number, data: Record<string, unknown>): object {
    const { direction, volume } = data
    const has = attached.get(id)?.includes(Number(volume))
    const outcome = has ? carrying(String(direction)) : "failed"
    if (outcome === "done" && direction === "out") carried.set(Number(volume), written.get(id) ?? "")
    if (outcome === "done" && direction === "in") written.set(id, carried.get(Number(volume)) ?? "")
    return { ...data, state: outcome, phase: "copy", bytes: 1, log: [`carried ${direction}`] }
  }

  /** Follows what the machine is told, and comes back when the stream breaks. */
  async function listen(
    told: Told,
    headers: HeadersInit,
    signal: AbortSignal,
    obey: (type: string, data: Record<string, unknown>) => void,
  ) {
    while (!signal.aborted) {
      await fetch(`${told.service}/machine/events`, { headers, signal })
        .then(answer => hear(told, answer, obey))
        .catch(() => {})
      await sleep(AGAIN_MS)
    }
  }

  async function hear(
    told: Told,
    answer: Response,
    obey: (type: string, data: Record<string, unknown>) => void,
  ): Promise<void> {
    let rest = ""
    for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      rest += chunk
      const blocks = rest.split("\n\n")
      rest = blocks.pop() ?? ""
      for (const block of blocks) {
        const type = /^event: (.*)$/m.exec(block)?.[1]
        const data = /^data: (.*)$/m.exec(block)?.[1]
        if (!type) continue
        const order = { workspace: told.workspace, type, data: data ? JSON.parse(data) : {} }
        received.push(order)
        if (type === "freeze") void reply(told, "frozen", { id: order.data.id, manifest: MANIFEST, frozen: true })
        if (type === "prompt") void reply(told, "prompted", { id: order.data.id, refusal: state.prompt(order.data) })
        if (type === "dev-container") void answerDevContainer(told, order.data)
        obey(type, order.data)
      }
    }
  }

  /** What a machine answers to an order. */
  async function reply({ service, workspaceKey }: Told, path: string, said: object): Promise<void> {
    const headers = { authorization: `Bearer ${workspaceKey}`, "content-type": "application/json" }
    await fetch(`${service}/machine/${path}`, { method: "POST", headers, body: JSON.stringify(said) }).catch(() => {})
  }

  /** Goes off, as a machine does whose memory is kept; or says that it is on. */
  async function fallAsleep(machine: number, told: Told, id: unknown): Promise<void> {
    if (!state.fallsAsleep) return reply(told, "awake", { id })
    await inner.powerOff(machine)
    switchOff(machine)
    stopped(machine)
  }

  async function answerDevContainer(told: Told, data: Record<string, unknown>): Promise<void> {
    const refusal = state.devContainer(data)
    if (refusal !== undefined) await reply(told, "dev-container", { id: data.id, refusal })
  }

  const switchOff = (id: number) => {
    living.get(id)?.abort()
    living.delete(id)
  }
  const machines: Machines = {
    ...inner,
    onStopped: listener => {
      stopped = listener
    },
    async createDisk(id, image, bytes, options) {
      woken.set(id, options?.wakes === true)
      await inner.createDisk(id, image, bytes)
      written.set(id, imaged.get(image) ?? "")
    },
    async createImage(id, image, options) {
      if (options?.withMemory) remembered.add(image)
      imaged.set(image, written.get(id) ?? "")
      return inner.createImage(id, image)
    },
    async dropMemory(image) {
      remembered.delete(image)
    },
    async removeImage(image) {
      remembered.delete(image)
      await inner.removeImage(image)
    },
    async update(config) {
      attached.set(config.id, config.volumes?.map(volume => volume.id) ?? [])
      await inner.update(config)
    },
    async start(config) {
      await inner.start(config)
      attached.set(config.id, config.volumes?.map(volume => volume.id) ?? [])
      switchOn(config)
    },
    async reset(id) {
      await inner.reset(id)
      const config = hanging.get(id)
      if (config === undefined) return
      resets++
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
      written.delete(id)
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
    /** Writes something on the disk of a workspace's machine, and reads what is there. */
    write: (workspace: string, text: string) => written.set(machineOf.get(workspace) ?? 0, text),
    read: (workspace: string) => written.get(machineOf.get(workspace) ?? 0) ?? null,
    /** How machines bring what is the user's onto a volume, or from it. */
    setCarrying: (ends: (direction: string) => "done" | "failed") => {
      carrying = ends
    },
    /** What machines report of their use; asked anew for each report. */
    setSignals: (signals: () => object) => {
      state.signals = signals
    },
    /** What a machine reports of its certificate, by the authority it was told to ask; null: nothing. */
    setCertificate: (certificate: typeof state.certificate) => {
      state.certificate = certificate
    },
    /** What a machine reports of its repository; null: nothing. */
    setRepository: (repository: typeof state.repository) => {
      state.repository = repository
    },
    /** What a machine answers to a prompt: why it could not be given, or null. */
    setPrompt: (prompt: typeof state.prompt) => {
      state.prompt = prompt
    },
    /** The same to the wish for a dev container; undefined: it stays silent. */
    setDevContainer: (devContainer: typeof state.devContainer) => {
      state.devContainer = devContainer
    },
    /** While true, machines report nothing. */
    setSilent: (silent: boolean) => {
      state.silent = silent
    },
    /** While true, machines that are switched on or reset come to nothing: they are on, and that is all. */
    setHanging: (hangs: boolean) => {
      state.hangs = hangs
    },
    /** How many hang, and how often one of them was reset. */
    hanging: () => ({ now: hanging.size, resets }),
    /** What machines report that try a backup out; null: nothing, for now. */
    setProof: (proof: () => object | null) => {
      state.proof = proof
    },
    /** Whether machines say that their memory can be kept, and what they do when they are to fall asleep. */
    setMemory: (keepsMemory: boolean, fallsAsleep = true) => Object.assign(state, { keepsMemory, fallsAsleep }),
    /** Images that hold a memory, and whether a workspace's machine was to go on from its image's. */
    remembered,
    wokeFromMemory: (workspace: string) => woken.get(machineOf.get(workspace) ?? 0) ?? false,
    /** Version of the agent; from 2 on it holds still for a backup. */
    setAgent: (agent: number) => {
      state.agent = agent
    },
    close: () => {
      for (const id of [...living.keys()]) switchOff(id)
    },
  }
}
