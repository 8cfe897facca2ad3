import { createServer, type Server } from "node:http"
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client"
import { type Fault, HEALTH_PATHS, healthAnswer } from "./routes/health.ts"
import type { Services } from "./services.ts"

/** What the service counts, for Prometheus. */
export interface Metrics {
  registry: Registry
  requests: Histogram<"method" | "route" | "status">
  authorize: Counter<"answer">
}

/** Upper ends of the buckets of request times, in seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return {
    registry,
    requests: new Histogram({
      name: "foozol_request_seconds",
      help: "Time to answer a request",
      labelNames: ["method", "route", "status"],
      buckets: BUCKETS,
      registers: [registry],
    }),
    authorize: new Counter({
      name: "foozol_authorize_total",
      help: "Answers to machines that asked whether somebody may in",
      labelNames: ["answer"],
      registers: [registry],
    }),
  }
}

/** Counts of the store, looked up when they are asked for. */
export function watchStore({ registry }: Metrics, services: Services): void {
  new Gauge({
    name: "foozol_workspaces",
    help: "Workspaces by state",
    labelNames: ["state"],
    registers: [registry],
    async collect() {
      this.reset()
      for (const id of await services.store.ids()) {
        const workspace = await services.store.get(id)
        if (workspace) this.inc({ state: workspace.state })
      }
    },
  })
  new Gauge({
    name: "foozol_workspaces_unproven",
    help: "Workspaces with a backup of which none was ever restored on trial with success",
    registers: [registry],
    async collect() {
      const all = await Promise.all((await services.store.ids()).map(services.store.get))
      this.set(all.filter(one => one?.backups?.last != null && one.backups.lastProven === null).length)
    },
  })
  new Gauge({
    name: "foozol_provider_requests_left",
    help: "Share of the provider's request budget that is left, 0 to 1",
    registers: [registry],
    async collect() {
      this.set((await services.weather.now()).requestsLeft)
    },
  })
  new Gauge({
    name: "foozol_provider_stormy",
    help: "1 while the provider fails and what nobody waits for is left out",
    registers: [registry],
    async collect() {
      this.set((await services.weather.now()).isStormy ? 1 : 0)
    },
  })
  new Gauge({
    name: "foozol_operations",
    help: "Operations in the queue",
    labelNames: ["state"],
    registers: [registry],
    async collect() {
      const { waiting, active } = await services.queue.depth()
      this.set({ state: "waiting" }, waiting)
      this.set({ state: "active" }, active)
    },
  })
}

/**
 * `/metrics` on a port of its own, which the public never reaches; and `/healthz` and `/readyz`, since a process that
 * is a worker only has no other.
 */
export async function serveMetrics(
  { registry }: Metrics,
  fault: Fault,
  at: { host: string; port: number },
): Promise<Server> {
  const server = createServer(async (request, response) => {
    const asked = request.method === "GET" ? request.url : undefined
    const health = HEALTH_PATHS.find(path => path === asked)
    if (health) {
      const { status, body } = await healthAnswer(health, fault)
      return void response.writeHead(status).end(body)
    }
    if (asked !== "/metrics") return void response.writeHead(404).end()
    try {
      const text = await registry.metrics()
      response.writeHead(200, { "content-type": registry.contentType }).end(text)
    } catch {
      response.writeHead(503).end()
    }
  })
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(at.port, at.host, resolve))
  return server
}
