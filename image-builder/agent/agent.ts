import { chmod, chown, rm } from "node:fs/promises"
import { STREAM_CLOSED } from "./admission.ts"
import { createBackoff, pause } from "./backoff.ts"
import { type Frozen, freeze } from "./backup/freezer.ts"
import { writeManifest } from "./backup/manifest.ts"
import { createStill } from "./backup/still.ts"
import { createCarrying } from "./carry.ts"
import { doorOpen, showCertificate } from "./certificate/door.ts"
import { type CertificateKeeper, keepCertificate } from "./certificate/keeper.ts"
import { type Asker, type Obtain, obtainBy } from "./certificate/request.ts"
import { type Check, runChecks } from "./checks.ts"
import type { AgentConfig } from "./config.ts"
import { keepConversations } from "./conversations/keeper.ts"
import type { PromptOrder } from "./conversations/prompt.ts"
import { createDisplay, type Size } from "./display.ts"
import { createHttp } from "./http.ts"
import { type Log, reasonOf } from "./log.ts"
import { watchReadiness } from "./readiness.ts"
import { createRelay, type RelayOptions } from "./relay/relay.ts"
import { type AsUser, asUserBySystemd, fetchBy } from "./repository/fetch.ts"
import { keepRepository } from "./repository/keeper.ts"
import { feed, type Run } from "./run.ts"
import { createServiceClient, type ServiceClient } from "./service/client.ts"
import { keepReporting } from "./service/heartbeat.ts"
import { followOrders, type Order } from "./service/orders.ts"
import { applySettings } from "./settings.ts"
import { createSignals } from "./signals/signals.ts"
import { createStopping } from "./stopping.ts"
import { asArguments, openCommand } from "./terminals/commands.ts"
import { openTerminalStream } from "./terminals/stream.ts"
import { createTerminals } from "./terminals/terminals.ts"
import { createViewerEvents } from "./viewer-events.ts"
import { keepWindows } from "./windows/keeper.ts"
import { displaySize } from "./windows/x11.ts"

/** While something is missing, the service hears sooner that it is there. */
const UNREADY_REPORT_MS = 2_000
/** So long what was seen of a desktop holds while its certificate alone is waited for. */
const FRESH_MS = 10_000
/** So long a desktop may be without terminals when there is something to show in one. */
const OPENING_S = 120

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
  /** Times and clocks, for tests. */
  times?: Pick<RelayOptions, "now" | "clock" | "recheckMs" | "graceMs" | "probeMs"> & {
    heartbeatMs?: number
    /** How long to wait for the desktop before a report says that it is not ready. */
    patienceMs?: number
    readinessMs?: number
    backoff?: { first: number; most: number }
    conversations?: Parameters<typeof keepConversations>[0]["times"]
    timeoutMs?: number
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
  const repository = keepRepository({
    ...{ home: config.home, backoff: backoff(), signal, log, open: openWindow, told: reportSoon },
    fetch: fetchBy(config.fetchRepository, given.asUser ?? asUserBySystemd(run, config.runtimeDirectory)),
  })
  const folder = () => repository.folder() ?? config.home
  const terminals = createTerminals({ socket: config.tmuxSocket, folder, run, log })
  const events = createViewerEvents()
  const stopping = createStopping({ relay, events, now })
  const askSize = given.askSize ?? (() => displaySize(config.display.socket))
  const display = createDisplay(run, config.display.setSize, askSize)
  let terminalShown = false
  const certificate = client === null ? null : certificateKeeper()
  let desktop: { checks: Check[]; at: number } | null = null
  const readiness = watchReadiness({
    checks: async () => {
      const look = async () => {
        desktop = {
          checks: await runChecks({ ...config, run, display, terminalShown: () => terminalShown }),
          at: performance.now(),
        }
        return desktop.checks
      }
      if (certificate === null) return look()
      // Looking starts processes, which a machine that waits for its certificate's signatures has no time for.
      const stood = desktop?.checks.every(check => check.ok) ? desktop : null
      const isFresh = stood !== null && performance.now() - stood.at < FRESH_MS
      const checks = isFresh && !readiness.state().ready ? stood.checks : await look()
      return [...checks, certificate.check()]
    },
    everyMs: times.readinessMs ?? 700,
    signal,
    log,
  })
  const signals = createSignals({ config, relay, run, now })
  const carrying = createCarrying({ run, runtimeDirectory: config.runtimeDirectory })

  const conversations = client === null ? null : conversationKeeper(client)

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
        return events.signOut(order.tokenHash)
      case "revoke-all":
        relay.revokeAll()
        return events.signOut(null)
      case "stopping":
        return stopping.announce(order.reason, order.inMs === undefined ? order.at : now() + order.inMs)
      case "stay":
        return stopping.callOff()
      case "report":
        return client?.report(await report())
      case "repository":
        return repository.use(order)
      case "carry":
        repository.hold()
        return carrying.begin(order)
      case "prompt":
        // Beside other orders, since windows take their time.
        return void give(order)
      case "freeze":
        // Beside other orders: a revocation must not wait for it.
        return void still.begin(order.id, order.seconds)
      case "thaw":
        return still.end(order.id)
      case "settings": {
        const { runtimeDirectory: directory, sessionId, userGid: gid, home } = config
        conversations?.settingsInForce(order.settings)
        certificate?.use(order.settings.certificate)
        if (order.settings.certificate === null) given.asker?.end()
        const { proxyChanged } = await applySettings(order.settings, { directory, sessionId, gid, home })
        log.info("settings are in force")
        repository.settingsInForce(order.settings)
        if (proxyChanged) {
          const verb = order.settings.proxy === null ? "stop" : "restart"
          const result = await run("systemctl", [verb, "foozol-proxy.service"])
          if (result.code !== 0) log.warn(`the proxy's service: ${result.stderr.trim()}`)
          // A window that stood before the proxy was known would go round it.
          await run("systemctl", ["--no-block", "try-restart", "foozol-browser.service", "foozol-app.service"])
        }
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

  async function give(order: PromptOrder): Promise<void> {
    const refusal = (await conversations?.prompt(order).catch(() => "no-terminal" as const)) ?? null
    await client?.prompted({ id: order.id, refusal }).catch(() => log.warn("the answer to a prompt was not heard"))
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
    const more = {
      ...(carry ? { carry } : {}),
      ...(held ? { certificate: held } : {}),
      ...(fetched ? { repository: fetched } : {}),
    }
    const seen = { ...readiness.state(), versions, signals: activity, ...more }
    return { workspace, sessionId, bootId, ...seen, startedAt, at }
  }

  /** Shows the repository's folder on the desktop, as soon as there are terminals. */
  async function openWindow(folder: string, name: string): Promise<void> {
    for (let tries = 0; tries < OPENING_S && !signal.aborted; tries++) {
      const { code } = await run("tmux", [
        "-N",
        "-u",
        "-S",
        config.tmuxSocket,
        ...asArguments(openCommand(name, folder)),
      ])
      if (code === 0) return
      await pause(1_000, signal)
    }
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

  const server = createHttp({
    relay,
    toTerminals: {
      deflates: true,
      open: (client, events, deflates) => openTerminalStream(client, terminals, events, deflates),
    },
    display,
    events,
    stayOn,
    status: async () => {
      const { workspace, profile, entry: service, versions } = config
      const size = await display.size()
      return { ...readiness.state(), workspace, profile, service, versions, display: size, viewers: relay.viewers() }
    },
  })
  // A socket that an earlier run left behind would be in the way.
  await rm(config.socket, { force: true })
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(config.socket, resolve))
  await chmod(config.socket, 0o660)
  if (config.socketGid !== undefined) await chown(config.socket, process.getuid?.() ?? 0, config.socketGid)

  const connected = () => {
    void relay.recheck()
    conversations?.connected()
  }
  const work = [
    repository.done,
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
    const isAtRest = () => readiness.state().ready && !isFetching()
    const everyMs = () => (isAtRest() ? heartbeatMs : Math.min(heartbeatMs, UNREADY_REPORT_MS))
    const ready = Promise.race([readiness.first, pause(times.patienceMs ?? 30_000, signal)])
    work.push(
      followOrders({ client, backoff: backoff(), signal, log, connected, obey }),
      keepReporting({ client, backoff: backoff(), signal, log, everyMs, ready, report }),
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
      server.close()
      client?.close()
      await Promise.allSettled(work)
      server.closeAllConnections()
      await rm(config.socket, { force: true })
    },
  }
}
