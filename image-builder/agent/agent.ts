import { rm } from "node:fs/promises"
import { isDeepStrictEqual } from "node:util"
import { monotonic, STREAM_CLOSED } from "./admission.ts"
import { createBackoff, pause } from "./backoff.ts"
import { type Frozen, freeze } from "./backup/freezer.ts"
import { writeManifest } from "./backup/manifest.ts"
import { createStill } from "./backup/still.ts"
import { createCarrying } from "./carry.ts"
import { doorOpen, showCertificate } from "./certificate/door.ts"
import { type CertificateKeeper, keepCertificate } from "./certificate/keeper.ts"
import { type Asker, type Obtain, obtainBy } from "./certificate/request.ts"
import { type Check, runChecks } from "./checks.ts"
import { createClipboard, watchClipboard } from "./clipboard.ts"
import type { AgentConfig } from "./config.ts"
import { conversationsWay } from "./conversations/desk.ts"
import { keepConversations } from "./conversations/keeper.ts"
import type { PromptOrder } from "./conversations/prompt.ts"
import { createDisplay, type Size } from "./display.ts"
import { createFilesDoor } from "./files/door.ts"
import { openQuietStream } from "./files/stream.ts"
import { keepHome } from "./home-backup/keeper.ts"
import { workOnHome } from "./home-backup/work.ts"
import { createHttp } from "./http.ts"
import { listenAt } from "./listen.ts"
import { type Log, reasonOf } from "./log.ts"
import { createPortDoor } from "./ports/door.ts"
import { createVisitors } from "./ports/visitors.ts"
import { watchPorts } from "./ports/watch.ts"
import { watchReadiness } from "./readiness.ts"
import { createRelay, type RelayOptions } from "./relay/relay.ts"
import { type DevContainerOrder, devContainer } from "./repository/dev-container.ts"
import { type AsUser, asUserBySystemd, fetchBy } from "./repository/fetch.ts"
import { keepRepository } from "./repository/keeper.ts"
import { type Feed, feed, feedLong, type Run } from "./run.ts"
import { createServiceClient, type ServiceClient } from "./service/client.ts"
import { keepReporting } from "./service/heartbeat.ts"
import { followOrders, type Order } from "./service/orders.ts"
import { applySettings, goThroughProxy, type Settings } from "./settings.ts"
import { createSignals, type Signals } from "./signals/signals.ts"
import type { MemoryKeeper } from "./sleep/keeper.ts"
import { createRest } from "./sleep/rest.ts"
import { createSleeper } from "./sleep/sleeper.ts"
import { createStopping } from "./stopping.ts"
import { openWindow } from "./terminals/open-window.ts"
import { openTerminalStream } from "./terminals/stream.ts"
import { createTerminals } from "./terminals/terminals.ts"
import { createViewerEvents } from "./viewer-events.ts"
import { keepWindows } from "./windows/keeper.ts"
import { displaySize } from "./windows/x11.ts"

/** While something is missing, the service hears sooner that it is there. */
const UNREADY_REPORT_MS = 2_000
/** So long what was seen of a desktop holds while its certificate alone is waited for. */
const FRESH_MS = 10_000

export interface AgentOptions {
  config: AgentConfig
  run: Run
  log: Log
  /** Asks the display for its size; by its socket unless a test knows better. */
  askSize?: () => Promise<Size | null>
  /** Holds writes to the disk back; the real one unless a test knows better. */
  freeze?: (seconds: number) => Promise<Frozen | null>
  /** Asks for certificates; the real one unless a test knows better. */
  obtain?: Obtain
  /** What asks for the first one, where it was started before. */
  asker?: Asker
  /** Runs what is the user's; by systemd unless a test knows better. */
  asUser?: AsUser
  /** Keeps this machine's memory while it sleeps; absent: nobody does. */
  memory?: MemoryKeeper
  /** Has a machine that woke read what it is told of itself; its own program unless a test knows better. */
  readAgain?: Feed
  /** Ends this agent, so that another one begins. */
  restart?: () => void
  /** Times and clocks, for tests. */
  times?: Pick<RelayOptions, "now" | "clock" | "recheckMs" | "graceMs" | "probeMs"> & {
    heartbeatMs?: number
    /** How long to wait for the desktop before a report says that it is not ready. */
    patienceMs?: number
    readinessMs?: number
    backoff?: { first: number; most: number }
    portsMs?: number
    conversations?: Parameters<typeof keepConversations>[0]["times"]
    timeoutMs?: number
    /** From waking until it is looked at how things are. */
    settleMs?: number
  }
}

export interface WorkspaceAgent {
  close(): Promise<void>
}

/** Starts the agent: when this returns, its socket takes viewers. Everything else goes on beside. */
export async function startAgent({ config, run, log, times = {}, ...given }: AgentOptions): Promise<WorkspaceAgent> {
  const ending = new AbortController()
  const { signal } = ending
  const now = times.now ?? Date.now
  const startedAt = new Date(now()).toISOString()
  const heartbeatMs = times.heartbeatMs ?? 15_000
  const timeoutMs = times.timeoutMs ?? 5_000
  const client =
    config.service === null
      ? null
      : createServiceClient({ service: config.service, key: config.workspaceKey, timeoutMs })
  // Without a service there is nobody who could say who may come in.
  const authorize = client?.authorize ?? (async () => "unknown" as const)
  const relay = createRelay({ ...times, vnc: config.vnc, authorize })
  const wait = times.backoff ?? { first: 1_000, most: 30_000 }
  const backoff = () => createBackoff({ ...wait, random: Math.random })
  const asUser = given.asUser ?? asUserBySystemd(run, config.runtimeDirectory)
  const { userRuntimeDirectory } = config
  let secrets: string[] = []
  let inForce: Settings | null = null
  const container = devContainer({
    ...{ program: config.devContainer, home: config.home, userRuntimeDirectory, asUser, run, signal, log },
    told: reportSoon,
  })
  const repository = keepRepository({
    ...{ home: config.home, backoff: backoff(), signal, log, told: reportSoon },
    fetch: fetchBy(config.fetchRepository, asUser),
    // The window's shell knows then that there is something to wait for.
    prepare: container.begin,
    open: (folder, name) => openWindow({ run, socket: config.tmuxSocket, signal }, folder, name),
  })
  const folder = () => repository.folder() ?? config.home
  const terminals = createTerminals({ socket: config.tmuxSocket, folder, run, log })
  const events = createViewerEvents()
  const stopping = createStopping({ relay, events, now })
  const askSize = given.askSize ?? (() => displaySize(config.display.socket))
  const display = createDisplay(run, config.display.setSize, askSize)
  let terminalShown = false
  let isMaking = false
  const certificate = client === null ? null : certificateKeeper()
  let desktop: { checks: Check[]; at: number } | null = null
  /**
   * The machine has woken a moment ago: what was seen before it slept is told. Nothing can have happened since, and
   * looking takes what whoever waits for the picture would wait for.
   */
  let isAsItWas = false
  const readiness = watchReadiness({
    checks: async () => {
      const look = async () => {
        desktop = {
          checks: await runChecks({ ...config, run, display, terminalShown: () => terminalShown }),
          at: performance.now(),
        }
        return desktop.checks
      }
      // Looking starts processes, which a machine that waits for its certificate's signatures has no time for.
      const stood = desktop?.checks.every(check => check.ok) ? desktop : null
      const isFresh = stood !== null && performance.now() - stood.at < FRESH_MS
      const isEnough = (isFresh && !readiness.state().ready) || isAsItWas
      const checks = stood !== null && isEnough ? stood.checks : await look()
      return certificate === null ? checks : [...checks, certificate.check()]
    },
    everyMs: times.readinessMs ?? 700,
    signal,
    log,
  })
  const visitors = createVisitors({ ...times, authorize })
  const ports = watchPorts({
    ...{ user: config.userUid, except: [config.vnc.port], clock: times.clock ?? monotonic, signal, log },
    changed: reportSoon,
    ...(times.portsMs === undefined ? {} : { lookMs: times.portsMs }),
  })
  const lookAtUse = createSignals({ config, relay, run, now, visitedAt: visitors.usedAt })
  let use: Signals | null = null
  const signals = async () => {
    use = use !== null && isAsItWas ? { ...use, viewers: relay.viewers() } : await lookAtUse()
    return use
  }
  const carrying = createCarrying({ run, runtimeDirectory: config.runtimeDirectory })

  const conversations = client === null ? null : conversationKeeper(client)

  const rest = createRest()
  const sleeper = client === null || given.memory === undefined ? null : memorySleeper(client, given.memory)

  const home = client === null ? null : homeKeeper(client)

  const still = createStill({
    writeManifest: id => writeManifest(config.manifest, id, { random: Math.random, now: now() }),
    freeze: given.freeze ?? freeze,
    answer: async answer => client?.frozen(answer),
    log,
  })

  async function obey(order: Order): Promise<void> {
    switch (order.type) {
      case "revoke":
        relay.revoke(order.tokenHash)
        visitors.revoke(order.tokenHash)
        return events.signOut(order.tokenHash)
      case "revoke-all":
        relay.revokeAll()
        visitors.revokeAll()
        return events.signOut(null)
      case "stopping":
        return stopping.announce(order.reason, order.inMs === undefined ? order.at : now() + order.inMs)
      case "stay":
        return stopping.callOff()
      case "report":
        return client?.report(await report())
      case "sleep":
        // Beside other orders: the stream they come by ends with it.
        return void sleeper?.begin(order.id)
      case "repository":
        return repository.use(order)
      case "carry":
        repository.hold()
        await home?.letGo()
        return carrying.begin(order)
      case "prompt":
        // Beside other orders, since windows take their time.
        return void give(order)
      case "dev-container":
        return void makeAgain(order)
      case "home-backup":
        return home?.obey(order.order)
      case "freeze":
        // Beside other orders: a revocation must not wait for it.
        return void still.begin(order.id, order.seconds)
      case "thaw":
        return still.end(order.id)
      case "settings": {
        const { runtimeDirectory: directory, sessionId, userGid: gid, home } = config
        // Said at every connection.
        if (isDeepStrictEqual(order.settings, inForce)) return
        secrets = Object.values(order.settings.secrets)
        conversations?.settingsInForce(order.settings)
        certificate?.use(order.settings.certificate)
        if (order.settings.certificate === null) given.asker?.end()
        const { proxyChanged } = await applySettings(order.settings, { directory, sessionId, gid, home })
        log.info("settings are in force")
        repository.settingsInForce(order.settings)
        if (proxyChanged) await goThroughProxy(order.settings.proxy, run, log)
        inForce = order.settings
      }
    }
  }

  function conversationKeeper({ conversations: tell }: ServiceClient) {
    const { home, runtimeDirectory, tmuxSocket, agents } = config
    return keepConversations({
      ...{ home, tmuxSocket, agents, folder, run, feed, now, signal, log, tell },
      environment: `${runtimeDirectory}/env`,
      ...(times.conversations ? { times: times.conversations } : {}),
    })
  }

  function homeKeeper({ home: tell, homeChannel: channel }: ServiceClient) {
    const { workspace, home, runtimeDirectory } = config
    const means = { workspace, home, runtimeDirectory, ...config.homeBackup, channel, run }
    return keepHome({ ...{ tell, backoff, signal, log }, work: (...given) => workOnHome(means, ...given) })
  }

  function memorySleeper(client: ServiceClient, keeper: MemoryKeeper) {
    const awake = (hasSlept: boolean) => {
      isAsItWas = hasSlept
      stopping.callOff()
      certificate?.lookAgain()
    }
    const settled = () => {
      isAsItWas = false
      conversations?.connected()
      reportSoon()
    }
    return createSleeper({
      ...{ keeper, rest, client, run, log, awake, settled },
      ...{ feed: given.readAgain ?? feedLong, laterMs: times.settleMs ?? 4_000 },
      restart: given.restart ?? (() => {}),
    })
  }

  async function give(order: PromptOrder): Promise<void> {
    const refusal = (await conversations?.prompt(order).catch(() => "no-terminal" as const)) ?? null
    await client?.prompted({ id: order.id, refusal }).catch(() => log.warn("the answer to a prompt was not heard"))
  }

  async function makeAgain({ id, config }: DevContainerOrder): Promise<void> {
    const refusal = await container.again(repository.folder(), config)
    // So that whoever wished for it sees that it has begun.
    if (refusal === null) await client?.report(await report()).catch(() => {})
    await client?.devContainer({ id, refusal }).catch(() => log.warn("the answer to a wish was not heard"))
  }

  /** Before anything is looked at: a desktop without its certificate is not ready. */
  function certificateKeeper(): CertificateKeeper | null {
    if (config.certificate === null) return null
    const { program, ...kept } = config.certificate
    return keepCertificate({
      ...{ ...kept, socketGid: config.socketGid, now, signal, log, told: reportSoon },
      obtain: given.obtain ?? obtainBy(program, undefined, given.asker),
      doorOpen: () => doorOpen(config.https, signal),
      show: () => showCertificate({ run, https: config.https, folder: kept.folder }, signal),
    })
  }

  async function report(): Promise<object> {
    const [activity, carry] = await Promise.all([signals(), carrying.state(), readiness.look()])
    const { workspace, sessionId, bootId, versions } = config
    const at = new Date(now()).toISOString()
    const held = certificate?.state() ?? null
    const fetched = repository.state()
    const made = fetched?.state === "fetched" ? await container.state(secrets) : null
    isMaking = made?.state === "starting" || made?.state === "building"
    const more = {
      ...(carry ? { carry } : {}),
      ...(held ? { certificate: held } : {}),
      ...(fetched ? { repository: made ? { ...fetched, container: made } : fetched } : {}),
      ports: ports.ports(),
      keepsMemory: (await given.memory?.can()) ?? false,
    }
    const seen = { ...readiness.state(), versions, signals: activity, ...more }
    return { workspace, sessionId, bootId, ...seen, startedAt, at }
  }

  /** Reports now, whatever comes of it: the next one says the same. */
  function reportSoon(): void {
    report()
      .then(client?.report)
      .catch(() => {})
  }

  async function stayOn(): Promise<boolean> {
    relay.noteInput()
    if (client === null) return false
    // At once: until the next report a stop may be due.
    return client.report(await report()).then(
      () => true,
      () => false,
    )
  }

  const files = createFilesDoor({ relay, socket: config.filesSocket, home: config.home })
  const server = createHttp({
    relay,
    ways: {
      "/terminal/stream": {
        deflates: true,
        open: (client, events, deflates) => openTerminalStream(client, terminals, events, deflates),
      },
      "/files/stream": { deflates: false, open: openQuietStream },
      ...(conversations === null ? {} : { "/agents/stream": conversationsWay(conversations, config.home) }),
    },
    files,
    display,
    clipboard: createClipboard(run, feed),
    events,
    stayOn,
    // Nobody waits for this: it says how long somebody has waited.
    firstFrame: () => void client?.firstFrame().catch(() => {}),
    status: async () => {
      const { workspace, profile, entry: service, versions } = config
      const size = await display.size()
      return { ...readiness.state(), workspace, profile, service, versions, display: size, viewers: relay.viewers() }
    },
  })
  const toPorts = createPortDoor({
    ...{ visitors, find: ports.find, entry: config.entry },
    redeem: client?.redeem ?? (async () => ({ answer: "unknown" as const, token: null })),
  })
  await listenAt(toPorts, config.portsSocket, config.socketGid)
  await listenAt(server, config.socket, config.socketGid)

  const connected = () => {
    void relay.recheck()
    void visitors.recheck()
    if (!isAsItWas) conversations?.connected()
  }
  const work = [
    repository.done,
    ports.done,
    watchClipboard(config.display.socket, () => events.tell("copied"), signal),
    keepWindows({
      ...{ socketPath: config.display.socket, hasApp: config.profile === "desktop", signal, log },
      terminalShown: isShown => {
        terminalShown = isShown
      },
    }),
  ]
  if (client === null) log.info("this machine has no service: nobody is let in")
  else {
    for (const one of [certificate, conversations]) if (one !== null) work.push(one.done)
    // What is only being tried again now and then changes rarely.
    const isFetching = () => repository.state()?.state === "fetching" && repository.state()?.reason === undefined
    const isAtRest = () => readiness.state().ready && !isFetching() && !isMaking
    const everyMs = () => (isAtRest() ? heartbeatMs : Math.min(heartbeatMs, UNREADY_REPORT_MS))
    const ready = Promise.race([readiness.first, pause(times.patienceMs ?? 30_000, signal)])
    work.push(
      followOrders({ client, backoff: backoff(), signal, log, rest, connected, obey }),
      keepReporting({ client, backoff: backoff(), signal, log, rest, everyMs, ready, report }),
    )
  }
  for (const one of work) one.catch(error => log.warn(`this must not happen: ${reasonOf(error)}`))

  return {
    close: async () => {
      ending.abort()
      if (stopping.isDue()) relay.closeAll(STREAM_CLOSED.stopped, "the workspace stops")
      relay.close()
      terminals.close()
      stopping.close()
      still.close()
      events.close()
      visitors.close()
      files.close()
      for (const one of [server, toPorts]) one.close()
      client?.close()
      await Promise.allSettled([...work, home?.done()])
      for (const one of [server, toPorts]) one.closeAllConnections()
      for (const one of [config.socket, config.portsSocket]) await rm(one, { force: true })
    },
  }
}
