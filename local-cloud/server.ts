import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import type Koa from "koa"
import type { Logger } from "pino"
import { createActions, type Worker } from "./actions.ts"
import { createAdmin } from "./admin.ts"
import { createPlaces, noteReboot, startAgain } from "./after-reboot.ts"
import { performWork } from "./api/server-work.ts"
import { createApi } from "./app.ts"
import { LocalCloudConfig, type LocalCloudSettings } from "./config.ts"
import type { Context } from "./context.ts"
import { StartError } from "./errors.ts"
import { createFaults } from "./faults.ts"
import type { Machines } from "./machines/contract.ts"
import { hostBoot } from "./machines/qemu/processes.ts"
import { createMetrics, watchHost } from "./metrics.ts"
import { createSignIn } from "./sign-in/app.ts"
import { type AppCredentials, appCredentials } from "./sign-in/app-credentials.ts"
import { openLedger, readLedger } from "./state/ledger.ts"
import { openStore } from "./state/store.ts"

/** A running local cloud. */
export interface LocalCloud {
  apiUrl: string
  adminUrl: string
  /** The stand-in for GitHub, laid out as a GitHub Enterprise Server, and its one app; null when it is off. */
  signIn: ({ url: string } & AppCredentials) | null
  context: Context
  /** Stops answering; machines go on running. */
  close(): Promise<void>
}

/**
 * Starts the API and its admin port on loopback, over a folder and a driver of machines.
 * @param clock ms since 1970, for what is written down as having happened
 * @param boot the name of the host's present boot; machines that ran in another one are started again
 * @throws StartError naming what is in the way
 */
export async function startLocalCloud(
  settings: LocalCloudSettings,
  machines: Machines,
  log: Logger,
  clock: () => number = Date.now,
  boot: string = hostBoot(),
): Promise<LocalCloud> {
  const config = readSettings(settings)
  const store = openStore(config.directory)
  const ledgerFile = join(config.directory, "ledger.ndjson")
  const ledger = openLedger(ledgerFile)
  const now = () => new Date(clock()).toISOString()
  const carryOut: Worker = (work, failure) =>
    performWork(context, work, failure)
      .catch(error => {
        context.metrics.workFailures.inc({ work: work.run })
        throw error
      })
      .finally(() => startAgain(context, [store.get("server", work.server)]))
  const actions = createActions(config, store, carryOut, now, log)
  const context: Context = {
    config,
    store,
    ledger,
    machines,
    actions,
    soldOut: new Set(),
    limits: structuredClone(config.limits),
    starting: new Set(),
    restarts: createPlaces(config.restarts),
    hostStops: false,
    metrics: createMetrics(),
    log,
    now,
  }
  watchHost(context)
  machines.onStopped(id => {
    context.metrics.ended.inc()
    const server = store.get("server", id)
    // While an action works on the server, the action says how it ends.
    if (server && !server.locked && !context.hostStops) store.put("server", { ...server, status: "off" })
  })
  const ran = noteReboot(store, boot)
  if (ran > 0) log.info({ machines: ran }, "the host was booted anew; machines that ran are started again")
  await machines.open()
  await reconcile(context, ledgerFile)

  const faults = createFaults()
  const { app, requests } = createApi(context, faults)
  const admin = createAdmin(context, faults, requests, () => readLedger(ledgerFile))
  const servers: Server[] = []
  let signIn: LocalCloud["signIn"] = null
  const close = async () => {
    await Promise.all(
      servers.map(server => {
        server.closeAllConnections()
        return new Promise(resolve => server.close(resolve))
      }),
    )
    context.restarts.hurry()
    await actions.idle()
    await machines.close()
    ledger.close()
    store.close()
  }
  try {
    servers.push(await listen(app, config.port, "API"))
    servers.push(await listen(admin, config.adminPort, "admin port"))
    if (config.signIn) {
      const app = appCredentials(config.directory)
      const callbackUrl = new URL(config.signIn.callbackUrl)
      const standIn = createSignIn({ directory: config.directory, app, callbackUrl, log, now: Date.now })
      const server = await listen(standIn, config.signIn.port, "stand-in for GitHub")
      servers.push(server)
      signIn = { url: `http://127.0.0.1:${portOf(server)}`, ...app }
    }
  } catch (error) {
    await close()
    throw error
  }
  actions.resume()
  startAgain(context, store.all("server"))
  return {
    apiUrl: `http://127.0.0.1:${portOf(servers[0] as Server)}/v1`,
    adminUrl: `http://127.0.0.1:${portOf(servers[1] as Server)}`,
    signIn,
    context,
    close,
  }
}

function readSettings(settings: LocalCloudSettings): LocalCloudConfig {
  const parsed = LocalCloudConfig.safeParse(settings)
  if (parsed.success) return parsed.data
  const wrong = parsed.error.issues.map(issue => `${issue.path.join(".")}: ${issue.message}`)
  throw new StartError(`The local cloud's settings are wrong: ${wrong.join("; ")}.`)
}

/** Brings the records to what is there: machines that went off or on meanwhile, ledger lines a crash left out. */
async function reconcile({ store, machines, ledger, now }: Context, ledgerFile: string): Promise<void> {
  const past = readLedger(ledgerFile)
  // Its ids are used up, also those whose records a crash took away.
  store.skipIds(past.created.reduce((highest, entry) => Math.max(highest, entry.id), 0))
  const inLedger = new Set(past.alive.map(entry => entry.id))
  for (const server of store.all("server")) {
    if (!inLedger.has(server.id)) {
      ledger.append({
        at: now(),
        event: "created",
        id: server.id,
        name: server.name,
        project: server.project,
        labels: server.labels,
      })
    }
    if (server.locked) continue
    const status = (await machines.isRunning(server.id)) ? "running" : "off"
    if (status !== server.status) store.put("server", { ...server, status })
  }
  // A machine noted as created whose record never reached the disk was never answered for; nothing of it exists.
  const known = new Set(store.all("server").map(server => server.id))
  for (const entry of readLedger(ledgerFile).alive) {
    if (known.has(entry.id)) continue
    await machines.remove(entry.id)
    ledger.append({ ...entry, at: now(), event: "deleted" })
  }
}

/** Clients end theirs before, and not in the moment in which they ask. Milliseconds. */
const KEPT_MS = 75_000

function listen(app: Koa, port: number, what: string): Promise<Server> {
  const server = createServer({ keepAliveTimeout: KEPT_MS }, app.callback())
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why =
        error.code === "EADDRINUSE" ? `port ${port} is in use: end what uses it, or choose another port` : error.message
      reject(new StartError(`The local cloud's ${what} cannot start: ${why}.`))
    })
    server.listen(port, "127.0.0.1", () => resolve(server))
  })
}

const portOf = (server: Server) => (server.address() as AddressInfo).port
