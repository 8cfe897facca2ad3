/// <reference lib="dom" />
import { fromLike } from "../agent/terminals/like.ts"
import { HEADER, KIND, message, say, type Wish, type Word } from "../agent/terminals/protocol.ts"
import type { Stream, StreamEvents } from "../viewer/connection.ts"

/** One terminal of the page, as the stream sees it. */
export interface Sink {
  /** @param anew whether the terminal begins anew with it @param taken to be called when it is on the screen */
  output(bytes: Uint8Array, anew: boolean, taken: () => void): void
  size(cols: number, rows: number): void
  ended(): void
}

export interface TerminalStream extends Stream {
  watch(id: string, sink: Sink): Channel
  wish(wish: Wish): void
}

export interface Channel {
  type(bytes: Uint8Array): void
  paste(text: string): void
  size(cols: number, rows: number): void
  leave(): void
}

/** So much is taken before the agent is told; it goes on sending much longer. */
const TELL_EVERY = 8_192

/** The page's connection to the agent. */
export function openStream(
  address: string,
  events: StreamEvents & { word: (word: Exclude<Word, { is: "size" | "ended" }>) => void },
): TerminalStream {
  const socket = new WebSocket(address, "binary")
  socket.binaryType = "arraybuffer"
  const sinks = new Map<number, Sink & { take: (payload: Uint8Array, kind: number) => void }>()
  const send = (bytes: Uint8Array<ArrayBuffer>) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(bytes)
  }

  function hear(word: Word): void {
    if (word.is === "size") sinks.get(word.channel)?.size(word.cols, word.rows)
    else if (word.is === "ended") {
      const sink = sinks.get(word.channel)
      sinks.delete(word.channel)
      sink?.ended()
    } else events.word(word)
  }

  socket.addEventListener("message", ({ data }: MessageEvent<ArrayBuffer>) => {
    const bytes = new Uint8Array(data)
    const payload = bytes.subarray(HEADER)
    if (bytes[0] === KIND.json) hear(JSON.parse(new TextDecoder().decode(payload)))
    else sinks.get(bytes[1] ?? 0)?.take(payload, bytes[0] ?? 0)
  })
  socket.addEventListener("open", events.connected)
  socket.addEventListener("close", ({ code }) => events.closed(code))

  return {
    wish: wish => send(say(wish)),
    watch: (id, sink) => {
      let channel = 1
      while (sinks.has(channel)) channel++
      let [total, told] = [0, 0]
      let last: Uint8Array = new Uint8Array()
      const taken = (bytes: number) => {
        total += bytes
        if (total - told < TELL_EVERY) return
        told = total
        const payload = new Uint8Array(8)
        new DataView(payload.buffer).setFloat64(0, total)
        send(message(KIND.taken, channel, payload))
      }
      const take = (payload: Uint8Array, kind: number) => {
        const bytes = kind === KIND.like ? fromLike(last, payload) : payload
        if (kind !== KIND.anew) last = bytes
        sink.output(bytes, kind === KIND.anew, () => taken(bytes.length))
      }
      sinks.set(channel, { ...sink, take })
      send(say({ do: "watch", channel, id }))
      return {
        type: bytes => send(message(KIND.bytes, channel, bytes)),
        paste: text => send(message(KIND.paste, channel, new TextEncoder().encode(text))),
        size: (cols, rows) => send(say({ do: "size", channel, cols, rows })),
        leave: () => {
          if (!sinks.delete(channel)) return
          send(say({ do: "leave", channel }))
        },
      }
    },
    close: () => socket.close(),
  }
}
