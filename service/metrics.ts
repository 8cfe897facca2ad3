import { createServer, type Server } from "node:http"
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client"
import { certificateRows } from "./certificates/view.ts"
import { countUnheard } from "./reconcile/reconcile.ts"
import { REDIS_FAULTS } from "./redis/safety.ts"
import { type Fault, HEALTH_PATHS, healthAnswer } from "./routes/health.ts"
import type { Services } from "./services.ts"
import { isSpare } from "./warm/words.ts"

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
  let known: { at: number; rows: ReturnType<typeof certificatesNow> } | null = null
  /** Several ask in one look. */
  const certificates = () => {
    if (known === null || Date.now() - known.at > 1_000) known = { at: Date.now(), rows: certificatesNow(services) }
    return known.rows
  }
  new Gauge({
    name: "foozol_workspaces",
    help: "Workspaces by state",
    labelNames: ["state"],
    registers: [registry],
    async collect() {
      this.reset()
      for (const id of await services.store.ids()) {
        const workspace = await services.store.get(id)
        if (workspace && !isSpare(workspace)) this.inc({ state: workspace.state })
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
    name: "foozol_workspaces_unheard",
    help: "Workspaces whose machine runs, as its provider says, and has not reported for a minute or more",
    registers: [registry],
    async collect() {
      this.set(await countUnheard(services.redis))
    },
  })
  new Gauge({
    name: "foozol_provider_requests_left",
    help: "Share of a provider project's request budget that is left, 0 to 1",
    labelNames: ["project"],
    registers: [registry],
    async collect() {
      for (const project of services.projects.names) {
        this.set({ project }, (await services.weathers.of(project).now()).requestsLeft)
      }
    },
  })
  new Gauge({
    name: "foozol_provider_stormy",
    help: "1 while the provider fails in a project and what nobody waits for is left out",
    labelNames: ["project"],
    registers: [registry],
    async collect() {
      for (const project of services.projects.names) {
        this.set({ project }, (await services.weathers.of(project).now()).isStormy ? 1 : 0)
      }
    },
  })
  new Gauge({
    name: "foozol_project_workspaces",
    help: "Workspaces by project of the provider",
    labelNames: ["project"],
    registers: [registry],
    async collect() {
      const counts = await services.store.countByProject()
      for (const project of services.projects.names) this.set({ project }, counts.get(project) ?? 0)
    },
  })
  new Gauge({
    name: "foozol_project_room",
    help: "Share of a project that is free for new workspaces, 0 to 1; 1 where nobody knows how many fit",
    labelNames: ["project"],
    registers: [registry],
    async collect() {
      for (const { name, room } of await services.projects.shown()) this.set({ project: name }, room)
    },
  })
  for (const [what, help] of [
    ["ready", "that could be taken now"],
    ["wanted", "that there shall be"],
    ["coming", "that are being made"],
    ["leaving", "that are thrown away"],
  ] as const) {
    new Gauge({
      name: `foozol_spares_${what}`,
      help: `Spare machines ${help}`,
      labelNames: ["kind"],
      registers: [registry],
      async collect() {
        this.reset()
        for (const one of await services.warm.shown())
          this.set({ kind: one.kind }, what === "wanted" ? one.count : one[what])
      },
    })
  }
  new Gauge({
    name: "foozol_spares_monthly",
    help: "What the spare machines that there are cost a month, before tax",
    labelNames: ["kind", "currency"],
    registers: [registry],
    async collect() {
      this.reset()
      for (const { kind, costs } of await services.warm.shown())
        for (const { currency, monthly } of costs) this.set({ kind, currency }, monthly)
    },
  })
  new Gauge({
    name: "foozol_spares_used",
    help: "How often a new workspace found a spare machine of a kind that is kept (taken), and none (missed), so far",
    labelNames: ["kind", "outcome"],
    registers: [registry],
    async collect() {
      this.reset()
      for (const { kind, taken, missed } of await services.warm.shown()) {
        this.set({ kind, outcome: "taken" }, taken)
        this.set({ kind, outcome: "missed" }, missed)
      }
    },
  })
  new Gauge({
    name: "foozol_redis_unsafe",
    help: "1 for what is wrong with Redis as a place for what must not be lost",
    labelNames: ["what"],
    registers: [registry],
    async collect() {
      const found = await services.redisSafety.look()
      for (const what of REDIS_FAULTS) this.set({ what }, found.some(one => one.what === what) ? 1 : 0)
    },
  })
  new Gauge({
    name: "foozol_state_backup_overdue",
    help: "Age of the newest backup of the service's own data, by the time between two; 0 where none are made",
    registers: [registry],
    async collect() {
      this.set(await services.stateBackups.overdue())
    },
  })
  new Gauge({
    name: "foozol_workspaces_drifted",
    help: "Workspaces that are not at the provider as they shall be, by the newest look at each",
    registers: [registry],
    async collect() {
      this.set((await services.drift.counts()).drifted)
    },
  })
  new Gauge({
    name: "foozol_workspaces_unseen",
    help: "Workspaces of which the newest look at what they really have failed",
    registers: [registry],
    async collect() {
      this.set((await services.drift.counts()).failed)
    },
  })
  new Gauge({
    name: "foozol_certificates",
    help: "Machines that are on, by what they show to browsers",
    labelNames: ["state"],
    registers: [registry],
    async collect() {
      const rows = (await certificates()).filter(one => one.isOn)
      for (const state of ["issued", "self-signed", "expired"] as const) {
        this.set({ state }, rows.filter(one => one.state === state).length)
      }
    },
  })
  new Gauge({
    name: "foozol_certificates_failing",
    help: "Machines that are on whose last try for a certificate failed",
    registers: [registry],
    async collect() {
      this.set((await certificates()).filter(one => one.isOn && one.problem !== null).length)
    },
  })
  new Gauge({
    name: "foozol_certificate_life_left",
    help: "Share of its time that is left of the certificate that ends first, of machines that are on, 0 to 1",
    registers: [registry],
    async collect() {
      this.set(Math.min(1, ...(await certificates()).filter(one => one.isOn).map(one => one.left)))
    },
  })
  new Gauge({
    name: "foozol_certificates_waiting",
    help: "Workspaces that wait until a certificate authority grants another new name",
    registers: [registry],
    async collect() {
      this.set(await services.certificates.waiting())
    },
  })
  new Gauge({
    name: "foozol_certificate_budget_left",
    help: "Share of the new names a week that a certificate authority grants yet, 0 to 1",
    labelNames: ["authority"],
    registers: [registry],
    async collect() {
      this.reset()
      for (const { name, left } of await services.certificates.authorities()) this.set({ authority: name }, left)
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

async function certificatesNow({ store, now }: Services) {
  const all = (await Promise.all((await store.ids()).map(store.get))).filter(one => one !== null)
  return certificateRows(
    all.map(workspace => ({ workspace, login: workspace.owner })),
    now(),
  )
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
