import type { Redis } from "ioredis"
import type { Logger } from "pino"
import { type CloudConfig, openProjects, placesOf } from "../infra/cloud-config.ts"
import { createEnginePool, type EnginePool } from "../infra/engine-pool.ts"
import type { Machines } from "../infra/machines/contract.ts"
import { openObjectStorage } from "../infra/object-storage/storage.ts"
import type { StackLock } from "../infra/stack-locks.ts"
import { stateBackend } from "../infra/state-backend.ts"
import { openStateFiles } from "../infra/state-files/open.ts"
import { createEndings, type Endings } from "./accounts/endings.ts"
import { type ApiTokens, createApiTokens } from "./api-tokens/api-tokens.ts"
import { type Audit, createAudit } from "./audit/audit.ts"
import { openAuditFiles } from "./audit/files.ts"
import { type Backups, createBackups } from "./backups/backups.ts"
import { createRounds } from "./backups/rounds.ts"
import { type Certificates, createCertificates } from "./certificates/certificates.ts"
import { type Chores, SWEEP_TURN, startChores, TURN_MS } from "./chores.ts"
import { isLoopback } from "./config/addresses.ts"
import type { Config } from "./config.ts"
import { type AgentConversations, createConversations } from "./conversations/conversations.ts"
import { createDrift, type DriftService } from "./drift/drift.ts"
import { createLooks } from "./drift/looks.ts"
import { lookRound } from "./drift/rounds.ts"
import { ServiceError } from "./errors.ts"
import { dataFolders } from "./folders.ts"
import { createHomeBackups, type HomeBackups } from "./home-backups/home-backups.ts"
import { lookAfterHomes } from "./home-backups/rounds.ts"
import { lookAfterLocks } from "./hosts/hosts.ts"
import { createIdleness, type Idleness } from "./idleness/idleness.ts"
import { startWatch, type Watch } from "./idleness/watch.ts"
import { createKeys, fingerprintOf, type Keys } from "./keys.ts"
import { createLogins, type Logins } from "./logins/logins.ts"
import { createMachineChannel, type MachineChannel } from "./machines/channel.ts"
import type { MachineKeys } from "./machines/machine-keys.ts"
import { createProofs, type Proofs } from "./machines/proof-store.ts"
import { createMachineReports, type MachineReports } from "./machines/reports.ts"
import { createDeliveries, type Deliveries } from "./notifications/deliveries.ts"
import { createMailer, type Mailer } from "./notifications/mail.ts"
import { createNotify, type Notify } from "./notifications/outbox.ts"
import { createPreferences, type PreferenceStore } from "./notifications/preferences.ts"
import { offerOf } from "./offers/rules.ts"
import { createDrains, type Drains, obeyDrains } from "./operations/drain.ts"
import { createEstimates, type Estimates } from "./operations/estimates.ts"
import { createOperationEvents, type OperationEvents } from "./operations/events.ts"
import {
  createOperationQueue,
  type OperationQueue,
  type OperationWorker,
  startOperationWorker,
} from "./operations/queue.ts"
import { createOperators, type Operators } from "./operators/operators.ts"
import { createOverview, type Overview } from "./operators/overview.ts"
import { createPeople, type People } from "./operators/people.ts"
import { createSuspensions, type Suspensions } from "./operators/suspensions.ts"
import { createProjects, mainProject, type Projects } from "./projects/projects.ts"
import { connectRedis } from "./redis/connect.ts"
import { queueConnection } from "./redis/queue-connection.ts"
import { createSubscriber } from "./redis/subscriber.ts"
import { inTurn } from "./redis/turn.ts"
import type { RedisSafety } from "./redis/watch-safety.ts"
import { createRollOuts, type RollOuts } from "./roll-outs/roll-outs.ts"
import { createSecrets, type Secrets } from "./secrets/secrets.ts"
import { createShares, type Shares } from "./shares/shares.ts"
import { createStateBackups, type StateBackups } from "./state-backup/schedule.ts"
import { restoreRecords } from "./sweeps/rebuild.ts"
import { drySweep, type SweepReport, sweep } from "./sweeps/sweep.ts"
import { requireProjects, takeUp } from "./take-up.ts"
import { createExporter } from "./traces/exporter.ts"
import { createTraces, type Traces } from "./traces/traces.ts"
import { type Budgets, createBudgets } from "./usage/budgets.ts"
import { openLedger } from "./usage/ledger.ts"
import { createUsageReport, type UsageReport } from "./usage/usage-report.ts"
import { createUsers, type Users } from "./users/users.ts"
import { createVncTokens, type VncTokens } from "./vnc-tokens/vnc-tokens.ts"
import { createSpares } from "./warm/spares.ts"
import { createWarmPool, type WarmPool } from "./warm/warm.ts"
import type { Weather } from "./weather/weather.ts"
import { createWeathers, type Weathers } from "./weather/weathers.ts"
import { createBeginnings } from "./workspaces/begin.ts"
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
  redisSafety: RedisSafety
  users: Users
  operators: Operators
  audit: Audit
  people: People
  suspensions: Suspensions
  drains: Drains
  overview: () => Promise<Overview>
  /** What nobody has any more at the provider: looked at only, or removed now. @throws ServiceError `sweep-running`, `records-incomplete` */
  sweeps: { dry(): Promise<SweepReport>; now(): Promise<SweepReport> }
  /** What an engine run needs. */
  cloud: CloudConfig
  /** Who holds a stack; null where the backend does not tell. */
  locksOf(workspace: string): Promise<StackLock[] | null>
  endings: Endings
  logins: Logins
  apiTokens: ApiTokens
  secrets: Secrets
  store: WorkspaceStore
  workspaces: Workspaces
  sizes: SizeCatalog
  images: Images
  backups: Backups
  homeBackups: HomeBackups
  /** Of all projects of all providers. */
  machines: Machines
  projects: Projects
  queue: OperationQueue
  events: OperationEvents
  estimates: Estimates
  traces: Traces
  tokens: VncTokens
  shares: Shares
  channel: MachineChannel
  certificates: Certificates
  machineKeys: MachineKeys
  reports: MachineReports
  proofs: Proofs
  idleness: Idleness
  conversations: AgentConversations
  usage: UsageReport
  budgets: Budgets
  rollOuts: RollOuts
  /** Spare machines. */
  warm: WarmPool
  drift: DriftService
  /** Of the first project. */
  weather: Weather
  stateBackups: StateBackups
  weathers: Weathers
  notify: Notify
  preferences: PreferenceStore
  deliveries: Deliveries
  /** Null where no mail server is set. */
  mailer: Mailer | null
  pool: EnginePool
  /** Looks after all backups once; see `createRounds`. */
  lookAfterBackups(signal: AbortSignal, without?: ReadonlySet<string>): Promise<void>
  /** Looks after all home backups once; see `lookAfterHomes`. */
  lookAfterHomeBackups(signal: AbortSignal): Promise<void>
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
  await Promise.all(connections.map(connection => connection.connect()))
  const queueing = [0, 1].map(() => queueConnection(config.redisUrl))
  const [adding, working] = queueing as [Redis, Redis]

  const keys = createKeys(config.secret, config.previousSecrets)
  const disconnect = () => {
    for (const connection of [...connections, ...queueing]) connection.disconnect()
  }
  const { redisSafety, machineKeys, presence } = await takeUp(redis, { config, cloud, keys, log, now }).catch(error => {
    disconnect()
    throw error
  })

  const subscriber = createSubscriber(listening)
  const places = placesOf(cloud)
  const { names } = places
  const weathers = createWeathers(redis, log, places, now)
  const opened = openProjects(cloud, weathers.hear)
  const machinesIn = (project: string) => given.machines ?? opened.in(project)
  const machines = given.machines ?? opened.all
  const store = createWorkspaceStore(redis)
  await requireProjects(store, places.names).catch(async error => {
    await presence.close()
    disconnect()
    throw error
  })
  const secrets = createSecrets(redis, keys)
  const estimates = createEstimates(redis)
  const exporter = config.traces && createExporter(config.traces, log)
  const traces = createTraces({ redis, store, exporter, now })
  const events = createOperationEvents(redis, subscriber)
  const channel = createMachineChannel(redis, subscriber)
  const certificates = createCertificates({
    ...{ redis, store, channel, log, now },
    ...{ authorities: config.certificates, directory: config.usageDirectory },
  })
  const reports = createMachineReports(redis, config.idle.silentMs)
  const tokens = createVncTokens(redis, config.login.idleMs, now)
  const shares = createShares(redis, tokens)
  const users = createUsers(redis, config.signUpCap)
  const sizes = createSizeCatalog(
    one => machinesIn(mainProject(places, one)),
    config,
    now,
    async user => offerOf(config.offers, config.offers && (await users.get(user))),
  )
  const images = createImages(config, machines, redis, now, places)
  const projects = createProjects({ redis, places, most: config.projectWorkspaces, store, images, weathers, log, now })
  const backups = createBackups(machines, redis)
  const proofs = createProofs(redis)
  const queue = createOperationQueue(redis, store, adding, log)
  const pool =
    given.pool ??
    createEnginePool({
      ...{ size: config.engineChildren, silenceMs: config.engineSilenceMs },
      ...(compileCache ? { compileCache } : {}),
    })
  const ledger = openLedger(config.usageDirectory, log)
  const audit = createAudit(redis, openAuditFiles(config.auditDirectory), log)
  const usage = createUsageReport(redis, ledger, now)
  const budgets = createBudgets(redis, usage, config.budget ? { amount: config.budget, action: "stop" } : null, now)
  const notify = createNotify(redis, now)
  const preferences = createPreferences(redis, keys)
  const deliveries = createDeliveries(redis, now)
  const mailer = config.smtp && createMailer(config.smtp, config.url)
  const [endings, logins, apiTokens] = [createEndings(redis), createLogins(redis, config.login), createApiTokens(redis)]
  const spares = createSpares({ redis, settings: config.warm, store, machines, images, now })
  const homeBackups = createHomeBackups({
    ...{ config, redis, keys, channel, notify, log, now },
    storage: config.homeBackups && openObjectStorage(config.homeBackups.bucket),
  })
  const parts = {
    homeBackups,
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
    projects,
    budgets,
    spares,
    now,
  }
  const looks = createLooks({ redis, store, pool, cloud, log, now })
  const noticeMs = config.agentWaitMs
  const conversations = createConversations({ redis, keys, store, channel, notify, noticeMs })
  const lookAfterHomeBackups = (signal: AbortSignal) =>
    lookAfterHomes({ config, homes: homeBackups, store, reports, log, now, silentMs: config.idle.silentMs }, signal)
  const means = {
    ...{ config, keys, cloud, pool, machines, channel, reports, tokens, secrets, now },
    ...{ backups, homeBackups, proofs, notify, looks, projects, conversations, weathers },
    machinesIn,
  }
  const workspaces = createWorkspaces(parts)
  const beginnings = createBeginnings(parts)
  const warm = createWarmPool({
    redis,
    config,
    store,
    machines,
    images,
    sizes,
    projects,
    beginnings,
    certificates,
    log,
    now,
  })
  const drift = createDrift({ redis, store, workspaces, looks, now })
  const rollOuts = createRollOuts({ redis, store, images, workspaces, log, now })
  const people = createPeople(redis)
  const suspensions = createSuspensions({ redis, people, workspaces, logins, apiTokens, tokens, channel, log })
  const drains = createDrains(redis, now)
  const overview = createOverview({ redis, store, queue, weathers, providerOf: places.providerOf, usage, now })
  const sweepMeans = {
    ...{ redis, store, machines, backups, sizes, images, ledger, pool, cloud, log, now },
    machineUrl: config.machineUrl,
  }
  const sweeps = {
    dry: () => drySweep(sweepMeans),
    async now() {
      let report: SweepReport | null = null
      const isOurs = await inTurn(redis, SWEEP_TURN, TURN_MS, async () => {
        report = (await sweep(sweepMeans)).report
      })
      if (report) return report
      const [id, why] = isOurs
        ? ["records-incomplete", "The service has just started, and is still looking for workspaces it may have lost"]
        : ["sweep-running", "A sweep is going on already"]
      throw new ServiceError(id, 409, `${why}: look again in a minute.`, { next: "retry" })
    },
  }
  const rounds = { config, redis, machines, store, workspaces, backups, ledger, notify, log, now }
  const lookAfterBackups = createRounds(rounds)
  const files = openStateFiles(cloud.backendUrl, cloud.backendEnv)
  const idleness = createIdleness({ redis, channel, workspaces, settings: config.idle, now, log })
  const stateBackups = createStateBackups(config.stateBackup, {
    ...{ redis, keys, folders: dataFolders(config, cloud), log, now },
    ...{ secrets: [config.secret, ...config.previousSecrets], passphrase: fingerprintOf(cloud.passphrase) },
  })
  return {
    ...parts,
    stateBackups,
    ...{ log, redis, redisSafety, tokens, shares, channel, certificates, machineKeys, reports, proofs, pool },
    ...{ users, operators: createOperators(config), endings, logins, apiTokens },
    locksOf: async workspace => (files ? stateBackend(files, cloud.pulumiVersion).locks(workspace) : null),
    ...{ cloud, people, suspensions, drains, overview, sweeps },
    ...{
      audit,
      workspaces,
      rollOuts,
      warm,
      drift,
      idleness,
      conversations,
      usage,
      notify,
      preferences,
      deliveries,
      mailer,
    },
    traces,
    ...{ weather: weathers.of(names[0] as string), weathers },
    lookAfterHomeBackups,
    lookAfterBackups,
    startChores: () =>
      startChores(
        {
          ...{
            redis,
            audit,
            ledger,
            sizes,
            store,
            workspaces,
            budgets,
            rollOuts,
            notify,
            preferences,
            deliveries,
            mailer,
          },
          ...{ lookAfterHomeBackups, homeBackups },
          ...{ lookAfterBackups, weather: { now: weathers.worst, waiting: weathers.waiting }, log, now },
          lookAfterLocks: async () => {
            if (files) await lookAfterLocks({ redis, files, hostLostMs: config.hostLostMs, now, log })
          },
          restoreRecords: signal => restoreRecords(sweepMeans, signal),
          ...{ suspensions, sweep: (signal, without) => sweep(sweepMeans, signal, without) },
          backUpState: () => stateBackups.makeDue(),
          lookAfterSpares: warm.look,
          lookAfterCertificates: certificates.look,
          lookForDrift: signal =>
            lookRound({ looks, store, weather: weathers, periodMs: config.driftMs, log, now }, signal),
          ...{ endings, logins, apiTokens, tokens, channel, machines, config },
        },
        {
          onlyPublic: !isLoopback(config.url),
        },
      ),
    startWatch: () => startWatch({ redis, store, idleness, log }, config.idle.checkMs),
    startWorker() {
      const runner = { redis, store, events, estimates, traces, means, log }
      const worker = startOperationWorker(runner, queue, working, config.operationsPerProvider)
      const obeying = obeyDrains({ redis, now, log }, worker)
      return {
        ...worker,
        async close(drainMs) {
          await obeying()
          await worker.close(drainMs)
        },
      }
    },
    async close() {
      await pool.close()
      await queue.close()
      mailer?.close()
      await exporter?.close()
      await weathers.close()
      await presence.close()
      disconnect()
    },
  }
}
