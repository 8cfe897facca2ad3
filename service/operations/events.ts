import type { Redis } from "ioredis"
import { PREFIX } from "../redis/connect.ts"
import type { Subscriber } from "../redis/subscriber.ts"
import { KEY } from "../workspaces/store.ts"
import type { OperationEvent } from "./operation.ts"

const streamKey = KEY.eventsOf
const channel = (operation: string) => `${PREFIX}op-news:${operation}`

/** Events of one operation that are kept; older ones go. A creation has about 30. */
const KEPT = 2_000
/** Seconds they are kept after the last one. */
const KEPT_S = 7 * 24 * 3600

/** An event with its place in the stream, by which a reader goes on where it was. */
export interface StoredEvent {
  id: string
  event: OperationEvent
}

export interface OperationEvents {
  tell(operation: string, event: OperationEvent): Promise<void>
  /** Events after a place; all when it is null. */
  read(operation: string, after: string | null): Promise<StoredEvent[]>
  /** Every event from a place on, late or live, each once and in order, until the signal aborts. */
  follow(operation: string, after: string | null, signal: AbortSignal): AsyncGenerator<StoredEvent>
}

export function createOperationEvents(redis: Redis, subscriber: Subscriber): OperationEvents {
  async function read(operation: string, after: string | null): Promise<StoredEvent[]> {
    const entries = await redis.xrange(streamKey(operation), after === null ? "-" : `(${after}`, "+")
    return entries.map(([id, [, json]]) => ({ id, event: JSON.parse(json as string) as OperationEvent }))
  }
  return {
    read,
    async tell(operation, event) {
      await redis
        .multi()
        .xadd(streamKey(operation), "MAXLEN", "~", KEPT, "*", "e", JSON.stringify(event))
        .expire(streamKey(operation), KEPT_S)
        .publish(channel(operation), "")
        .exec()
    },
    async *follow(operation, after, signal) {
      let news = Promise.withResolvers<void>()
      const wake = () => news.resolve()
      const forget = await subscriber.listen(channel(operation), wake)
      signal.addEventListener("abort", wake, { once: true })
      try {
        let last = after
        while (!signal.aborted) {
          // Renewed before reading: what is told while we read is seen in the next round.
          news = Promise.withResolvers<void>()
          const events = await read(operation, last)
          for (const one of events) {
            yield one
            last = one.id
          }
          if (events.length === 0 && !signal.aborted) await news.promise
        }
      } finally {
        forget()
        signal.removeEventListener("abort", wake)
      }
    },
  }
}
