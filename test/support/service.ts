import { randomBytes } from "node:crypto"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { pino } from "pino"
import { freePort } from "../../cli/redis-process.ts"
import type { EnginePool } from "../../infra/engine-pool.ts"
import type { Machines } from "../../infra/machines/contract.ts"
import { HOST_FROM_MACHINES } from "../../local-cloud/host-address.ts"
import type { Scope } from "../../service/api-tokens/api-tokens.ts"
import { type RunningService, startService } from "../../service/start.ts"
import { cacheDirectory } from "../../tools/setup/paths.ts"
import { startTestCloud, type TestCloud } from "./local-cloud.ts"
import { startTestRedis, type TestRedis } from "./redis.ts"
import { createReportingMachines } from "./reporting-machines.ts"
import { answerPage } from "./sign-in.ts"
import { temporaryDirectory } from "./temporary-directory.ts"
import { createVisitor, type Visitor } from "./visitor.ts"
import { TEST_ZONE, testEngineConfig } from "./workspace.ts"

/** All that a service needs, real but for the machines: Redis, engine, local cloud, stand-in for GitHub. */
export interface TestWorld {
  /** Where the service is to listen. */
  url: string
  cloud: TestCloud
  redis: TestRedis
  machines: ReturnType<typeof createReportingMachines>
  directory: string
  /** The settings of the service. */
  env: NodeJS.ProcessEnv
  /** A browser that has signed in as somebody. */
  signIn(login: string): Promise<Visitor>
  /** A call of the API with a bearer token, or with a browser's cookies. */
  api(
    who: string | Visitor,
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>
  /** A token for scripts of somebody, made with their login. */
  token(visitor: Visitor, scope?: Scope): Promise<string>
  /** Waits until an operation is over and returns it. */
  finished(
    who: string | Visitor,
    operation: string,
  ): Promise<{ kind: string; state: string; failure: { id: string; message: string; next: string } | null }>
  close(): Promise<void>
}

/** The world with a service in this process. */
export interface TestService extends TestWorld {
  service: RunningService
  /** Everything the service has logged. */
  logged(): string
  /** Forgets how often things were asked for: all tests come from one address. */
  forgetLimits(): Promise<void>
  /** Ends the service's part and starts it again over the same Redis. @param drainMs how long operations may go on */
  restart(drainMs?: number): Promise<void>
}

export interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests look into what they know
  body: any
}

/** @param settings of the service, over those of a test */
export async function startTestService(
  settings: Record<string, string> = {},
  options: WorldOptions = {},
): Promise<TestService> {
  const world = await startTestWorld(settings, options)
  let lines = ""
  const log = pino({ level: "debug" }, { write: line => (lines += line) })
  const { ahead = () => 0 } = options
  const start = () => startService(world.env, { log, now: () => Date.now() + ahead(), ...options.parts?.(world) })
  const test: TestService = {
    ...world,
    service: await start(),
    logged: () => lines,
    async forgetLimits() {
      const { redis } = test.service.services
      const counted = await redis.keys("fz:limit:*")
      if (counted.length > 0) await redis.del(...counted)
    },
    async restart(drainMs) {
      await test.service.stop(drainMs)
      test.service = await start()
    },
    async close() {
      world.machines.close()
      await test.service.stop(0)
      await world.close()
    },
  }
  return test
}

export interface WorldOptions {
  /** Folder of a golden image: machines of it are booted, instead of pretended ones. */
  realMachinesOf?: string
  /** Names of the provider's projects besides the main one. */
  projects?: string[]
  /** How far the clocks of service and provider are ahead of the system's, ms; asked each time. */
  ahead?: () => number
  /** Milliseconds between reports of a pretended machine that is ready. */
  heartbeatMs?: number
  /** Parts of the service instead of its own, made anew at each start. */
  parts?: (world: TestWorld) => { machines?: Machines; pool?: EnginePool }
}

/** Everything but the service itself; see `startTestService`. */
export async function startTestWorld(
  settings: Record<string, string> = {},
  { realMachinesOf, projects = [], ahead = () => 0, heartbeatMs }: WorldOptions = {},
): Promise<TestWorld> {
  const { path: directory, remove } = await temporaryDirectory("fc-")
  const tokens = projects.map(name => [name, randomBytes(32).toString("hex")] as const)
  const machines = createReportingMachines(join(directory, "machines"), heartbeatMs)
  const [redis, cloud, port] = await Promise.all([
    startTestRedis(),
    startTestCloud({
      ...(realMachinesOf
        ? { machines: "qemu", imageDirectory: realMachinesOf }
        : { machines: "none", driver: () => machines.machines }),
      settings: { signIn: {} },
      projects: Object.fromEntries(tokens.map(([name, token]) => [token, name])),
      clock: () => Date.now() + ahead(),
    }),
    freePort(0),
  ])
  const signIn = cloud.cloud.signIn
  if (!signIn) throw new Error("The test's cloud has no sign-in.")
  const engine = testEngineConfig(directory, cloud)
  const url = `http://127.0.0.1:${port}`
  const env: NodeJS.ProcessEnv = {
    ...{ PATH: process.env.PATH, HOME: process.env.HOME },
    ...{ FOOZOL_URL: url, FOOZOL_LISTEN: `127.0.0.1:${port}`, FOOZOL_METRICS_LISTEN: "off" },
    ...{ FOOZOL_REDIS_URL: redis.url, FOOZOL_SECRET: "a secret for tests, long enough to be one" },
    ...{ FOOZOL_GITHUB_URL: signIn.url, FOOZOL_GITHUB_CLIENT_ID: signIn.clientId },
    ...{ FOOZOL_GITHUB_CLIENT_SECRET: signIn.clientSecret, FOOZOL_ALLOW: "everyone", FOOZOL_ZONE: TEST_ZONE },
    // What a test breaks is seen at once.
    FOOZOL_PROVIDER_PATIENCE_SECONDS: "0",
    // Backups come when a test wants them.
    FOOZOL_BACKUPS: "false",
    FOOZOL_DRIFT_HOURS: "0",
    // What tests leave behind is counted.
    FOOZOL_FINAL_SNAPSHOT_DAYS: "0",
    ...{ FOOZOL_IMAGE_BROWSER: String(cloud.imageId), FOOZOL_IMAGE_DESKTOP: String(cloud.imageId) },
    ...(realMachinesOf ? { FOOZOL_MACHINE_URL: `http://${HOST_FROM_MACHINES}:${port}` } : {}),
    ...{ FOOZOL_PULUMI: engine.pulumi, FOOZOL_PULUMI_VERSION: engine.pulumiVersion, PULUMI_HOME: engine.home },
    ...{ FOOZOL_ENGINE_DIRECTORY: engine.workDirectory, FOOZOL_BACKEND_URL: engine.backendUrl },
    ...{ FOOZOL_STATE_PASSPHRASE: engine.passphrase, HCLOUD_TOKEN: cloud.token, HCLOUD_ENDPOINT: cloud.apiUrl },
    ...(tokens.length > 0 ? { FOOZOL_PROJECTS: tokens.map(pair => pair.join("=")).join(" ") } : {}),
    FOOZOL_USAGE_DIRECTORY: join(directory, "usage"),
    FOOZOL_AUDIT_DIRECTORY: join(directory, "audit"),
    FOOZOL_COMPILE_CACHE: join(cacheDirectory(), "compile-cache"),
    ...settings,
  }

  const test: TestWorld = {
    ...{ url, cloud, redis, machines, directory, env },
    async signIn(login) {
      for (;;) {
        const visitor = createVisitor()
        const page = await visitor.get(`${url}/login/github`)
        const end = page.status === 429 ? page : await answerPage(visitor, page, { login })
        if (end.status === 200) return visitor
        if (end.status !== 429) throw new Error(`Signing in ended with ${end.status} at ${end.url}: ${end.text}`)
        // All people of a test come from one address.
        await sleep(Number(end.headers.get("retry-after")) * 1_000)
      }
    },
    async api(who, method, path, body, headers = {}) {
      const own = typeof who === "string" ? { authorization: `Bearer ${who}` } : { cookie: cookieOf(who), origin: url }
      const answer = await fetch(`${url}/api/v1${path}`, {
        method,
        headers: { ...own, ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      })
      const text = await answer.text()
      // A process that was held up in between takes a request for one that came too late: it may be asked again.
      if (answer.status === 408) return test.api(who, method, path, body, headers)
      return { status: answer.status, headers: answer.headers, body: text ? JSON.parse(text) : null }
    },
    async token(visitor, scope = "write") {
      return (await test.api(visitor, "POST", "/tokens", { name: "test", scope })).body.token
    },
    async finished(who, operation) {
      for (;;) {
        const { body, status } = await test.api(who, "GET", `/operations/${operation}`)
        if (status !== 200) throw new Error(`The operation cannot be read: ${status} ${JSON.stringify(body)}`)
        if (["succeeded", "failed", "cancelled"].includes(body.state)) return body
        await new Promise(resolve => setTimeout(resolve, 50))
      }
    },
    async close() {
      machines.close()
      await cloud.close()
      await redis.close()
      await remove()
    },
  }
  return test
}

/** The cookies a browser would send to this machine. */
export const cookieOf = (visitor: Visitor) =>
  [...(visitor.cookies.get("127.0.0.1") ?? [])].map(([name, value]) => `${name}=${value}`).join("; ")
