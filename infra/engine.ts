/**
 * The only importer of Pulumi's Automation API. It keeps the API's own code paths (inline programs, events,
 * checkpoints) and takes out the processes that tell nothing new: each start of the CLI costs 0.13 s of CPU, and the
 * API starts five for one `up`. What each step saves is in bench/RESULTS.md.
 */
import { mkdir, readFile, rename, statfs, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as pulumi from "@pulumi/pulumi"
import type { EngineEvent as PulumiEvent } from "@pulumi/pulumi/automation/events.js"
import { type Deployment, LocalWorkspace, type PulumiCommand, Stack } from "@pulumi/pulumi/automation/index.js"
import { apiCommand } from "./engine-api-command.ts"
import { type EngineConfig, engineEnvironment, PROJECT } from "./engine-config.ts"
import { engineError } from "./engine-errors.ts"
import { type EngineEvent, toEngineEvent, toStatusLine } from "./engine-events.ts"
import { InfraError } from "./errors.ts"
import { fileBackend } from "./file-backend.ts"
import type { PendingOperation } from "./recover.ts"
import { parseDeployment, recordOf, type StackRecord, type StackState } from "./stack-state.ts"

/** Below this much free space no run begins. A stack's state and its backups take less than 1 MB a run. */
const MIN_FREE_BYTES = 32 * 1024 ** 2

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
  /** Reads the real resources into the state. */
  refresh(stack: string, options?: RunOptions): Promise<RunResult>
  /** Destroys the stack's resources, then the stack. Succeeds when there is no such stack. */
  destroy(stack: string, options?: RunOptions): Promise<RunResult>
  /** Does somebody hold the stack who is not proven dead? Of a backend that is no folder the engine itself finds out. */
  isHeld(stack: string): Promise<boolean>
  /**
   * Removes the stack's lock when its holder is proven dead.
   * @param force removes it whoever holds it: somebody is sure who knows more than this machine
   * @throws InfraError `stack-locked` when the holder lives, or nobody can tell from here
   */
  unlock(stack: string, force: boolean): Promise<void>
  /** What the stack's state says; null when there is no such stack. @throws InfraError `state-unreadable` */
  stateOf(stack: string): Promise<StackState | null>
  /** Names of all stacks. */
  names(): Promise<string[]>
  /** What all stacks tell of their workspaces: enough to make a record of each again. */
  records(): Promise<StackRecord[]>
  /** As FileBackend's; a backend that is no folder keeps its own versions, and nothing is done. */
  putBackState(stack: string): Promise<"nothing" | "put-back" | "lost">
  /** Takes pending operations out of the state. The caller knows what has become of them. */
  forget(stack: string, pending: PendingOperation[]): Promise<void>
  /** The stack's state, secrets encrypted. */
  exportState(stack: string): Promise<Deployment>
  listStacks(): Promise<StackSummary[]>
  exists(stack: string): Promise<boolean>
}

/** An engine for one backend. Makes nothing on disk until it is used. */
export function createEngine(config: EngineConfig): Engine {
  const env = engineEnvironment(config)
  const files = fileBackend(config.backendUrl, config.pulumiVersion)

  async function prepareDirectories(): Promise<void> {
    await mkdir(config.workDirectory, { recursive: true, mode: 0o700 })
    if (files) await mkdir(new URL(config.backendUrl), { recursive: true, mode: 0o700 })
    await keepFile(join(config.workDirectory, "Pulumi.yaml"), `name: ${PROJECT}\nruntime: nodejs\n`)
  }

  /** Refuses to begin where the state could not be written to its end: the engine leaves a truncated file there. */
  async function requireRoom(): Promise<void> {
    if (!files) return
    const { bavail, bsize } = await statfs(new URL(config.backendUrl))
    if (bavail * bsize >= MIN_FREE_BYTES) return
    const free = Math.floor((bavail * bsize) / 1024 ** 2)
    throw new InfraError(
      "disk-full",
      "investigate",
      `Only ${free} MB are free where the engine keeps its state; nothing was begun. Free at least ${MIN_FREE_BYTES / 1024 ** 2} MB, then try again.`,
    )
  }

  async function workspace(options: RunOptions, program?: Program, extraArgs?: string[]): Promise<LocalWorkspace> {
    await prepareDirectories()
    const pulumiCommand = apiCommand(config, env, files, options, extraArgs) as unknown as PulumiCommand
    return LocalWorkspace.create({
      workDir: config.workDirectory,
      pulumiCommand,
      secretsProvider: "passphrase",
      ...(program ? { program } : {}),
    })
  }

  async function makeStack(name: string, options: RunOptions): Promise<void> {
    await prepareDirectories()
    await requireRoom()
    if (await files?.exists(name)) return
    if (await files?.createFromTemplate(name)) return
    try {
      await (await workspace(options, undefined, ["--no-select"])).createStack(name)
    } catch (error) {
      if (!(error instanceof InfraError && /already exists/.test(error.detail ?? ""))) throw error
    }
    await files?.keepAsTemplate(name)
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
    const local = await workspace(options, program && capture(program, result.outputs), extraArgs)
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

  return {
    async up(name, program, options = {}) {
      await makeStack(name, options)
      return operate(name, options, program, [], (stack, onEvent) => stack.up({ onEvent }))
    },
    async preview(name, program, options = {}) {
      return operate(name, options, program, [], (stack, onEvent) => stack.preview({ onEvent }))
    },
    async refresh(name, options = {}) {
      return operate(name, options, undefined, ["--skip-preview"], (stack, onEvent) => stack.refresh({ onEvent }))
    },
    async destroy(name, options = {}) {
      if (files && !(await files.exists(name))) return { changes: {}, outputs: {} }
      // `--remove` ends the stack in the same process.
      return operate(name, options, undefined, ["--remove"], (stack, onEvent) => stack.destroy({ onEvent }))
    },
    async isHeld(name) {
      await files?.removeDeadLocks(name)
      return ((await files?.locks(name)) ?? []).length > 0
    },
    async unlock(name, force) {
      await files?.removeDeadLocks(name)
      const held = files ? await files.locks(name) : null
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
      if (files) return files.read(name)
      if (!(await this.exists(name))) return null
      return parseDeployment((await this.exportState(name)).deployment)
    },
    async names() {
      return files ? files.names() : (await this.listStacks()).map(({ name }) => name)
    },
    async records() {
      if (files) return files.records()
      const found: StackRecord[] = []
      for (const name of await this.names()) {
        // One that ends this moment, or cannot be read, keeps none of the others back.
        const state = await this.exportState(name).catch(() => null)
        const record = state && recordOf(state.deployment)
        if (record) found.push(record)
      }
      return found
    },
    putBackState: async name => files?.putBack(name) ?? "nothing",
    async forget(name, pending) {
      const state = await this.exportState(name)
      const { pending: known } = parseDeployment(state.deployment)
      const isForgotten = (at: number) =>
        pending.some(
          one => one.name === known[at]?.name && one.type === known[at].type && one.operation === known[at].operation,
        )
      const rest = (state.deployment.pending_operations as unknown[]).filter((_, at) => !isForgotten(at))
      const deployment = { ...state.deployment, pending_operations: rest }
      await (await Stack.select(name, await workspace({}))).importStack({ ...state, deployment })
    },
    async exportState(name) {
      const local = await workspace({})
      return (await Stack.select(name, local)).exportStack()
    },
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
      if (files) return files.exists(name)
      return (await this.listStacks()).some(stack => stack.name === name)
    },
  }
}

/** Gives a file its text. Other runs read it meanwhile: it is not touched where it is right, and never half written. */
async function keepFile(path: string, text: string): Promise<void> {
  if ((await readFile(path, "utf8").catch(() => null)) === text) return
  const half = `${path}.${process.pid}`
  await writeFile(half, text)
  await rename(half, path)
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
