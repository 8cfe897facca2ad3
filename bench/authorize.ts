/**
 * What it costs to ask whether somebody may in: the service's `/vnc/authorize` with its whole check, beside a bare Koa
 * and NGINX's own `return 204`, asked directly and through NGINX's `auth_request` as a machine asks. 10,000 live tokens
 * of 2,000 users, each request another one. The targets take turns in every round, so that what else the machine does
 * meets all alike; what counts is the relation.
 */
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { loadavg, tmpdir } from "node:os"
import { join } from "node:path"
import { freePort, startRedis } from "../cli/redis-process.ts"
import type { CloudConfig } from "../infra/cloud-config.ts"
import type { Order, Result } from "./authorize-load.ts"
import { startCheckingNginx } from "./authorize-nginx.ts"
import { issueTokens } from "./authorize-tokens.ts"
import { cpuSeconds } from "./cpu.ts"
import { type Measurement, quantile } from "./measurement.ts"
import { treeCpuSeconds } from "./process-tree.ts"
import { startServiceUnderTest } from "./service-under-test.ts"

const USERS = { users: 2_000, tokensEach: 5 }
const SECRET = "a secret for the bench, long enough to be one"
/** Requests a second at which latency is measured. */
const RATE = 1_000
const FLOOD_S = 2
const PACED_S = 8

type Checker = "ours" | "koa" | "nginx"
const CHECKERS: Checker[] = ["ours", "koa", "nginx"]

/** @param options.count rounds (5) */
export async function bench(options: Record<string, string>): Promise<Measurement[]> {
  const directory = await mkdtemp(join(tmpdir(), "foozol-authorize-"))
  const ends: (() => Promise<unknown> | unknown)[] = [() => rm(directory, { recursive: true, force: true })]
  try {
    const redis = await startRedis({ directory: join(directory, "redis"), password: "a-password-for-the-bench" })
    ends.push(() => redis.stop())
    const admissions = await issueTokens({ redisUrl: redis.url, secret: SECRET }, USERS)
    const parts = { redisUrl: redis.url, secret: SECRET, cloud: nowhere(directory) }
    const service = await startServiceUnderTest(directory, parts, { FOOZOL_ROLES: "web" })
    ends.push(() => service.process.stop())
    const koa = child("authorize-koa.ts")
    ends.push(() => koa.kill())
    const [front, plain] = [await freePort(0), await freePort(0)]
    const ports = { ours: service.port, koa: ((await said(koa)) as { port: number }).port, nginx: plain }
    const nginx = await startCheckingNginx(directory, { front, plain }, ports)
    ends.push(() => nginx.end())
    const load = child("authorize-load.ts")
    ends.push(() => load.kill())
    load.send({ admissions })

    const ask = async (order: Order) => {
      load.send(order)
      return (await said(load)) as Result
    }
    const directly = (checker: Checker) => ({ port: ports[checker], path: "/vnc/authorize" })
    const behind = (checker: Checker) => ({ port: front, path: `/${checker}` })
    const pids = { ours: service.pid, koa: koa.pid ?? 0, nginx: nginx.pid, redis: redis.pid }
    const record = recorder()
    // Code that has not been compiled yet is not what is measured.
    for (const checker of CHECKERS) await ask({ ...behind(checker), seconds: FLOOD_S, rate: null })
    for (let round = 0; round < Number(options.count ?? 5); round++) {
      const rates: Record<string, number> = {}
      for (const checker of turned(CHECKERS, round)) {
        const straight = await ask({ ...directly(checker), seconds: FLOOD_S, rate: null })
        rates[`${checker}_direct`] = straight.requests / straight.seconds
        const used = () => ({ checker: usedBy(pids, checker), redis: cpuSeconds(pids.redis) })
        const before = used()
        const { requests, seconds } = await ask({ ...behind(checker), seconds: FLOOD_S, rate: null })
        rates[checker] = requests / seconds
        record(`${checker}_cpu_us`, "µs", ((used().checker - before.checker) / requests) * 1e6)
        if (checker === "ours") record("redis_cpu_us", "µs", ((used().redis - before.redis) / requests) * 1e6)
        const { latencies } = await ask({ ...behind(checker), seconds: PACED_S, rate: RATE })
        const prefix = checker === "ours" ? "" : `${checker}_`
        record(`${prefix}p50_ms`, "ms", quantile(latencies, 0.5))
        record(`${prefix}p99_ms`, "ms", quantile(latencies, 0.99))
      }
      for (const [name, rate] of Object.entries(rates)) record(`${name}_per_s`, "1/s", rate)
      record("ratio_to_koa", "ratio", (rates.ours ?? 0) / (rates.koa ?? 0))
      record("ratio_to_koa_direct", "ratio", (rates.ours_direct ?? 0) / (rates.koa_direct ?? 0))
      record("load_average", "", loadavg()[0] as number)
    }
    return record.all()
  } finally {
    for (const end of ends.reverse()) await end()
  }
}

/** A cloud nobody asks here: no engine runs. */
const nowhere = (directory: string): CloudConfig => ({
  ...{ pulumi: "/nonexistent", pulumiVersion: "0.0.0", home: directory, workDirectory: directory },
  ...{ backendUrl: `file://${directory}`, backendEnv: {}, passphrase: "none" },
  hetzner: { token: "none", endpoint: "http://127.0.0.1:9/v1" },
})

/** CPU seconds of a checker so far; NGINX's own answer comes from the NGINX that asks, so both are in it. */
const usedBy = (pids: Record<Checker, number>, checker: Checker) =>
  checker === "nginx" ? treeCpuSeconds(pids.nginx) : cpuSeconds(pids[checker])

const turned = <T>(all: T[], by: number): T[] => all.map((_, index) => all[(index + by) % all.length] as T)

function recorder() {
  const metrics = new Map<string, Measurement>()
  const record = (metric: string, unit: string, value: number) => {
    const known = metrics.get(metric) ?? { metric, unit, samples: [] }
    known.samples.push(value)
    metrics.set(metric, known)
  }
  return Object.assign(record, { all: () => [...metrics.values()] })
}

const child = (file: string) =>
  fork(join(import.meta.dirname, file), { execArgv: ["--disable-warning=ExperimentalWarning"] })

/** The next thing a child says. */
async function said(from: ChildProcess): Promise<unknown> {
  const stop = new AbortController()
  const ended = once(from, "exit", { signal: stop.signal }).then(() => {
    throw new Error("a part of the bench ended early")
  })
  ended.catch(() => {})
  try {
    const [message] = await Promise.race([once(from, "message", { signal: stop.signal }), ended])
    return message
  } finally {
    stop.abort()
  }
}
