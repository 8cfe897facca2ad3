import { constants, createDeflateRaw } from "node:zlib"
import { MAX_HEADER, OPCODE, writeHeader } from "../relay/frames.ts"

/** Messages shorter than this go as they are: a key's echo is not worth the wait. */
const SMALL = 24
/** "This message is compressed" (RSV1). */
const DEFLATED = 0x40

export interface Outbox {
  send(message: Uint8Array): void
  close(): void
}

/**
 * Writes messages as WebSocket frames, in order. Compressed ones share one dictionary for as long as the stream
 * lives: what a terminal shows now is mostly what it showed before.
 * @param write takes frames
 * @param deflates whether the other side understands compressed messages
 */
export function createOutbox(write: (frame: Buffer) => void, deflates: boolean): Outbox {
  if (!deflates) return { send: message => write(frame(message, 0)), close: () => {} }
  const deflate = createDeflateRaw({ flush: constants.Z_SYNC_FLUSH, level: 6, memLevel: 8 })
  const waiting: Uint8Array[] = []
  let made: Buffer[] = []
  let [busy, closed] = [false, false]
  deflate.on("data", part => made.push(part))
  deflate.on("error", () => {})

  function next(): void {
    for (let message = waiting.shift(); message !== undefined; message = waiting.shift()) {
      if (message.length < SMALL) {
        write(frame(message, 0))
        continue
      }
      busy = true
      deflate.write(message, () => {
        busy = false
        if (closed) return
        const bytes = Buffer.concat(made)
        made = []
        write(frame(bytes.subarray(0, bytes.length - 4), DEFLATED))
        next()
      })
      return
    }
  }

  return {
    send: message => {
      if (closed) return
      waiting.push(message)
      if (!busy) next()
    },
    close: () => {
      closed = true
      waiting.length = 0
      deflate.close()
    },
  }
}

function frame(message: Uint8Array, flags: number): Buffer {
  const whole = Buffer.allocUnsafe(MAX_HEADER + message.length)
  const at = writeHeader(whole, MAX_HEADER, OPCODE.binary, message.length)
  whole[at] = (whole[at] as number) | flags
  whole.set(message, MAX_HEADER)
  return whole.subarray(at)
}
