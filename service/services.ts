import type { Redis } from "ioredis"
import type { Logger } from "pino"
import { type CloudConfig, openMachines } from "../infra/cloud-config.ts"
import { createEnginePool, type EnginePool } from "../infra/engine-pool.ts"
import type { Machines } from "../infra/machines/contract.ts"
import { createEndings, type Endings } from "./accounts/endings.ts"
import { type ApiTokens, createApiTokens } from "./api-tokens/api-tokens.ts"
import { type Backups, createBackups } from "./backups/backups.ts"
import { createRounds } from "./backups/rounds.ts"
import { type Chores, startChores } from "./chores.ts"
import { type Config, isLoopback } from "./config.ts"
import { createIdleness, type Idleness } from "./idleness/idleness.ts"
import { startWatch, type Watch } from "./idleness/watch.ts"
import { createKeys, type Keys } from "./keys.ts"
import { createLogins, type Logins } from "./logins/logins.ts"
import { createMachineChannel, type MachineChannel } from "./machines/channel.ts"
import { createProofs, type Proofs } from "./machines/proof-store.ts"
import { createMachineReports, type MachineReports } from "./machines/reports.ts"
import { createDeliveries, type Deliveries } from "./notifications/deliveries.ts"
import { createMailer, type Mailer } from "./notifications/mail.ts"
import { createNotify, type Notify } from "./notifications/outbox.ts"
import { createPreferences, type PreferenceStore } from "./notifications/preferences.ts"
import { createEstimates, type Estimates } from "./operations/estimates.ts"
import { createOperationEvents, type OperationEvents } from "./operations/events.ts"
import {
  createOperationQueue,
  type OperationQueue,
  type OperationWorker,
  startOperationWorker,
} from "./operations/queue.ts"
import { connectRedis } from "./redis/connect.ts"
import { queueConnection } from "./redis/queue-connection.ts"
import { createSubscriber } from "./redis/subscriber.ts"
import { createRollOuts, type RollOuts } from "./roll-outs/roll-outs.ts"
import { createSecrets, type Secrets } from "./secrets/secrets.ts"
import { sweep } from "./sweeps/sweep.ts"
import { type Budgets, createBudgets } from "./usage/budgets.ts"
import { openLedger } from "./usage/ledger.ts"
import { createUsageReport, type UsageReport } from "./usage/usage-report.ts"
import { createUsers, type Users } from "./users/users.ts"
import { createVncTokens, type VncTokens } from "./vnc-tokens/vnc-tokens.ts"
import { createWeather, type Weather } from "./weather/weather.ts"
import { createImages, type Images } from "./workspaces/images.ts"
import { createSizeCatalog, type SizeCatalog } from "./workspaces/sizes.ts"
import { createWorkspaceStore, type WorkspaceStore } from "./workspaces/store.ts"
import { createWorkspaces, type Workspaces } from "./workspaces/workspaces.ts"

/** Everything a request or an operation may need, made once per process. */
export interface Services {
  config: Config
  log: Logger
  now: () => number
  keys: Keys
  redis: Redis
  users: Users
  endings: Endings
  logins: Logins
  apiTokens: ApiTokens
  secrets: Secrets
  store: WorkspaceStore
  workspaces: Workspaces
  sizes: SizeCatalog
  images: Images
  backups: Backups
  machines: Machines
  queue: OperationQueue
  events: OperationEvents
  estimates: Estimates
  tokens: VncTokens
  channel: MachineChannel
  reports: MachineReports
  proofs: Proofs
  idleness: Idleness
  usage: UsageReport
  budgets: Budgets
  rollOuts: RollOuts
  weather: Weather
  notify: Notify
  preferences: PreferenceStore
  deliveries: Deliveries
  /** Null where no mail server is set. */
  mailer: Mailer | null
  pool: EnginePool
  /** Looks after all backups once; see `createRounds`. */
  lookAfterBackups(signal: AbortSignal): Promise<void>
  /** Begins what the worker role does beside operations. */
  startChores(): Chores
  startWorker(): OperationWorker
  /** Judges the use of all workspaces from now on. */
  startWatch(): Watch
  /** Gives back what was opened; the worker is the caller's to close first. */
  close(): Promise<void>
}

/**
 * Connects to Redis and puts the parts together.
 * @throws when Redis cannot be reached
 */
export async function openServices(
  config: Config,
  {
    cloud,
    compileCache,
    log,
    now = Date.now,
    ...given
  }: {
    cloud: CloudConfig
    compileCache?: string
    log: Logger
    now?: () => number
    /** Others than those that the settings say, for tests. */
    machines?: Machines
    pool?: EnginePool
  },
): Promise<Services> {
  const connections = [0, 1].map(() => connectRedis(config.redisUrl, log))
  const [redis, listening] = connections as [Redis, Redis]
  const queueing = [0, 1].map(() => queueConnection(config.redisUrl))
  const [adding, working] = queueing as [Redis, Redis]
  await Promise.all(connections.map(connection => connection.connect()))

  const keys = createKeys(config.secret)
  const subscriber = createSubscriber(listening)
  const weather = createWeather(redis, log, now)
  const machines = given.machines ?? openMachines(cloud, weather.hear)
  const store = createWorkspaceStore(redis)
  const secrets = createSecrets(redis, keys)
  const estimates = createEstimates(redis)
  const events = createOperationEvents(redis, subscriber)
  const channel = createMachineChannel(redis, subscriber)
  const reports = createMachineReports(redis, config.idle.silentMs)
  const tokens = createVncTokens(redis, config.login.idleMs, now)
  const sizes = createSizeCatalog(machines, config.regions, now)
  const images = createImages(config, machines, now)
  const backups = createBackups(machines, redis)
  const proofs = createProofs(redis)
  const queue = createOperationQueue(redis, adding, log)
  const pool =
    given.pool ??
    createEnginePool({
      ...{ size: config.engineChildren, silenceMs: config.engineSilenceMs },
      ...(compileCache ? { compileCache } : {}),
    })
  const ledger = openLedger(config.usageDirectory, log)
  const usage = createUsageReport(redis, ledger, now)
  const budgets = createBudgets(redis, usage, config.budget ? { amount: config.budget, action: "stop" } : null, now)
  const notify = createNotify(redis, now)
  const preferences = createPreferences(redis, keys)
  const deliveries = createDeliveries(redis, now)
  const mailer = config.smtp && createMailer(config.smtp, config.url)
  const [endings, logins, apiTokens] = [createEndings(redis), createLogins(redis, config.login), createApiTokens(redis)]
  const parts = {
    config,
    keys,
    store,
    queue,
    events,
    estimates,
    secrets,
    sizes,
    images,
    backups,
    machines,
    budgets,
    now,
  }
  const means = {
    ...{ config, keys, cloud, pool, machines, channel, reports, tokens, secrets, now },
    ...{ backups, proofs, notify },
  }
  const workspaces = createWorkspaces(parts)
  const rollOuts = createRollOuts({ redis, store, images, workspaces, log, now })
  const rounds = { config, redis, machines, store, workspaces, backups, ledger, notify, log, now }
  const lookAfterBackups = createRounds(rounds)
  const idleness = createIdleness({ redis, channel, workspaces, settings: config.idle, now, log })
  return {
    ...parts,
    ...{ log, redis, tokens, channel, reports, proofs, pool },
    ...{ users: createUsers(redis, config.signUpCap), endings, logins, apiTokens },
    ...{ workspaces, rollOuts, weather, idleness, usage, notify, preferences, deliveries, mailer },
    lookAfterBackups,
    startChores: () =>
      startChores(
        {
          ...{ redis, ledger, sizes, store, workspaces, budgets, rollOuts, notify, preferences, deliveries, mailer },
          ...{ lookAfterBackups, weather, log, now },
          sweep: signal =>
            sweep(
              {
                ...{ redis, store, machines, backups, sizes, images, ledger, pool, cloud, log, now },
                machineUrl: config.machineUrl,
              },
              signal,
            ),
          ...{ endings, logins, apiTokens, tokens, channel, machines, config },
        },
        {
          onlyPublic: !isLoopback(config.url),
        },
      ),
    startWatch: () => startWatch({ redis, store, idleness, log }, config.idle.checkMs),
    startWorker: () =>
      startOperationWorker(
        { redis, store, events, estimates, means, log },
        queue,
        working,
        config.operationsPerProvider,
      ),
    async close() {
      await pool.close()
      await queue.close()
      mailer?.close()
      await weather.close()
      for (const connection of [...connections, ...queueing]) connection.disconnect()
    },
  }
}
