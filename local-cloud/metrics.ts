/** What the local cloud counts, for Prometheus; monitoring/host-alerts.yml asks for it. */
import { statfsSync } from "node:fs"
import { createServer, type Server } from "node:http"
import { availableParallelism, totalmem } from "node:os"
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client"
import { promised } from "./capacity.ts"
import type { Context } from "./context.ts"
import { StartError } from "./errors.ts"
import { NoRoomError } from "./machines/contract.ts"
import { availableMemory } from "./machines/qemu/room.ts"
import { addressAt, countOf } from "./own-addresses.ts"
import { scaledSize } from "./sizes.ts"

/** Upper ends of the buckets of a start's time, in seconds: of copies, of boots, of boots on a busy host. */
const BUCKETS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** What is counted while it happens. */
export interface Metrics {
  registry: Registry
  /** Machines' starts, from the wish until the machine's process runs, and how many came to nothing. */
  starts: Histogram
  startFailures: Counter<"reason">
  /** Machines that went off by themselves. */
  ended: Counter
  /** Work of actions that ended in an error. */
  workFailures: Counter<"work">
}

export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const startFailures = new Counter({
    name: "foozol_host_start_failures_total",
    help: "Machines that were not started: for want of room, or by a fault",
    labelNames: ["reason"],
    registers,
  })
  // What has not happened is told too, so that the first time is seen.
  for (const reason of ["no-room", "fault"]) startFailures.inc({ reason }, 0)
  return {
    registry,
    startFailures,
    starts: new Histogram({
      name: "foozol_host_start_seconds",
      help: "From the wish to start a machine until its process runs",
      buckets: BUCKETS,
      registers,
    }),
    ended: new Counter({
      name: "foozol_host_machines_ended_total",
      help: "Machines that went off by themselves: shut down from within, or ended",
      registers,
    }),
    workFailures: new Counter({
      name: "foozol_host_work_failures_total",
      help: "Actions that ended in an error, by what was to be done",
      labelNames: ["work"],
      registers,
    }),
  }
}

/** Starts a machine, and counts how long it took or that it failed. */
export async function countStart(metrics: Metrics, start: () => Promise<void>): Promise<void> {
  const end = metrics.starts.startTimer()
  try {
    await start()
    end()
  } catch (error) {
    metrics.startFailures.inc({ reason: error instanceof NoRoomError ? "no-room" : "fault" })
    throw error
  }
}

/** Counts of the records and of the host, looked up when they are asked for. */
export function watchHost({ metrics: { registry }, ...context }: Context): void {
  const { store, config } = context
  const registers = [registry]
  const gauge = (name: string, help: string, value: () => number | null) =>
    new Gauge({
      name: `foozol_host_${name}`,
      help,
      registers,
      collect() {
        const now = value()
        if (now === null) this.remove()
        else this.set(now)
      },
    })
  new Gauge({
    name: "foozol_host_servers",
    help: "Servers by state",
    labelNames: ["state"],
    registers,
    collect() {
      this.reset()
      for (const state of ["running", "off", "starting"]) this.set({ state }, 0)
      for (const { status } of store.all("server")) this.inc({ state: status })
    },
  })
  gauge("machines_ahead", "Machines that were made ahead of servers, and wait", () => context.machines.ahead())
  const disk = () => statfsSync(config.directory)
  const running = () => store.all("server").filter(({ status }) => status === "running")
  gauge("memory_total_bytes", "Memory of the host", totalmem)
  gauge("memory_available_bytes", "Memory of the host that can be had without swapping", availableMemory)
  gauge("memory_promised_bytes", "Memory of machines that are on, whether or not they have taken it", () =>
    running().reduce((sum, { type, diskGb }) => sum + scaledSize(config, type, diskGb).memoryBytes, 0),
  )
  gauge("cores", "Cores of the host", availableParallelism)
  gauge("cores_promised", "Virtual cores of machines that are on", () => promised(context).cores.promised)
  gauge(
    "cores_most",
    "Virtual cores that may be promised; missing where any number may",
    () => promised(context).cores.most,
  )
  gauge("disk_total_bytes", "The file system of the machines", () => disk().blocks * disk().bsize)
  gauge("disk_free_bytes", "What of it is free", () => disk().bavail * disk().bsize)
  gauge(
    "disk_promised_bytes",
    "Disks, volumes and snapshots, whether or not anything is written to them",
    () => promised(context).disk.promisedBytes,
  )
  gauge(
    "disk_most_bytes",
    "What of it may be promised; missing where any amount may",
    () => promised(context).disk.mostBytes,
  )
  const addresses = (() => {
    const { network } = config
    if (network === null) return null
    return Array.from({ length: countOf(network, "ipv4") }, (_, at) => addressAt(network, "ipv4", at)).filter(
      one => one !== null,
    )
  })()
  gauge("addresses_free", "IPv4 addresses of machines' ranges that are free; missing for loopback addresses", () => {
    if (addresses === null) return null
    const taken = new Set(store.all("primary_ip").map(({ ip }) => ip))
    return addresses.filter(address => !taken.has(address)).length
  })
}

/** Serves `/metrics`. Throws StartError where that cannot be. */
export async function serveMetrics(
  { registry }: Metrics,
  at: { address: string; port: number },
): Promise<{ port: number; close(): Promise<void> }> {
  collectDefaultMetrics({ register: registry })
  const server: Server = createServer(async (request, response) => {
    if (request.method !== "GET" || request.url !== "/metrics") return void response.writeHead(404).end()
    try {
      const text = await registry.metrics()
      response.writeHead(200, { "content-type": registry.contentType }).end(text)
    } catch {
      response.writeHead(503).end()
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once("error", error => {
      reject(new StartError(`Metrics cannot be served at ${at.address}:${at.port}: ${error.message}.`))
    })
    server.listen(at.port, at.address, resolve)
  })
  return {
    port: (server.address() as { port: number }).port,
    close: () => {
      server.closeAllConnections()
      return new Promise(resolve => server.close(() => resolve()))
    },
  }
}
