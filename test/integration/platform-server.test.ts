import assert from "node:assert/strict"
import { type ChildProcess, spawn } from "node:child_process"
import { X509Certificate } from "node:crypto"
import { once } from "node:events"
import { mkdir, readFile } from "node:fs/promises"
import type { Server } from "node:http"
import { request } from "node:https"
import { join } from "node:path"
import { handOver, introduction, serviceReady } from "../../cli/platform/hand-over.ts"
import { type KeptPlatform, keptPlatform } from "../../cli/platform/kept.ts"
import { localChoices } from "../../cli/platform/local.ts"
import { planPlatform } from "../../cli/platform/plan.ts"
import { freePort } from "../../cli/redis-process.ts"
import { keptIn } from "../../image-builder/platform/keeper/kept.ts"
import { createKeeperServer } from "../../image-builder/platform/keeper/server.ts"
import { publicHalf } from "../../infra/platform/hand-over.ts"
import { PROJECT_ROOT } from "../../tools/setup/paths.ts"
import { foozolCloud } from "../support/command-line.ts"
import { startTestCloud, type TestCloud } from "../support/local-cloud.ts"
import { type PlatformNginx, startPlatformNginx } from "../support/platform-nginx.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import { waitUntil } from "../support/wait-until.ts"

const HOST = "cloud.foozol.localhost"

/**
 * The parts of the platform's server as processes of this machine: NGINX by the image's configuration, the keeper, Redis
 * and the service by the commands of deploy/. test/desktop has them on a real machine.
 */
describe("the parts of the platform's server", () => {
  let scratch: Awaited<ReturnType<typeof temporaryDirectory>>
  let cloud: TestCloud
  let nginx: PlatformNginx
  let keeper: Server
  let kept: KeptPlatform
  let redis: ChildProcess
  let redisPort: number
  let servicePort: number
  let service: ChildProcess | undefined
  let environment: NodeJS.ProcessEnv = {}
  const door = () => ({ host: HOST, address: "127.0.0.1", port: nginx.port })
  const waiting = { waitMs: 120_000 }

  before(async () => {
    scratch = await temporaryDirectory("fc-")
    const at = (name: string) => join(scratch.path, name)
    for (const name of ["redis", "secrets"]) await mkdir(at(name), { mode: 0o700 })
    ;[cloud, servicePort, redisPort] = await Promise.all([
      startTestCloud({ machines: "none", settings: { signIn: {} } }),
      freePort(0),
      freePort(0),
    ])
    nginx = await startPlatformNginx(scratch.path, HOST, servicePort)
    kept = keptPlatform("main", { FOOZOL_DATA: at("operator") })
    const compose = await readFile(join(PROJECT_ROOT, "deploy/compose.yaml"), "utf8")
    const dockerfile = await readFile(join(PROJECT_ROOT, "deploy/Dockerfile"), "utf8")
    const [redisProgram, ...redisArguments] = wordsOf(compose, /command: (\[.*"redis-server".*\])/)
    const [node, ...serviceArguments] = wordsOf(dockerfile, /^CMD (\[.*\])$/m)
    assert.deepEqual([redisProgram, node], ["redis-server", "node"])
    redis = spawn("redis-server", [...redisArguments, "--port", String(redisPort), "--dir", at("redis")], {
      stdio: "ignore",
    })
    const store = keptIn(at("secrets"))
    keeper = createKeeperServer({
      ...{ birth: kept.birth, operatorKey: publicHalf(kept.operatorKey), now: Date.now, heard() {} },
      fingerprint: async () => new X509Certificate(await readFile(join(nginx.tls, "cert.pem"))).fingerprint256,
      async service() {
        if (!(await store.hasSettings())) return "waits for its settings"
        const ready = await fetch(`http://127.0.0.1:${servicePort}/readyz`).catch(() => null)
        return ready?.ok ? "ready" : "starts"
      },
      async take(given) {
        if (!(await store.keep(given))) return
        const { PATH } = process.env
        environment = {
          ...{ PATH, HOME: scratch.path, FOOZOL_DATA: at("data"), FOOZOL_CACHE: process.env.FOOZOL_CACHE ?? cacheOf() },
          ...readEnvironment(await readFile(at("secrets/service.env"), "utf8")),
          ...{ FOOZOL_LISTEN: `127.0.0.1:${servicePort}`, FOOZOL_METRICS_LISTEN: "off", FOOZOL_TRUST_PROXY: "true" },
          FOOZOL_REDIS_URL: `redis://127.0.0.1:${redisPort}`,
        }
        service = spawn(process.execPath, serviceArguments, {
          ...{ cwd: PROJECT_ROOT, stdio: "ignore" },
          env: { ...environment, NODE_OPTIONS: "--disable-warning=ExperimentalWarning" },
        })
      },
    })
    keeper.listen(nginx.keeperSocket)
    await once(keeper, "listening")
  })
  after(async () => {
    for (const child of [service, redis]) {
      if (!child || child.exitCode !== null) continue
      child.kill("SIGTERM")
      await once(child, "exit")
    }
    keeper?.close()
    await nginx?.close()
    await cloud?.close()
    await scratch?.remove()
  })

  it("says that it starts while there is no service, and tells nobody more", async () => {
    const { status, headers, text } = await get("/workspaces?ticket=1")
    assert.equal(status, 503)
    assert.match(text, /foozol Cloud is starting/)
    assert.equal(headers["retry-after"], "5")
    assert.equal((await introduction(door(), kept)).service, "waits for its settings")
    assert.equal((await get("/pages/starting.html")).status, 404, "no file of the server by its name")
  })

  it("is not taken for another server", async () => {
    await assert.rejects(introduction(door(), { birth: "x".repeat(43) }), /is not the server that was made/)
  })

  it("takes its operator's settings alone, and starts the service with them", async () => {
    const { cloud: local } = cloud
    const runtime = { apiUrl: cloud.apiUrl, token: cloud.token, routerPort: nginx.port, doorPort: 1 }
    const choices = localChoices({ ...runtime, signIn: local.signIn }, HOST, { browser: cloud.imageId })
    const there = { hasZone: async () => true, image: async () => 1 }
    const { given } = await planPlatform({ name: "main" }, kept, {}, there, choices)
    const stranger = keptPlatform("other", { FOOZOL_DATA: join(scratch.path, "stranger") })
    const pretended = { birth: kept.birth, operatorKey: stranger.operatorKey }
    await assert.rejects(handOver(door(), pretended, given, { waitMs: 0 }), /not signed by this server's operator/)
    assert.equal(service, undefined)
    await handOver(door(), kept, given, waiting)
    await serviceReady(door(), kept, waiting)
    assert.equal(environment.FOOZOL_SECRET, kept.secret)
    const { status, headers, text } = await get("/")
    assert.equal(status, 200)
    assert.match(text, /Sign in with GitHub/)
    assert.match(String(headers["strict-transport-security"]), /max-age/)
  })

  it("is safe by its own check: Redis as Compose starts it", async () => {
    const { stdout } = await foozolCloud(["service", "check", "--json"], environment as Record<string, string>)
    const found = JSON.parse(stdout) as { part: string; state: string; says: string }[]
    assert.deepEqual(
      found.filter(({ state }) => state !== "ok"),
      [],
    )
    assert.ok(found.some(({ part }) => part === "redis"))
  })

  function get(path: string) {
    type Got = { status: number; headers: Record<string, unknown>; text: string }
    return new Promise<Got>((resolve, reject) => {
      const where = { host: "127.0.0.1", port: nginx.port, servername: HOST, rejectUnauthorized: false, agent: false }
      const headers = { host: `${HOST}:${nginx.port}` }
      const call = request({ ...where, path, headers }, response => {
        let text = ""
        response.setEncoding("utf8").on("data", part => {
          text += part
        })
        response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
      })
      call.on("error", reject).end()
    })
  }
  const cacheOf = () => join(process.env.XDG_CACHE_HOME ?? join(process.env.HOME ?? "", ".cache"), "foozol-cloud")

  it("each part of what was handed over is in the file as systemd reads it", async () => {
    const text = await readFile(join(scratch.path, "secrets/service.env"), "utf8")
    assert.equal(readEnvironment(text).FOOZOL_GITHUB_CLIENT_SECRET, cloud.cloud.signIn?.clientSecret)
    await waitUntil("the service is alive", async () => service?.exitCode === null)
  })
})

const wordsOf = (text: string, pattern: RegExp) => JSON.parse(pattern.exec(text)?.[1] ?? "[]") as string[]

/** As systemd reads a file of an environment: double quotes, in which a backslash takes a character as it is. */
function readEnvironment(text: string): Record<string, string> {
  const lines = text.matchAll(/^(\w+)="((?:[^"\\]|\\[\s\S])*)"$/gm)
  return Object.fromEntries(
    Array.from(lines, ([, name = "", value = ""]) => [name, value.replace(/\\([\s\S])/g, "$1")]),
  )
}
