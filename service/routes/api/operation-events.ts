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
  const timer = setInterval(() => {
    stream.write(": here\n\n")
    void lookForEnd()
  }, KEEP_ALIVE_MS)
  // Headers go out at once: a browser waits for them before it says that it is connected.
  stream.write(": hello\n\n")

  async function send(): Promise<void> {
    await lookForEnd()
    let place = after
    const write = (one: StoredEvent) => {
      stream.write(format(one))
      place = one.id
      return one.event.type === "state" && isOver({ state: one.event.state })
    }
    for await (const one of events.follow(id, place, closed.signal)) if (write(one)) return
    for (const one of await events.read(id, place)) if (write(one)) return
    await tellEnd(place)
  }

  /** Ends the following where the operation is over: a worker that died after the last write told nobody. */
  async function lookForEnd(): Promise<void> {
    const operation = await store.operation(id).catch(() => null)
    if (operation && isOver(operation)) closed.abort()
  }

  /** Says the end as it stands in the record, behind all that was told. */
  async function tellEnd(place: string | null): Promise<void> {
    const operation = await store.operation(id)
    if (stream.destroyed || !operation || !isOver(operation)) return
    const { state, failure, finishedAt } = operation
    const event = {
      type: "state",
      at: finishedAt ?? operation.createdAt,
      state,
      ...(failure ? { failure } : {}),
    } as const
    const [ms, count] = (place ?? "0-0").split("-")
    stream.write(format({ id: `${ms}-${Number(count) + 1}`, event }))
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
