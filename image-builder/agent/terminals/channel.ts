import { likeLast } from "./like.ts"
import { createPace } from "./pace.ts"
import { KIND, message, type Word } from "./protocol.ts"
import type { Terminals } from "./terminals.ts"

/** How long output waits for more of it: at first, and while it goes on and on. Nobody sees 50 ms; the wire does. */
const [HOLD_MS, HOLD_MORE_MS, BUSY_MS] = [8, 50, 150]
/** After a key, what comes is its echo and does not wait. */
const ECHO_MS = 60
/** This much does not wait for more. */
const ENOUGH = 32 * 1024
/** Least time between two snapshots of a terminal that is faster than its viewer, in ms. */
const ANEW_MS = 100

export interface Channel {
  type(bytes: Buffer): void
  paste(text: string): void
  size(cols: number, rows: number): void
  taken(total: number): void
  close(): void
}

/**
 * One terminal before one page. Output is gathered and sent on; a page that cannot keep up gets none until it has
 * taken what it has, and then sees the terminal as it is by then: nothing piles up anywhere, so keys act at once.
 */
export function createChannel(options: {
  number: number
  id: string
  terminals: Terminals
  send(message: Uint8Array): void
  tell(word: Word): void
  ended(): void
}): Channel | null {
  const { number, id, terminals, send, tell } = options
  const pace = createPace()
  let gathered: Buffer[] = []
  let last: Uint8Array = new Uint8Array()
  let [size, sentAt, typedAt, anewAt] = [0, 0, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]
  let timer: NodeJS.Timeout | undefined
  let anewTimer: NodeJS.Timeout | undefined
  let [asking, isStale, isBehind, closed] = [false, false, false, false]
  let shown = ""

  function output(bytes: Buffer): void {
    if (asking || isBehind || closed) return
    gathered.push(bytes)
    size += bytes.length
    const now = performance.now()
    if (size >= ENOUGH || now - typedAt < ECHO_MS) flush()
    else timer ??= setTimeout(flush, now - sentAt < BUSY_MS ? HOLD_MORE_MS : HOLD_MS)
  }

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    if (size === 0 || closed) return
    const bytes = gathered.length === 1 ? (gathered[0] as Buffer) : Buffer.concat(gathered)
    const told = likeLast(last, bytes)
    last = bytes
    gathered = []
    const now = performance.now()
    pace.sent(size, now)
    size = 0
    sentAt = now
    send(told ? message(KIND.like, number, told) : message(KIND.bytes, number, bytes))
    if (!pace.isBehind()) return
    isBehind = true
    watch?.rest()
  }

  /** Shows the terminal as it is, once it is time. */
  function anew(): void {
    if (asking || closed || anewTimer !== undefined) {
      isStale = true
      return
    }
    const wait = anewAt + ANEW_MS - performance.now()
    if (wait > 0) {
      anewTimer = setTimeout(() => {
        anewTimer = undefined
        anew()
      }, wait)
      return
    }
    showAnew()
  }

  function showAnew(): void {
    flush()
    asking = true
    isStale = false
    watch?.snapshot(snapshot => {
      asking = false
      anewAt = performance.now()
      if (closed || !snapshot) return
      isBehind = false
      const { cols, rows, bytes } = snapshot
      if (shown !== `${cols}x${rows}`) tell({ is: "size", channel: number, cols, rows })
      shown = `${cols}x${rows}`
      pace.sentAnew(bytes.length, anewAt)
      send(message(KIND.anew, number, bytes))
      if (isStale) anew()
    })
  }

  const close = () => {
    closed = true
    clearTimeout(timer)
    clearTimeout(anewTimer)
  }
  const watch = terminals.watch(id, {
    output,
    stale: anew,
    ended: () => {
      flush()
      close()
      options.ended()
    },
  })
  if (watch === null) return null
  anew()

  return {
    type: bytes => {
      typedAt = performance.now()
      watch.type(bytes)
    },
    paste: text => {
      typedAt = performance.now()
      watch.paste(text)
    },
    size: watch.size,
    taken: total => {
      pace.taken(total, performance.now())
      if (isBehind && pace.isClear() && !asking) anew()
    },
    close: () => {
      close()
      watch.leave()
    },
  }
}
