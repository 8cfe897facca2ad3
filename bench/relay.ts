/**
 * The agent's relay beside Debian's websockify, in turn and with the same load: one saturated stream, 50 viewers at
 * 1 MB/s, and the time a pointer event takes there and back. What counts is the relation of the two.
 */
import { type ChildProcess, fork, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { freePort } from "../cli/redis-process.ts"
import { waitUntil } from "../test/support/wait-until.ts"
import { type Measurement, quantile } from "./measurement.ts"
import { processTree, treeCpuSeconds, treeMemory } from "./process-tree.ts"
import { reachable } from "./reachable.ts"

type Relay = "ours" | "websockify"
type Targets = Record<"flood" | "paced" | "echo", number>
type Figures = Record<
  "throughput" | "cpu" | "memory" | "echoP50" | "echoP99" | "echoP50Loaded" | "echoP99Loaded",
  number
>
type Start = (relay: Relay, target: number) => Promise<{ port: number; pid: number; end: () => Promise<void> }>

const VIEWERS = 50
/** As the agent's unit starts it. */
const NODE_OPTIONS = ["--max-semi-space-size=1", "--max-old-space-size=64", "--optimize-for-size"]
const NODE_ENVIRONMENT = { MALLOC_ARENA_MAX: "1", MALLOC_TRIM_THRESHOLD_: "131072" }

/** @param options.count rounds (3); each measures both relays, the first of the two changing */
export async function bench(options: Record<string, string>): Promise<Measurement[]> {
  if (spawnSync("websockify", ["--help"]).error) {
    console.error("websockify is not installed (apt-get install websockify): nothing to compare with, relay skipped.")
    return []
  }
  const directory = await mkdtemp(join(tmpdir(), "foozol-relay-"))
  const ends: ChildProcess[] = []
  try {
    const start = await starter(directory)
    const [source, echo] = [load("source"), load("echo")]
    ends.push(source, echo)
    const targets = Object.assign({}, ...(await Promise.all([message(source), message(echo)]))) as Targets
    const rounds: Record<Relay, Figures>[] = []
    for (let round = 0; round < Number(options.count ?? 3); round++) {
      const echoes = await quietEchoes(start, targets)
      const figures: Partial<Record<Relay, Figures>> = {}
      const order: Relay[] = round % 2 === 0 ? ["ours", "websockify"] : ["websockify", "ours"]
      for (const relay of order) figures[relay] = { ...(await measure(start, relay, targets)), ...echoes[relay] }
      rounds.push(figures as Record<Relay, Figures>)
    }
    return summary(rounds)
  } finally {
    for (const child of ends) child.kill()
    await rm(directory, { recursive: true, force: true })
  }
}

function summary(rounds: Record<Relay, Figures>[]): Measurement[] {
  const ratio = (metric: string, of: keyof Figures) => ({
    metric,
    unit: "ratio",
    samples: rounds.map(round => round.ours[of] / round.websockify[of]),
  })
  const plain = (relay: Relay, of: keyof Figures, metric: string, unit: string) => ({
    metric: `${relay}_${metric}`,
    unit,
    samples: rounds.map(round => round[relay][of]),
  })
  const both = (of: keyof Figures, metric: string, unit: string) =>
    (["ours", "websockify"] as const).map(relay => plain(relay, of, metric, unit))
  return [
    ratio("throughput_ratio", "throughput"),
    ratio("cpu_ratio_50", "cpu"),
    ratio("memory_ratio_50", "memory"),
    ratio("echo_p50_ratio", "echoP50"),
    { metric: "echo_p99_loaded_ms", unit: "ms", samples: rounds.map(round => round.ours.echoP99Loaded) },
    ...both("throughput", "mb_per_s", "MB/s"),
    ...both("cpu", "cpu_50", "cpu s/GB"),
    ...both("memory", "mb_50", "MB"),
    ...both("echoP50", "echo_p50", "ms"),
    ...both("echoP99", "echo_p99", "ms"),
    ...both("echoP50Loaded", "echo_p50_50", "ms"),
    plain("websockify", "echoP99Loaded", "echo_p99_50", "ms"),
  ]
}

async function measure(start: Start, relay: Relay, targets: Targets): Promise<Omit<Figures, "echoP50" | "echoP99">> {
  const flooded = await start(relay, targets.flood)
  const saturated = await stream(flooded.port, 1, 4)
  const { bytes, seconds } = await saturated.result
  await flooded.end()

  const busy = await start(relay, targets.paced)
  const viewers = await stream(busy.port, VIEWERS, 6)
  const before = treeCpuSeconds(busy.pid)
  const seen = await viewers.result
  const cpu = (treeCpuSeconds(busy.pid) - before) / (seen.bytes / 1e9)
  const memory = treeMemory(busy.pid)
  // The viewers stay until they are let go: the echo shares its process with them.
  const loaded = await ping(busy.port, 4_000)
  viewers.end()
  await busy.end()
  return {
    throughput: bytes / seconds / 1e6,
    cpu,
    memory,
    echoP50Loaded: quantile(loaded, 0.5),
    echoP99Loaded: quantile(loaded, 0.99),
  }
}

/**
 * The echo of both, with nothing else to do, in short turns: what the machine does beside then meets both alike.
 */
async function quietEchoes(start: Start, targets: Targets) {
  const relays = { ours: await start("ours", targets.echo), websockify: await start("websockify", targets.echo) }
  const samples: Record<Relay, number[]> = { ours: [], websockify: [] }
  for (let turn = 0; turn < 6; turn++) {
    for (const relay of ["ours", "websockify"] as const) samples[relay].push(...(await ping(relays[relay].port, 800)))
  }
  await Promise.all([relays.ours.end(), relays.websockify.end()])
  const figures = (relay: Relay) => ({
    echoP50: quantile(samples[relay], 0.5),
    echoP99: quantile(samples[relay], 0.99),
  })
  return { ours: figures("ours"), websockify: figures("websockify") }
}

/** Viewers that stream; ready when the measured span begins. */
async function stream(port: number, viewers: number, seconds: number) {
  const child = load("stream", port, viewers, seconds)
  await message(child)
  const result = message(child) as Promise<{ bytes: number; seconds: number }>
  result.then(() => viewers === 1 && child.kill())
  return { result, end: () => child.kill() }
}

async function ping(port: number, count: number): Promise<number[]> {
  const child = load("ping", port, count)
  const { samples } = (await message(child)) as { samples: number[] }
  child.kill()
  return samples
}

const load = (...args: (string | number)[]) =>
  fork(join(import.meta.dirname, "relay-load.ts"), args.map(String), {
    execArgv: ["--disable-warning=ExperimentalWarning"],
  })

async function message(child: ChildProcess): Promise<unknown> {
  const gone = once(child, "exit").then(() => Promise.reject(new Error("a part of the load ended early")))
  gone.catch(() => {})
  const [said] = await Promise.race([once(child, "message"), gone])
  return said
}

/** Bundles our relay as the image does, so that memory is what a machine will see. */
async function starter(directory: string): Promise<Start> {
  const { build } = await import("esbuild")
  const outfile = join(directory, "relay.mjs")
  const entryPoints = [join(import.meta.dirname, "relay-ours.ts")]
  await build({ entryPoints, outfile, bundle: true, platform: "node", format: "esm", target: "node24", minify: true })
  const env = { ...process.env, ...NODE_ENVIRONMENT }
  return async (relay, target) => {
    const port = await freePort(0)
    const child =
      relay === "ours"
        ? spawn(process.execPath, [...NODE_OPTIONS, outfile, String(port), String(target)], { stdio: "inherit", env })
        : spawn("websockify", [`127.0.0.1:${port}`, `127.0.0.1:${target}`], { stdio: "ignore" })
    await waitUntil(`${relay} listens`, () => reachable(port), 10_000)
    return {
      port,
      pid: child.pid ?? 0,
      end: async () => {
        const ended = once(child, "exit")
        const below = processTree(child.pid ?? 0).slice(1)
        child.kill()
        await ended
        // Those that websockify forked outlive it.
        for (const pid of below) {
          try {
            process.kill(pid)
          } catch {
            // Ended by itself.
          }
        }
      },
    }
  }
}
