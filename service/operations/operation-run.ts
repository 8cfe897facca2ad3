import type { Logger } from "pino"
import type { CloudConfig } from "../../infra/cloud-config.ts"
import type { EnginePool } from "../../infra/engine-pool.ts"
import { InfraError } from "../../infra/errors.ts"
import type { Machines } from "../../infra/machines/contract.ts"
import type { Backups } from "../backups/backups.ts"
import type { Config } from "../config.ts"
import type { AgentConversations } from "../conversations/conversations.ts"
import type { Looks } from "../drift/looks.ts"
import { ServiceError } from "../errors.ts"
import type { HomeBackups } from "../home-backups/home-backups.ts"
import type { Keys } from "../keys.ts"
import type { MachineChannel } from "../machines/channel.ts"
import type { Proofs } from "../machines/proof-store.ts"
import type { MachineReports } from "../machines/reports.ts"
import type { Notify } from "../notifications/outbox.ts"
import type { Destination, Projects } from "../projects/projects.ts"
import type { Secrets } from "../secrets/secrets.ts"
import type { Recorder } from "../traces/recorder.ts"
import type { VncTokens } from "../vnc-tokens/vnc-tokens.ts"
import type { Weathers } from "../weather/weathers.ts"
import type { State } from "../workspaces/transitions.ts"
import type { Workspace } from "../workspaces/workspace.ts"
import type { Operation, StepName } from "./operation.ts"

/** What operations work with. */
export interface Means {
  config: Config
  keys: Keys
  cloud: CloudConfig
  pool: EnginePool
  /** Of the project that the operation's workspace is in. */
  machines: Machines
  /** Of another one. @throws InfraError `unknown-project` */
  machinesIn(project: string): Machines
  projects: Pick<Projects, "at" | "place" | "limitMet" | "roomMade">
  weathers: Pick<Weathers, "mayTry">
  channel: MachineChannel
  reports: MachineReports
  tokens: VncTokens
  secrets: Secrets
  backups: Backups
  homeBackups: HomeBackups
  looks: Looks
  conversations: Pick<AgentConversations, "forget">
  proofs: Proofs
  notify: Notify
  now: () => number
}

/** One run of an operation by one worker. */
export interface OperationRun {
  means: Means
  workspace: Workspace
  operation: Operation
  /** The epoch of this run: goes into what is made at the provider. */
  epoch: number
  /** Aborts when the operation is cancelled, the lease is lost or the process stops. */
  signal: AbortSignal
  log: Logger
  /** Tells watchers that a step has begun; the one before has ended. */
  step(name: StepName): void
  /** A line for whoever opens the log. */
  say(text: string): void
  /** Takes down what time is spent on within the step that goes on. */
  times: Pick<Recorder, "begin">
  /**
   * Notes how far it has come; a run that takes it up again finds the note in `operation.marks`.
   * @throws RunEnded when another worker has the operation by now
   */
  mark(name: string, value?: string): Promise<void>
  /**
   * Puts a workspace that is being created into another project of the provider, unless that one is full by now: this run
   * is one there from then on. What it had where it was begun must be gone.
   * @throws RunEnded when another worker has the operation by now
   */
  settle(place: Destination): Promise<"settled" | "full">
  /** Is this a fault of the provider after which all of it is tried again? Then nothing is to be taken back. */
  bears(error: unknown): boolean
}

/**
 * Throws what is no failure of what was tried: an end of this run, a fault of the provider that is borne, a fault of ours.
 * @returns the failure, otherwise
 */
export function failureIn({ signal, bears }: OperationRun, error: unknown): InfraError | ServiceError {
  signal.throwIfAborted()
  if (bears(error) || !(error instanceof InfraError || error instanceof ServiceError)) throw error
  return error
}

/** What an operation changes in the record of its workspace when it succeeds. */
export type Outcome = Partial<
  Record<"machineId" | "ipv4" | "snapshot" | "stopMode" | "place" | "image" | "memory", string>
> & {
  /** The state it has now, where that is not the one its kind usually ends in. */
  state?: State
}

/**
 * What was asked for did not succeed, and its workspace is in a state of rest all the same, as it was before or nearly.
 * What remains is said by the error it carries.
 */
export class Returned extends Error {
  readonly state: State
  readonly outcome: Outcome
  constructor(cause: unknown, state: State, outcome: Outcome = {}) {
    super("It returned to rest", { cause })
    this.state = state
    this.outcome = outcome
  }
}
