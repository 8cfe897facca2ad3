import { lstat } from "node:fs/promises"
import type { Way } from "../relay/relay.ts"
import type { Desk } from "../terminals/desk.ts"
import { openDeskStream } from "../terminals/stream.ts"
import type { ConversationKeeper, Looked } from "./keeper.ts"
import type { Conversation } from "./match.ts"
import { type Key, type Listed, type Refused, readWish, type Wish, type Word } from "./protocol.ts"
import { type Said, saidIn } from "./said.ts"
import { readEnds } from "./transcript.ts"
import { lastLineOf, MOST_LINE, MOST_TITLE, oneLine } from "./words.ts"

/** Of a transcript so much of its end is shown, in bytes. */
const TAIL = 512 * 1024
/** Keys that decide something: they are pressed only where the page shows what is asked now. */
const DECIDING: ReadonlySet<Key> = new Set(["1", "2", "3", "4", "5", "y", "n", "Enter"])

/** Names a conversation on the page: by the tool's own id, or by its terminal while nothing was said in it. */
const refOf = ({ tool, id, pane }: Conversation) => `${tool}:${id ?? pane}`

/** Where the stream of the page leads. */
export const conversationsWay = (keeper: ConversationKeeper, home: string): Way => ({
  deflates: true,
  open: (client, events, deflates) =>
    openDeskStream(client, about => createConversationDesk({ keeper, home, ...about }), events, deflates),
})

/** What the page of conversations has before it: the list, and the one that it has open. */
export function createConversationDesk(options: {
  keeper: ConversationKeeper
  home: string
  send(message: Uint8Array): void
  /** A person has done something. */
  input(): void
}): Desk {
  const { keeper, home, send, input } = options
  let latest: Looked | null = null
  let [list, isClosed] = ["", false]
  let stop: (() => void) | undefined
  let shown = nothing(null)
  let [isReading, isStale] = [false, false]

  const tell = (word: Word) => {
    if (!isClosed) send(new TextEncoder().encode(JSON.stringify(word)))
  }

  function see(looked: Looked): void {
    latest = looked
    const word: Word = { is: "list", tools: looked.tools, conversations: looked.conversations.map(listed) }
    const text = JSON.stringify(word)
    if (text !== list) tell(word)
    list = text
    refresh()
  }

  const listed = (one: Conversation): Listed => ({
    ...{ ref: refOf(one), tool: one.tool, at: one.at, state: one.state },
    folder: oneLine(one.folder === home ? "~" : one.folder.replace(`${home}/`, "~/"), MOST_LINE),
    ...{ title: oneLine(one.title, MOST_TITLE), last: oneLine(lastLineOf(one.last), MOST_LINE) },
    ...{ pane: one.pane, hasPrompt: latest?.hasPrompt(one) ?? false },
  })

  const find = (ref: string | null) => latest?.conversations.find(one => refOf(one) === ref)

  /** Reads the open one again; once more after that where something has come up meanwhile. */
  function refresh(): void {
    isStale = true
    if (!isReading) void read()
  }

  async function read(): Promise<void> {
    isReading = true
    while (isStale && !isClosed) {
      isStale = false
      await show().catch(() => {})
    }
    isReading = false
  }

  async function show(): Promise<void> {
    const mine = shown
    const one = find(mine.ref)
    if (mine.ref === null || one === undefined) return
    const path = latest?.pathOf(one) ?? null
    const found = path === null ? null : await lstat(path).catch(() => null)
    const of = found && `${found.mtimeMs} ${found.size}`
    if (path !== null && of !== null && of !== mine.of) {
      const ends = await readEnds(path, { head: 0, tail: TAIL })
      if (mine !== shown) return
      mine.of = of
      if (ends !== null) tellSaid(mine, saidIn(one.tool, ends.tail))
    }
    const asks = one.pane !== null && one.state === "asks" ? one.pane : null
    const screen = asks === null ? null : trimmed(await keeper.screen(asks))
    if (mine !== shown || screen === mine.screen) return
    mine.screen = screen
    tell({ is: "screen", ref: mine.ref, text: screen })
  }

  function tellSaid(mine: Shown, all: Said[]): void {
    const texts = all.map(one => JSON.stringify(one))
    const { drop, keep } = sharedPart(mine.said, texts)
    mine.said = texts
    tell({ is: "said", ref: mine.ref ?? "", drop, keep, more: all.slice(keep) })
  }

  async function press(ref: string, key: Key): Promise<Refused | null> {
    const { pane } = find(ref) ?? {}
    if (DECIDING.has(key) && pane) {
      const now = trimmed(await keeper.screen(pane))
      if (ref !== shown.ref || now !== shown.screen) {
        refresh()
        return "changed"
      }
    }
    return keeper.press(one => refOf(one) === ref, key)
  }

  function grant(wish: Wish): void {
    if (wish.do === "leave") shown = nothing(null)
    else if (wish.do === "open") {
      shown = nothing(wish.ref)
      refresh()
    } else {
      input()
      const { number, ref } = wish
      const going =
        wish.do === "press"
          ? press(wish.ref, wish.key)
          : ref === null
            ? keeper.begin(wish.tool, wish.text)
            : keeper.give(one => refOf(one) === ref, wish.text)
      const answer = (refusal: Refused | null) => tell({ is: "answer", number, refusal })
      going.then(answer, () => answer("no-terminal"))
    }
  }

  return {
    open: () => {
      stop = keeper.watch(see)
    },
    take: message => {
      const wish = readWish(message)
      if (wish !== null) grant(wish)
      return wish !== null
    },
    close: () => {
      isClosed = true
      stop?.()
    },
  }
}

/** What the page shows of one conversation. */
interface Shown {
  ref: string | null
  /** Time and size of the transcript as it was read. */
  of: string | null
  said: string[]
  screen: string | null
}

const nothing = (ref: string | null): Shown => ({ ref, of: null, said: [], screen: null })

/** Without what is only empty. */
const trimmed = (screen: string) => screen.replace(/[^\S\n]+$/gm, "").replace(/^\n+|\n+$/g, "")

/**
 * How a list goes over into another that has lost some at its beginning and got others at its end.
 * @returns how many of the first go, and how many of what is left stay. Pure
 */
export function sharedPart(before: readonly string[], after: readonly string[]): { drop: number; keep: number } {
  const [first] = after
  const drop = first === undefined ? before.length : before.indexOf(first)
  if (drop < 0) return { drop: before.length, keep: 0 }
  let keep = 0
  while (keep < after.length && drop + keep < before.length && before[drop + keep] === after[keep]) keep++
  return { drop, keep }
}
