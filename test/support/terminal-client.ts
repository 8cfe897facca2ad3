import { once } from "node:events"
import xterm from "@xterm/headless"
import WebSocket from "ws"
import { fromLike } from "../../image-builder/agent/terminals/like.ts"
import { HEADER, KIND, message, say, type Wish, type Word } from "../../image-builder/agent/terminals/protocol.ts"
import { waitUntil } from "./wait-until.ts"

/** What the terminal page does, without a page: the emulator is the same. */
export interface TerminalClient {
  socket: WebSocket
  /** What the agent said, oldest first; `all` is the newest list. */
  words: Word[]
  terminals(): Extract<Word, { is: "terminals" }>["all"]
  /** Looks at a terminal by its name. */
  watch(name: string, options?: { takes?: boolean }): Promise<WatchedTerminal>
  wish(wish: Wish): void
  sendRaw(bytes: Uint8Array): void
  /** The code it was closed with. */
  closed: Promise<number>
  /** Bytes of output in all. */
  received(): number
  close(): void
}

export interface WatchedTerminal {
  channel: number
  /** Lines that can be seen, without what is empty at their ends. */
  screen(): string[]
  /** All lines, with those that have scrolled away. */
  lines(): string[]
  emulator: InstanceType<typeof xterm.Terminal>
  /** How often it was shown anew. */
  anew(): number
  type(text: string): void
  paste(text: string): void
  /** Says how much was taken, from now on by itself. */
  take(): void
}

/** @param url of the WebSocket @param headers what NGINX or a browser would send */
export async function openTerminalClient(url: string, options: WebSocket.ClientOptions = {}): Promise<TerminalClient> {
  const socket = new WebSocket(url, "binary", { perMessageDeflate: true, ...options })
  socket.on("error", () => {})
  const words: Word[] = []
  const channels = new Map<number, (kind: number, payload: Buffer) => void>()
  let received = 0
  socket.on("message", (data: Buffer) => {
    const [kind, channel] = [data[0] ?? 0, data[1] ?? 0]
    const payload = data.subarray(HEADER)
    if (kind === KIND.json) {
      const word = JSON.parse(payload.toString()) as Word
      words.push(word)
      if (word.is === "size") channels.get(word.channel)?.(KIND.json, payload)
    } else {
      received += payload.length
      channels.get(channel)?.(kind, payload)
    }
  })
  const closed = once(socket, "close").then(([code]) => code as number)
  await once(socket, "open")
  const terminals = () => words.findLast(word => word.is === "terminals")?.all ?? []
  const wish = (given: Wish) => socket.send(say(given))
  let last = 0

  return {
    socket,
    words,
    terminals,
    wish,
    sendRaw: bytes => socket.send(bytes),
    closed,
    received: () => received,
    close: () => socket.terminate(),
    watch: async (name, { takes = true } = {}) => {
      const found = await waitUntil(`there is a terminal ${name}`, () => terminals().find(one => one.name === name))
      const channel = ++last
      const emulator = new xterm.Terminal({ cols: 80, rows: 24, scrollback: 10_000, allowProposedApi: true })
      let [anew, total, isTaking] = [0, 0, takes]
      let before: Uint8Array = new Uint8Array()
      const take = () => {
        const payload = Buffer.alloc(8)
        payload.writeDoubleBE(total)
        if (isTaking && socket.readyState === WebSocket.OPEN) socket.send(message(KIND.taken, channel, payload))
      }
      channels.set(channel, (kind, payload) => {
        if (kind === KIND.json) {
          const { cols, rows } = JSON.parse(payload.toString())
          emulator.resize(cols, rows)
          return
        }
        const bytes = kind === KIND.like ? fromLike(before, payload) : payload
        if (kind !== KIND.anew) before = bytes
        emulator.write(bytes, () => {
          // Counted when it can be seen: the emulator takes its time.
          if (kind === KIND.anew) anew++
          total += bytes.length
          take()
        })
      })
      wish({ do: "watch", channel, id: found.id })
      await waitUntil("the terminal is shown", () => anew > 0)
      const lines = (from: number) => {
        const { active } = emulator.buffer
        return Array.from(
          { length: active.length - from },
          (_, at) => active.getLine(from + at)?.translateToString(true) ?? "",
        )
      }
      return {
        channel,
        emulator,
        screen: () => lines(emulator.buffer.active.baseY),
        lines: () => lines(0),
        anew: () => anew,
        type: text => socket.send(message(KIND.bytes, channel, Buffer.from(text))),
        paste: text => socket.send(message(KIND.paste, channel, Buffer.from(text))),
        take: () => {
          isTaking = true
          take()
        },
      }
    },
  }
}
