import { PassThrough } from "node:stream"
import type { StoredEvent } from "../../operations/events.ts"
import { isOver } from "../../operations/operation.ts"
import type { Services } from "../../services.ts"

/** A stream that is silent is closed by proxies on the way. */
const KEEP_ALIVE_MS = 15_000

/**
 * An operation's events as Server-Sent Events, from a place on; the stream ends with the operation.
 * @param gone resolves when the reader is gone
 */
export function eventStream(
  { store, events, log }: Pick<Services, "store" | "events" | "log">,
  { id, after, gone }: { id: string; after: string | null; gone: Promise<void> },
): PassThrough {
  const stream = new PassThrough()
  const closed = new AbortController()
  void gone.then(() => closed.abort())
  stream.once("close", () => closed.abort())
  const timer = setInterval(() => stream.write(": here\n\n"), KEEP_ALIVE_MS)
  // Headers go out at once: a browser waits for them before it says that it is connected.
  stream.write(": hello\n\n")

  async function send(): Promise<void> {
    const operation = await store.operation(id)
    if (!operation || isOver(operation)) {
      for (const one of await events.read(id, after)) stream.write(format(one))
      return
    }
    for await (const one of events.follow(id, after, closed.signal)) {
      stream.write(format(one))
      if (one.event.type === "state" && isOver({ state: one.event.state })) return
    }
  }
  void send()
    .catch(error => log.debug({ err: error }, "a stream of events ended"))
    .finally(() => {
      clearInterval(timer)
      stream.end()
    })
  return stream
}

const format = ({ id, event }: StoredEvent) => `id: ${id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
