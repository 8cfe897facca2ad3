/// <reference lib="dom" />
import type { Refused, Wish, Word } from "../agent/conversations/protocol.ts"
import type { Stream, StreamEvents } from "../viewer/connection.ts"

type Asked = Extract<Wish, { number: number }>
/** A wish that is answered, without its number. */
export type Question = { [K in Asked["do"]]: Omit<Extract<Asked, { do: K }>, "number"> }[Asked["do"]]

export interface AgentStream extends Stream {
  wish(wish: Exclude<Wish, Asked>): void
  /** @returns why nothing came of it; null where it went well; "lost" where nobody knows */
  ask(question: Question): Promise<Refused | "lost" | null>
}

/** The page's connection to the agent. */
export function openStream(
  address: string,
  events: StreamEvents & { word: (word: Exclude<Word, { is: "answer" }>) => void },
): AgentStream {
  const socket = new WebSocket(address, "binary")
  socket.binaryType = "arraybuffer"
  const waiting = new Map<number, (refusal: Refused | "lost" | null) => void>()
  let number = 0
  const send = (wish: Wish) => {
    if (socket.readyState !== WebSocket.OPEN) return false
    socket.send(new TextEncoder().encode(JSON.stringify(wish)))
    return true
  }
  socket.addEventListener("message", ({ data }: MessageEvent<ArrayBuffer>) => {
    const word: Word = JSON.parse(new TextDecoder().decode(data))
    if (word.is !== "answer") return events.word(word)
    waiting.get(word.number)?.(word.refusal)
    waiting.delete(word.number)
  })
  socket.addEventListener("open", events.connected)
  socket.addEventListener("close", ({ code }) => {
    for (const resolve of waiting.values()) resolve("lost")
    waiting.clear()
    events.closed(code)
  })
  return {
    wish: wish => void send(wish),
    ask: question =>
      new Promise(resolve => {
        number++
        if (send({ ...question, number } as Asked)) waiting.set(number, resolve)
        else resolve("lost")
      }),
    close: () => socket.close(),
  }
}
