/// <reference lib="dom" />
import type { OperationEvent } from "../../operations/operation.ts"

interface Listener {
  event(event: OperationEvent): void
  /** Is the stream away? Told at every change. */
  trouble(lost: boolean): void
}

const TRY_AGAIN = 3_000

/**
 * Listens to an operation's events. The browser comes back by itself after a broken connection and says what it had
 * last; after an answer that is no stream it gives up, so then another one is made, and what it tells twice is dropped.
 */
export function followEvents(url: string, listener: Listener): { close(): void } {
  let source: EventSource
  let last: [number, number] = [0, -1]
  let timer: ReturnType<typeof setTimeout> | undefined
  let closed = false

  function hear(message: MessageEvent<string>): void {
    const id = parseId(message.lastEventId)
    if (id !== null) {
      if (!isAfter(id, last)) return
      last = id
    }
    const event = JSON.parse(message.data) as OperationEvent
    listener.event({ ...event, type: message.type } as OperationEvent)
  }

  function open(): void {
    source = new EventSource(url)
    for (const type of ["step", "log", "state"]) source.addEventListener(type, hear)
    source.addEventListener("open", () => listener.trouble(false))
    source.addEventListener("error", () => {
      if (closed) return
      listener.trouble(true)
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(open, TRY_AGAIN)
    })
  }

  open()
  return {
    close() {
      closed = true
      clearTimeout(timer)
      source.close()
    },
  }
}

/** Milliseconds and number of an id such as "1700000000000-3"; null for another shape. */
function parseId(id: string): [number, number] | null {
  const found = /^(\d+)-(\d+)$/.exec(id)
  return found === null ? null : [Number(found[1]), Number(found[2])]
}

const isAfter = (a: [number, number], b: [number, number]) => a[0] > b[0] || (a[0] === b[0] && a[1] > b[1])
