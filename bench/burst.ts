/**
 * 100 people sign up at the same moment: each signs in with the stand-in for GitHub, asks for a workspace and watches
 * its progress, as the pages do, until it runs. The service is a process of its own with real engine and Redis;
 * the machines are pretended, but report over HTTP as real ones do.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { loadavg, tmpdir } from "node:os"
import { join } from "node:path"
import { startRedis } from "../cli/redis-process.ts"
import { startTestCloud, type TestCloud } from "../test/support/local-cloud.ts"
import { createReportingMachines } from "../test/support/reporting-machines.ts"
import { answerPage } from "../test/support/sign-in.ts"
import { createVisitor, type Visitor } from "../test/support/visitor.ts"
import { testEngineConfig } from "../test/support/workspace.ts"
import { cpuSeconds } from "./cpu.ts"
import type { Measurement } from "./measurement.ts"
import { treeCpuSeconds, treeMemory } from "./process-tree.ts"
import { startServiceUnderTest } from "./service-under-test.ts"

const SECRET = "a secret for the bench, long enough to be one"
/** A look at memory costs the machine some itself. */
const LOOK_MS = 500

/** How one person's sign-up went, in seconds since all began. */
interface SignUp {
  /** State of the workspace at the end, and why it failed. */
  state: string
  failure: { message: string } | null
  signedIn: number
  asked: number
  running: number
}

/** @param options.count people (100); options.parallel engine runs at once (the service's default) */
export async function bench(options: Record<string, string>): Promise<Measurement[]> {
  const count = Number(options.count ?? 100)
  const directory = await mkdtemp(join(tmpdir(), "foozol-burst-"))
  const ends: (() => Promise<unknown> | unknown)[] = [() => rm(directory, { recursive: true, force: true })]
  try {
    const machines = createReportingMachines(join(directory, "machines"))
    const cloud = await startTestCloud({
      machines: "none",
      driver: () => machines.machines,
      settings: { signIn: {} },
    })
    ends.push(() => cloud.close())
    const redis = await startRedis({ directory: join(directory, "redis"), password: "a-password-for-the-bench" })
    ends.push(() => redis.stop())
    const parts = { redisUrl: redis.url, secret: SECRET, cloud: testEngineConfig(directory, cloud) }
    const service = await startServiceUnderTest(directory, parts, settingsFor(cloud, options.parallel))
    ends.push(
      () => service.process.stop(),
      () => machines.close(),
    )
    // The first creation makes what all later ones copy, once in the life of a backend.
    const first = createPerson(service.url, "warm-up", 0)
    await first.signUp(performance.now())
    await first.remove()

    const used = () => ({ service: treeCpuSeconds(service.pid), redis: cpuSeconds(redis.pid) })
    const asked = async () => Object.values(await cloud.requests()).reduce((sum, one) => sum + one, 0)
    const [before, askedBefore] = [used(), await asked()]
    let peak = 0
    const looks = setInterval(() => (peak = Math.max(peak, treeMemory(service.pid))), LOOK_MS)
    const began = performance.now()
    const people = Array.from({ length: count }, (_, index) => createPerson(service.url, `person-${index}`, index + 1))
    const all = await Promise.all(people.map(person => person.signUp(began)))
    clearInterval(looks)
    const after = used()
    const alive = cloud.ledger().alive.length
    for (const { state, failure } of all) if (state !== "RUNNING") console.error(state, failure?.message ?? "")
    const last = (what: "signedIn" | "asked" | "running") => Math.max(...all.map(one => one[what]))
    const one = (metric: string, unit: string, value: number): Measurement => ({ metric, unit, samples: [value] })
    return [
      one("seconds", "s", last("running")),
      one("failed", "", all.filter(({ state }) => state !== "RUNNING").length),
      one("machines", "", alive),
      one("cpu_s_per_signup", "CPU s", (after.service - before.service) / count),
      one("redis_cpu_s", "CPU s", (after.redis - before.redis) / count),
      one("peak_rss_mb", "MB", peak),
      one("all_signed_in_s", "s", last("signedIn")),
      one("all_asked_s", "s", last("asked")),
      { metric: "running_s", unit: "s", samples: all.map(({ running }) => running) },
      one("api_requests", "1", ((await asked()) - askedBefore) / count),
      one("load_average", "", loadavg()[0] as number),
    ]
  } finally {
    for (const end of ends.reverse()) await end()
  }
}

function settingsFor(cloud: TestCloud, engineChildren: string | undefined): Record<string, string> {
  const { signIn } = cloud.cloud
  if (!signIn) throw new Error("The local cloud has no sign-in.")
  return {
    ...{ FOOZOL_GITHUB_URL: signIn.url, FOOZOL_GITHUB_CLIENT_ID: signIn.clientId },
    FOOZOL_GITHUB_CLIENT_SECRET: signIn.clientSecret,
    ...{ FOOZOL_IMAGE_BROWSER: String(cloud.imageId) },
    // Each comes from an address of their own: sign-ins are limited by address.
    FOOZOL_TRUST_PROXY: "true",
    ...(engineChildren === undefined ? {} : { FOOZOL_ENGINE_CHILDREN: engineChildren }),
  }
}

function createPerson(url: string, login: string, place: number) {
  const visitor = createVisitor({ "x-forwarded-for": `10.0.${place >> 8}.${place & 255}` })
  const call = async (method: string, path: string, body?: object) => {
    const answer = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { cookie: cookieOf(visitor), origin: url, ...(body ? { "content-type": "application/json" } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    if (!answer.ok) throw new Error(`${method} ${path} was answered ${answer.status}: ${await answer.text()}`)
    return answer
  }
  /** The stream of events ends with the operation. */
  const watch = async (operation: string) => (await call("GET", `/operations/${operation}/events`)).text()
  let workspace = ""
  return {
    async signUp(began: number): Promise<SignUp> {
      const since = () => (performance.now() - began) / 1_000
      const end = await answerPage(visitor, await visitor.get(`${url}/login/github`), { login })
      if (end.status !== 200) throw new Error(`Signing in ended with ${end.status} at ${end.url}.`)
      const signedIn = since()
      const begun = (await (await call("POST", "/workspaces", { sizeClass: "small", region: "fsn1" })).json()) as Begun
      workspace = begun.workspace.id
      const asked = since()
      await watch(begun.operation.id)
      const running = since()
      const { state, failure } = (await (await call("GET", `/workspaces/${workspace}`)).json()) as Begun["workspace"]
      return { state, failure, signedIn, asked, running }
    },
    async remove(): Promise<void> {
      const begun = (await (await call("DELETE", `/workspaces/${workspace}`)).json()) as Begun
      await watch(begun.operation.id)
    },
  }
}

interface Begun {
  workspace: { id: string } & Pick<SignUp, "state" | "failure">
  operation: { id: string }
}

const cookieOf = (visitor: Visitor) =>
  [...(visitor.cookies.get("127.0.0.1") ?? [])].map(([name, value]) => `${name}=${value}`).join("; ")
