/**
 * The web terminal beside ttyd, in one run, each with a tmux of its own: the echo of a key, Ctrl-C in a flood, and
 * bytes on the wire while a coding agent works. FOOZOL_BENCH_TTYD names the program (package `ttyd` of Debian).
 */
import { type ChildProcess, execFileSync, fork, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { freePort } from "../cli/redis-process.ts"
import { startTmux, type TmuxServer } from "../test/support/tmux-server.ts"
import { waitUntil } from "../test/support/wait-until.ts"
import { type Measurement, quantile } from "./measurement.ts"
import { treeMemory } from "./process-tree.ts"
import { reachable } from "./reachable.ts"

type Kind = "ours" | "ttyd"
interface Server {
  port: number
  pid: number
  tmux: TmuxServer
  end(): Promise<void>
}

const KINDS = ["ours", "ttyd"] as const
/** As the agent's unit starts it. */
const NODE_OPTIONS = ["--max-semi-space-size=1", "--max-old-space-size=64", "--optimize-for-size"]
const NODE_ENVIRONMENT = { MALLOC_ARENA_MAX: "1", MALLOC_TRIM_THRESHOLD_: "131072" }
/** How many keys one turn takes, and turns of each kind. */
const [KEYS, TURNS] = [150, 6]
const FLOOD_MS = 1_500
const TERMINALS = 20

/** @param options.count rounds (3) @param options.seconds of an agent's work in each (60) */
export async function bench(options: Record<string, string>): Promise<Measurement[]> {
  const ttyd = process.env.FOOZOL_BENCH_TTYD ?? ""
  if (!existsSync(ttyd)) {
    console.error(
      "FOOZOL_BENCH_TTYD names no ttyd (Debian's package of that name): nothing to compare with, terminal skipped.",
    )
    return []
  }
  const directory = await mkdtemp(join(tmpdir(), "foozol-terminal-"))
  const rounds: Awaited<ReturnType<typeof round>>[] = []
  try {
    const program = await bundled(directory)
    for (let at = 0; at < Number(options.count ?? 3); at++) {
      rounds.push(await round({ program, ttyd, seconds: Number(options.seconds ?? 60), seed: at + 1 }))
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
  const figures = (metric: string, unit: string, of: (one: (typeof rounds)[number]) => number) => ({
    metric,
    unit,
    samples: rounds.map(of),
  })
  return [
    figures("echo_p50_ratio_to_ttyd", "ratio", one => quantile(one.echo.ours, 0.5) / quantile(one.echo.ttyd, 0.5)),
    figures("echo_p99_ms", "ms", one => quantile(one.echo.ours, 0.99)),
    figures("interrupt_ms", "ms", one => one.interrupt.ours.ms),
    figures("bytes_ratio_to_ttyd", "ratio", one => one.bytes.ours / one.bytes.ttyd),
    figures("kbit_s", "kbit/s", one => (one.bytes.ours * 8) / 1_000 / one.seconds),
    figures("memory_20_mb", "MB", one => one.memory),
    figures("echo_p50_ms", "ms", one => quantile(one.echo.ours, 0.5)),
    figures("ttyd_echo_p50_ms", "ms", one => quantile(one.echo.ttyd, 0.5)),
    figures("ttyd_echo_p99_ms", "ms", one => quantile(one.echo.ttyd, 0.99)),
    figures("ttyd_interrupt_ms", "ms", one => one.interrupt.ttyd.ms),
    figures("flood_mb", "MB", one => one.interrupt.ours.bytes / 1e6),
    figures("ttyd_flood_mb", "MB", one => one.interrupt.ttyd.bytes / 1e6),
    figures("ttyd_kbit_s", "kbit/s", one => (one.bytes.ttyd * 8) / 1_000 / one.seconds),
  ]
}

async function round(given: { program: string; ttyd: string; seconds: number; seed: number }) {
  const { seconds, seed } = given
  const ours = await startOurs(given.program)
  const giveUp = async (error: unknown) => {
    await ours.end()
    throw error
  }
  const servers = { ours, ttyd: await startTtyd(given.ttyd).catch(giveUp) }
  try {
    const echo: Record<Kind, number[]> = { ours: [], ttyd: [] }
    // In short turns: what the machine does beside then meets both alike.
    for (let turn = 0; turn < TURNS; turn++) {
      for (const kind of turn % 2 === 0 ? KINDS : KINDS.toReversed()) {
        const { samples } = (await load("echo", kind, servers[kind].port, KEYS)) as { samples: number[] }
        echo[kind].push(...samples.slice(10))
      }
    }
    const flood = (kind: Kind) => load("interrupt", kind, servers[kind].port, FLOOD_MS)
    const interrupt = {
      ours: (await flood("ours")) as { ms: number; bytes: number },
      ttyd: (await flood("ttyd")) as { ms: number; bytes: number },
    }
    const node = `${process.execPath} --disable-warning=ExperimentalWarning`
    const work = `${node} ${join(import.meta.dirname, "agent-output.ts")} ${seconds} ${seed}`
    const [mine, theirs] = (await Promise.all(
      KINDS.map(kind => load("bytes", kind, servers[kind].port, seconds + 2, work)),
    )) as { bytes: number }[]
    const memory = await memoryOfMany(servers.ours)
    return { echo, interrupt, bytes: { ours: mine?.bytes ?? 0, ttyd: theirs?.bytes ?? 0 }, memory, seconds }
  } finally {
    for (const kind of KINDS) await servers[kind].end()
  }
}

/** Memory of the agent's part, its clients of tmux and tmux's server with 20 terminals that somebody looks at, in MB. */
async function memoryOfMany({ port, pid, tmux }: Server): Promise<number> {
  for (let at = 1; at < TERMINALS; at++)
    await tmux.tmux("new-session", "-d", "-s", `more${at}`, "-x", "120", "-y", "40")
  const viewers = [fork(...script("many", "ours", port))]
  for (const viewer of viewers) await said(viewer, "many")
  const server = Number((await tmux.tmux("display-message", "-p", "#{pid}")).trim())
  const memory = treeMemory(pid) + ownMemory(server)
  for (const viewer of viewers) viewer.kill()
  return memory
}

/** Of the server alone: the shells are the person's own. */
const ownMemory = (pid: number) =>
  Number(/^Pss:\s+(\d+)/m.exec(execFileSync("cat", [`/proc/${pid}/smaps_rollup`], { encoding: "utf8" }))?.[1]) / 1_000

/** Bundles the agent's part as the image does. */
async function bundled(directory: string): Promise<string> {
  const { build } = await import("esbuild")
  const outfile = join(directory, "terminal.cjs")
  const entryPoints = [join(import.meta.dirname, "terminal-ours.ts")]
  await build({ entryPoints, outfile, bundle: true, platform: "node", format: "cjs", target: "node24", minify: true })
  return outfile
}

async function startOurs(program: string): Promise<Server> {
  const [tmux, port] = [await startTmux(), await freePort(0)]
  const env = { ...process.env, ...NODE_ENVIRONMENT }
  const args = [...NODE_OPTIONS, program, String(port), tmux.socket, tmpdir()]
  return started(spawn(process.execPath, args, { stdio: "inherit", env }), port, tmux)
}

async function startTtyd(ttyd: string): Promise<Server> {
  const [tmux, port] = [await startTmux(), await freePort(0)]
  const attach = ["tmux", "-u", "-S", tmux.socket, "attach-session", "-t", "main"]
  return started(spawn(ttyd, ["-W", "-i", "127.0.0.1", "-p", String(port), ...attach], { stdio: "ignore" }), port, tmux)
}

async function started(child: ChildProcess, port: number, tmux: TmuxServer): Promise<Server> {
  try {
    await waitUntil(`${child.spawnfile} listens`, () => reachable(port), 10_000)
  } catch (error) {
    child.kill()
    await tmux.close()
    throw error
  }
  return {
    port,
    pid: child.pid ?? 0,
    tmux,
    end: async () => {
      const ended = once(child, "exit")
      child.kill()
      await ended
      await tmux.close()
    },
  }
}

const script = (...args: (string | number)[]): [string, string[], object] => [
  join(import.meta.dirname, "terminal-load.ts"),
  args.map(String),
  { execArgv: ["--disable-warning=ExperimentalWarning"] },
]

async function load(...args: (string | number)[]): Promise<unknown> {
  const child = fork(...script(...args))
  await said(child, "ready")
  const result = await said(child)
  child.kill()
  return result
}

async function said(child: ChildProcess, what?: string): Promise<unknown> {
  const gone = once(child, "exit").then(() => Promise.reject(new Error("a viewer ended early")))
  gone.catch(() => {})
  for (;;) {
    const [message] = (await Promise.race([once(child, "message"), gone])) as [Record<string, unknown>]
    if (what === undefined || what in message) return message
  }
}
