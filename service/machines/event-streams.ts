import { PassThrough } from "node:stream"
import { setTimeout as sleep } from "node:timers/promises"

/** A machine takes a stream that is silent for a minute for dead. */
const KEEP_ALIVE_MS = 20_000
/**
 * Streams that a workspace may have here: its machine's, and those it lost and nobody knows it of yet. Whoever has a
 * machine has its key, and could open any number.
 */
const MOST_STREAMS = 3
/** What may wait for a machine to read it, bytes: some eight times all secrets there may be. */
const MOST_WAITING = 2 * 1024 * 1024

/** What a machine is told, as it is told: server-sent events. */
export interface EventStream {
  /** What goes out. */
  out: PassThrough
  /** One that is not read is ended: a machine is told all of it when it connects again. */
  send(type: string, data: unknown): void
  /** Says at times that it is there, until the signal aborts. */
  keepAlive(signal: AbortSignal): Promise<void>
}

/** Opens streams for machines; of too many of one workspace the oldest ends. */
export function createEventStreams(): { open(workspace: string): EventStream } {
  const all = new Map<string, Set<PassThrough>>()
  return {
    open(workspace) {
      const out = new PassThrough()
      const its = all.get(workspace) ?? new Set()
      all.set(workspace, its.add(out))
      const [oldest] = its
      if (its.size > MOST_STREAMS) oldest?.destroy()
      out.once("close", () => {
        its.delete(out)
        if (its.size === 0 && all.get(workspace) === its) all.delete(workspace)
      })
      return {
        out,
        send(type, data) {
          if (out.destroyed) return
          out.write(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`)
          if (out.writableLength > MOST_WAITING) out.destroy()
        },
        async keepAlive(signal) {
          try {
            for (;;) {
              await sleep(KEEP_ALIVE_MS, undefined, { signal })
              out.write(": here\n\n")
            }
          } catch {
            out.end()
          }
        },
      }
    },
  }
}
