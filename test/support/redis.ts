import { rm } from "node:fs/promises"
import { join } from "node:path"
import { type RedisProcess, startRedis } from "../../cli/redis-process.ts"
import { temporaryDirectory } from "./temporary-directory.ts"

export interface TestRedis {
  readonly url: string
  /** Where its append-only file lies. */
  readonly directory: string
  /** Kills it and starts it again over the same folder, on the same port. */
  crash(): Promise<void>
  /** Kills it; `resume` brings it back. */
  kill(): Promise<void>
  resume(): Promise<void>
  /** Kills it and starts it empty, on the same port: its disk is lost. */
  lose(): Promise<void>
  /** Stops it where it stands; connections stay and nothing answers. */
  freeze(): void
  thaw(): void
  close(): Promise<void>
}

/** A real Redis of a test's own. */
export async function startTestRedis(): Promise<TestRedis> {
  const { path: directory, remove } = await temporaryDirectory("fc-")
  const password = "a-password-for-tests"
  let running: RedisProcess = await startRedis({ directory, password })
  const kill = async () => {
    process.kill(running.pid, "SIGKILL")
    await running.stop()
  }
  const resume = async () => {
    running = await startRedis({ directory, password, port: running.port })
  }
  return {
    get url() {
      return running.url
    },
    directory,
    kill,
    resume,
    freeze: () => void process.kill(running.pid, "SIGSTOP"),
    thaw: () => void process.kill(running.pid, "SIGCONT"),
    async crash() {
      await kill()
      await resume()
    },
    async lose() {
      await kill()
      await rm(join(directory, "appendonlydir"), { recursive: true, force: true })
      await resume()
    },
    async close() {
      await running.stop().catch(() => {})
      await remove()
    },
  }
}
