/**
 * The only importer of Pulumi's Automation API. It keeps the API's own code paths (inline programs, events,
 * checkpoints) and takes out the processes that tell nothing new: each start of the CLI costs 0.13 s of CPU, and the
 * API starts five for one `up`. What each step saves is in bench/RESULTS.md.
 */
import * as pulumi from "@pulumi/pulumi"
import type { EngineEvent as PulumiEvent } from "@pulumi/pulumi/automation/events.js"
import { type Deployment, LocalWorkspace, type PulumiCommand, Stack } from "@pulumi/pulumi/automation/index.js"
import type { Accepted } from "./accepted.ts"
import { apiCommand } from "./engine-api-command.ts"
import { type EngineConfig, engineEnvironment, revealed } from "./engine-config.ts"
import { engineError } from "./engine-errors.ts"
import { type EngineEvent, type SeenResource, toEngineEvent, toSeenResource, toStatusLine } from "./engine-events.ts"
import { engineFolders } from "./engine-folders.ts"
import { InfraError } from "./errors.ts"
import { projectOfVariable, unknownProject } from "./projects.ts"
import type { PendingOperation } from "./recover.ts"
import { type Holder, judgeLocks } from "./stack-locks.ts"
import {
  parseDeployment,
  recordOf,
  type StackRecord,
  type StackState,
  withAccepted,
  workspaceKeyIn,
} from "./stack-state.ts"
import { stateBackend } from "./state-backend.ts"
import { openStateFiles } from "./state-files/open.ts"
import type { WorkspaceSpec } from "./workspace-spec.ts"

export interface RunOptions {
  signal?: AbortSignal
  onEvent?: (event: EngineEvent) => void
  /** Hears each line of what a resource does, as it does it: the output of a command on a builder, for instance. */
  onLine?: (resource: string, line: string) => void
}

/** What a run changed: how many resources by kind of change (`create`, `update`, `same`, …). */
export interface RunResult {
  changes: Record<string, number>
  /** Outputs of the program, secrets included; empty where no program ran. */
  outputs: Record<string, unknown>
}

/** A stack as the backend lists it. */
export interface StackSummary {
  name: string
  resourceCount: number | null
  updatedAt: string | null
  updateInProgress: boolean
}

/** A Pulumi inline program. */
export type Program = () => Promise<Record<string, unknown>>

export interface Engine {
  /** Makes the stack if needed and brings its resources to what the program says. */
  up(stack: string, program: Program, options?: RunOptions): Promise<RunResult>
  /** What `up` would change, without changing it. Makes no stack. */
  preview(stack: string, program: Program, options?: RunOptions): Promise<RunResult>
  /** What the provider has of the stack's resources, as its plugin reads them. Takes no lock and changes nothing. */
  look(stack: string, options?: RunOptions): Promise<SeenResource[]>
  /** Reads the real resources into the state. */
  refresh(stack: string, options?: RunOptions): Promise<RunResult>
  /** Destroys the stack's resources, then the stack. Succeeds when there is no such stack. */
  destroy(stack: string, options?: RunOptions): Promise<RunResult>
  /** Does somebody hold the stack who is not proven dead? Of a backend that only the engine can read the engine finds out. */
  isHeld(stack: string): Promise<boolean>
  /** Who holds the stack, dead or alive; null of a backend that only the engine can read. Changes nothing. */
  holders(stack: string): Promise<Holder[] | null>
  /**
   * Removes the stack's lock when its holder is proven dead.
   * @param force removes it whoever holds it: somebody is sure who knows more than this machine
   * @throws InfraError `stack-locked` when the holder lives, or nobody can tell from here
   */
  unlock(stack: string, force: boolean): Promise<void>
  /** As StateBackend's; a backend that only the engine can read keeps no such note. */
  noteSpec(spec: WorkspaceSpec): Promise<void>
  /** What the stack's state says; null when there is no such stack. @throws InfraError `state-unreadable` */
  stateOf(stack: string): Promise<StackState | null>
  /** Names of all stacks. */
  names(): Promise<string[]>
  /** What a stack tells of its workspace; null where no run of it has ever come to its end. */
  record(stack: string): Promise<StackRecord | null>
  /** What all stacks tell of their workspaces: enough to make a record of each again. */
  records(): Promise<StackRecord[]>
  /** As StateBackend's; a backend that only the engine can read keeps its own versions, and nothing is done. */
  putBackState(stack: string): Promise<"nothing" | "put-back" | "lost">
  /** What `putBackState` would do now; changes nothing. */
  stateTrouble(stack: string): Promise<"nothing" | "put-back" | "lost">
  /** Takes pending operations out of the state. The caller knows what has become of them. */
  forget(stack: string, pending: PendingOperation[]): Promise<void>
  /** Notes in the stack's own spec what has been accepted. Nobody else may be at work on the stack. */
  accept(stack: string, accepted: Accepted[]): Promise<void>
  /** The machine's key, as a run that came to its end has left it in the stack; null where none did. */
  workspaceKey(stack: string): Promise<string | null>
  /** The stack's state, secrets encrypted. */
  exportState(stack: string): Promise<Deployment>
  listStacks(): Promise<StackSummary[]>
  exists(stack: string): Promise<boolean>
}

/** An engine for one backend. Makes nothing on disk until it is used. */
export function createEngine(config: EngineConfig): Engine {
  const env = engineEnvironment(config)
  const files = openStateFiles(config.backendUrl, revealed(config.backendEnv))
  const backend = files && stateBackend(files, config.pulumiVersion)
  const folders = engineFolders(config)

  /**
   * Refuses a run on resources of a project whose token is not there: their plugin would be given the main project's, find
   * none of them, and they would be forgotten.
   */
  function requireTokens(state: StackState | null): void {
    const missing = state?.tokens.find(name => !(name in config.providerEnv))
    if (missing !== undefined) throw unknownProject(projectOfVariable(missing))
  }

  async function workspace(
    options: RunOptions,
    { program, ...call }: { program?: Program | undefined; extraArgs?: string[]; showsSecrets?: boolean } = {},
  ): Promise<LocalWorkspace> {
    await folders.prepare()
    const pulumiCommand = apiCommand(config, env, backend, options, call) as unknown as PulumiCommand
    return LocalWorkspace.create({
      workDir: config.workDirectory,
      pulumiCommand,
      secretsProvider: "passphrase",
      ...(program ? { program } : {}),
    })
  }

  async function makeStack(name: string, options: RunOptions): Promise<void> {
    await folders.requireRoom()
    if (await backend?.exists(name)) return
    if (await backend?.createFromTemplate(name)) return
    try {
      await (await workspace(options, { extraArgs: ["--no-select"] })).createStack(name)
    } catch (error) {
      if (!(error instanceof InfraError && /already exists/.test(error.detail ?? ""))) throw error
    }
    await backend?.keepAsTemplate(name)
  }

  /** Runs one operation of a stack and gathers what its events say. */
  async function operate(
    name: string,
    options: RunOptions,
    program: Program | undefined,
    extraArgs: string[],
    work: (stack: Stack, onEvent: (event: PulumiEvent) => void) => Promise<unknown>,
  ): Promise<RunResult> {
    const result: RunResult = { changes: {}, outputs: {} }
    const errors: string[] = []
    const local = await workspace(options, { program: program && capture(program, result.outputs), extraArgs })
    const stack = await Stack.select(name, local)
    try {
      await work(stack, raw => {
        const line = options.onLine && toStatusLine(raw)
        if (line) options.onLine?.(line.resource, line.text)
        const event = toEngineEvent(raw)
        if (event?.type === "summary") result.changes = event.changes
        if (event?.type === "diagnostic" && event.severity === "error") errors.push(event.message)
        if (event) options.onEvent?.(event)
      })
    } catch (error) {
      // Diagnostics say what went wrong at the provider; what the CLI prints repeats them, cut and coloured.
      if (
        error instanceof InfraError &&
        error.id !== "cancelled" &&
        error.id !== "engine-missing" &&
        errors.length > 0
      ) {
        throw engineError(errors.join("\n"))
      }
      throw error
    }
    return result
  }

  const exportState = async (name: string) => (await Stack.select(name, await workspace({}))).exportStack()

  async function changeState(name: string, change: (deployment: Record<string, unknown>) => object): Promise<void> {
    const state = await exportState(name)
    const deployment = change(state.deployment as Record<string, unknown>)
    await (await Stack.select(name, await workspace({}))).importStack({ ...state, deployment })
  }

  return {
    async up(name, program, options = {}) {
      await makeStack(name, options)
      return operate(name, options, program, [], (stack, onEvent) => stack.up({ onEvent }))
    },
    async preview(name, program, options = {}) {
      return operate(name, options, program, [], (stack, onEvent) => stack.preview({ onEvent }))
    },
    async look(name, options = {}) {
      requireTokens(await this.stateOf(name))
      const seen: SeenResource[] = []
      await operate(name, options, undefined, [], (stack, onEvent) =>
        stack.previewRefresh({
          onEvent: event => {
            const one = toSeenResource(event)
            if (one) seen.push(one)
            onEvent(event)
          },
        }),
      )
      return seen
    },
    async refresh(name, options = {}) {
      requireTokens(await this.stateOf(name))
      return operate(name, options, undefined, ["--skip-preview"], (stack, onEvent) => stack.refresh({ onEvent }))
    },
    async destroy(name, options = {}) {
      // Before the note of its spec goes: refused, it is as it was.
      const isThere = !backend || (await backend.exists(name))
      if (isThere) requireTokens(await this.stateOf(name))
      // Before the state goes: a note without a state is a state that was lost.
      await backend?.forgetSpec(name)
      // `--remove` ends the stack in the same process.
      if (!isThere) return { changes: {}, outputs: {} }
      return operate(name, options, undefined, ["--remove"], (stack, onEvent) => stack.destroy({ onEvent }))
    },
    async noteSpec(spec) {
      if (!backend) return
      await folders.requireRoom()
      await backend.noteSpec(spec)
    },
    async isHeld(name) {
      await backend?.removeDeadLocks(name)
      return ((await backend?.locks(name)) ?? []).length > 0
    },
    async holders(name) {
      return backend ? judgeLocks(await backend.locks(name)) : null
    },
    async unlock(name, force) {
      await backend?.removeDeadLocks(name)
      const held = backend ? await backend.locks(name) : null
      if (held?.length === 0) return
      if (force) return (await Stack.select(name, await workspace({}))).cancel()
      const holders = held?.map(
        ({ pid, hostname, takenAt }) => `process ${pid} on ${hostname} since ${new Date(takenAt).toISOString()}`,
      )
      throw new InfraError(
        "stack-locked",
        "investigate",
        `${holders ? `The stack is held by ${holders.join(", ")}, which is not proven dead` : "Whether somebody holds the stack cannot be told from here"}: nothing was changed. \`--force\` breaks the lock when you are sure that no engine run is working on it.`,
      )
    },
    async stateOf(name) {
      if (backend) return backend.read(name)
      if (!(await this.exists(name))) return null
      return parseDeployment((await this.exportState(name)).deployment)
    },
    async names() {
      return backend ? backend.names() : (await this.listStacks()).map(({ name }) => name)
    },
    async record(name) {
      return backend ? backend.record(name) : recordOf((await exportState(name)).deployment)
    },
    async records() {
      if (backend) return backend.records()
      const found: StackRecord[] = []
      for (const name of await this.names()) {
        // One that ends this moment, or cannot be read, keeps none of the others back.
        const state = await this.exportState(name).catch(() => null)
        const record = state && recordOf(state.deployment)
        if (record) found.push(record)
      }
      return found
    },
    putBackState: async name => backend?.putBack(name) ?? "nothing",
    stateTrouble: async name => (await backend?.trouble(name))?.is ?? "nothing",
    forget: (name, pending) =>
      changeState(name, deployment => {
        const { pending: known } = parseDeployment(deployment)
        const isForgotten = (at: number) =>
          pending.some(
            one => one.name === known[at]?.name && one.type === known[at].type && one.operation === known[at].operation,
          )
        const rest = (deployment.pending_operations as unknown[]).filter((_, at) => !isForgotten(at))
        return { ...deployment, pending_operations: rest }
      }),
    accept: (name, accepted) => changeState(name, deployment => withAccepted(deployment, accepted)),
    async workspaceKey(name) {
      const local = await workspace({}, { showsSecrets: true })
      return workspaceKeyIn((await (await Stack.select(name, local)).exportStack()).deployment)
    },
    exportState,
    async listStacks() {
      const local = await workspace({})
      const stacks = await local.listStacks()
      return stacks.map(({ name, resourceCount, lastUpdate, updateInProgress }) => ({
        name: name.split("/").at(-1) ?? name,
        resourceCount: resourceCount ?? null,
        updatedAt: lastUpdate ?? null,
        updateInProgress: updateInProgress ?? false,
      }))
    },
    async exists(name) {
      if (backend) return backend.exists(name)
      return (await this.listStacks()).some(stack => stack.name === name)
    },
  }
}

/** The program, keeping the values of its outputs as they become known. */
function capture(program: Program, into: Record<string, unknown>): Program {
  return async () => {
    const outputs = await program()
    for (const [name, value] of Object.entries(outputs)) {
      const output: pulumi.Output<unknown> = pulumi.output(value)
      output.apply(known => {
        into[name] = known
      })
    }
    return outputs
  }
}
