import { once } from "node:events"
import WebSocket from "ws"
import type { Key, Listed, Wish, Word } from "../../image-builder/agent/conversations/protocol.ts"
import type { Said } from "../../image-builder/agent/conversations/said.ts"
import type { Tool } from "../../image-builder/agent/conversations/transcript.ts"
import type { TestAgent } from "./test-agent.ts"
import { waitUntil } from "./wait-until.ts"

/** A page of conversations: what it would show. */
export interface AgentsPage {
  socket: WebSocket
  words: Word[]
  list(): Listed[]
  said(): Said[]
  screen(): string | null
  wish(wish: Wish): void
  /** @returns why not */
  prompt(text: string, ref?: string | null, tool?: Tool): Promise<string | null>
  press(ref: string, key: Key): Promise<string | null>
}

/** Opens the stream of the page with a token that is good. */
export async function openAgentsPage(desk: TestAgent, token: string): Promise<AgentsPage> {
  desk.service.tokens.add(token)
  const url = `ws+unix:${desk.config.socket}:/agents/stream`
  const socket = new WebSocket(url, "binary", { headers: { "x-foozol-token": token } })
  const words: Word[] = []
  let [number, said, ref] = [0, [] as Said[], ""]
  socket.on("message", (data: Buffer) => {
    const word: Word = JSON.parse(data.toString())
    words.push(word)
    if (word.is !== "said") return
    said = word.ref === ref ? [...said.slice(word.drop).slice(0, word.keep), ...word.more] : word.more
    ref = word.ref
  })
  await once(socket, "open")
  const wish = (given: Wish) => socket.send(Buffer.from(JSON.stringify(given)))
  const newest = <T extends Word["is"]>(is: T) =>
    words.findLast((one): one is Extract<Word, { is: T }> => one.is === is)
  const answered = () =>
    waitUntil("it is answered", () => words.find(one => one.is === "answer" && one.number === number))
  const ask = async (given: Wish) => {
    wish(given)
    const word = await answered()
    return word.is === "answer" ? word.refusal : null
  }
  return {
    ...{ socket, words, wish },
    list: () => newest("list")?.conversations ?? [],
    said: () => said,
    screen: () => newest("screen")?.text ?? null,
    prompt: (text, ref = null, tool = "claude") => ask({ do: "prompt", number: ++number, ref, tool, text }),
    press: (ref, key) => ask({ do: "press", number: ++number, ref, key }),
  }
}
