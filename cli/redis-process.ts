import { spawn } from "node:child_process"
import { randomInt } from "node:crypto"
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { Redis } from "ioredis"
import { InfraError } from "../infra/errors.ts"
import { which } from "../tools/setup/run.ts"

/** A Redis of our own: append-only, on loopback, with its own port, folder and password. */
export interface RedisProcess {
  url: string
  pid: number
  port: number
  /** Ends it after all it was told is on disk. */
  stop(): Promise<void>
}

/**
 * Starts a Redis over a folder and waits until it answers. What it has said yes to survives its end, and the end of
 * the machine: every write is on disk before it is answered.
 * @param options.port the port wanted; a free one if it is taken, or 0
 * @throws InfraError `redis-missing` or `redis-failed`, with what it said
 */
export async function startRedis(options: {
  directory: string
  port?: number
  password: string
}): Promise<RedisProcess> {
  const { directory, password } = options
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const program = await which("redis-server")
  if (!program) throw new InfraError("redis-missing", "fail", "redis-server is not installed: run `npm run setup`.")
  const port = await freePort(options.port ?? 0)
  const file = join(directory, "redis.conf")
  const logFile = join(directory, "redis.log")
  // The password stands in the file and not among the arguments, which everybody may read.
  writeFileSync(file, configuration({ directory, port, password }), { mode: 0o600 })
  const log = openSync(logFile, "a", 0o600)
  const child = spawn(program, [file], { detached: true, stdio: ["ignore", log, log] })
  closeSync(log)
  child.unref()
  const ended = Promise.withResolvers<void>()
  child.on("exit", () => ended.resolve())
  child.on("error", () => ended.resolve())
  const url = `redis://:${password}@127.0.0.1:${port}`
  let over = false
  void ended.promise.then(() => (over = true))
  while (!(await answers(url))) {
    if (over) {
      const said = readFileSync(logFile, "utf8").trim().split("\n").slice(-3).join(" ")
      throw new InfraError("redis-failed", "investigate", `Redis did not start; it said: ${said}`)
    }
    await sleep(50)
  }
  return {
    url,
    port,
    pid: child.pid as number,
    async stop() {
      child.ref()
      if (!over) process.kill(child.pid as number, "SIGTERM")
      await ended.promise
    },
  }
}

function configuration({ directory, port, password }: { directory: string; port: number; password: string }): string {
  return [
    "bind 127.0.0.1",
    `port ${port}`,
    `dir ${JSON.stringify(directory)}`,
    `requirepass ${password}`,
    "appendonly yes",
    "appendfsync always",
    'save ""',
    // Nothing is ever thrown away to make room: a full Redis refuses, and says so.
    "maxmemory-policy noeviction",
    "daemonize no",
    "",
  ].join("\n")
}

/**
 * Ports below those that Linux gives to connections and to whoever asks for any (`ip_local_port_range`): between the look
 * whether one is free and its use nobody gets it by chance.
 */
const OWN_PORTS = { from: 21_000, to: 32_000 }
const TRIES = 50

/** The wanted port if it is free, else any; 0: any. */
export async function freePort(wanted: number): Promise<number> {
  const tryPort = (port: number) =>
    new Promise<number | null>(resolve => {
      const server = createServer()
      server.once("error", () => resolve(null))
      server.listen(port, "127.0.0.1", () => {
        const address = server.address()
        server.close(() => resolve(typeof address === "object" && address ? address.port : null))
      })
    })
  if (wanted !== 0) {
    const port = await tryPort(wanted)
    if (port !== null) return port
  }
  for (let tries = 0; tries < TRIES; tries++) {
    const port = await tryPort(randomInt(OWN_PORTS.from, OWN_PORTS.to))
    if (port !== null) return port
  }
  return (await tryPort(0)) ?? 0
}

async function answers(url: string): Promise<boolean> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 })
  redis.on("error", () => {})
  try {
    await redis.connect()
    return (await redis.ping()) === "PONG"
  } catch {
    return false
  } finally {
    redis.disconnect()
  }
}
