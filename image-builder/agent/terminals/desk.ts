import { type Channel, createChannel } from "./channel.ts"
import { HEADER, KIND, readWish, say, type Wish, type Word } from "./protocol.ts"
import { MAX_TERMINALS, type Terminals } from "./terminals.ts"

export interface Desk {
  open(): void
  /** A message of the page. @returns whether it was one */
  take(message: Buffer): boolean
  close(): void
}

/** What a page has before it: the list of terminals, and those that it looks at. */
export function createDesk(options: {
  terminals: Terminals
  send(message: Uint8Array): void
  /** A person has typed. */
  input(): void
}): Desk {
  const { terminals, send, input } = options
  const channels = new Map<number, Channel>()
  let follow: (() => void) | undefined
  let [viewOnly, closed, creating] = [false, false, false]

  const tell = (word: Word) => {
    if (!closed) send(say(word))
  }
  const refuse = (why: string) => tell({ is: "refused", why })

  function leave(channel: number): void {
    channels.get(channel)?.close()
    channels.delete(channel)
  }

  async function create(name: string | null): Promise<void> {
    if (creating) return
    creating = true
    const id = await terminals.create(name)
    creating = false
    if (id !== null) tell({ is: "created", id })
    else refuse(`No terminal could be opened. There can be ${MAX_TERMINALS} at most: close one, then try again.`)
  }

  function watch(channel: number, id: string): void {
    leave(channel)
    const ended = () => {
      channels.delete(channel)
      tell({ is: "ended", channel })
    }
    const opened = createChannel({ number: channel, id, terminals, send, tell, ended })
    if (opened) channels.set(channel, opened)
    else tell({ is: "ended", channel })
  }

  function grant(wish: Wish): void {
    if (wish.do === "watch") watch(wish.channel, wish.id)
    else if (wish.do === "leave") leave(wish.channel)
    else if (wish.do === "view-only") viewOnly = wish.on
    else if (!viewOnly) change(wish)
  }

  function change(wish: Exclude<Wish, { do: "watch" | "leave" | "view-only" }>): void {
    // A window that was drawn larger is nobody's typing.
    if (wish.do === "size") {
      channels.get(wish.channel)?.size(wish.cols, wish.rows)
      return
    }
    input()
    if (wish.do === "create") void create(wish.name)
    else if (wish.do === "end") void terminals.end(wish.id)
    else {
      const { id, name } = wish
      void terminals.rename(id, name).then(done => done || refuse("This terminal could not be renamed: it is gone."))
    }
  }

  return {
    open: () => {
      follow = terminals.follow(all => tell({ is: "terminals", all }))
    },
    take: message => {
      const [kind, number] = message
      const payload = message.subarray(HEADER)
      if (kind === undefined || number === undefined) return false
      if (kind === KIND.json) {
        const wish = readWish(payload)
        if (wish) grant(wish)
        else refuse("That could not be done. Names are letters, digits and simple signs, 40 at most.")
        return true
      }
      // A terminal may have ended while this was on its way.
      const channel = channels.get(number)
      if (kind === KIND.taken) {
        if (payload.length !== 8) return false
        channel?.taken(payload.readDoubleBE(0))
        return true
      }
      if (kind !== KIND.bytes && kind !== KIND.paste) return false
      if (viewOnly) return true
      if (!isReport(payload)) input()
      if (kind === KIND.bytes) channel?.type(payload)
      else channel?.paste(payload.toString())
      return true
    },
    close: () => {
      if (closed) return
      closed = true
      follow?.()
      for (const number of [...channels.keys()]) leave(number)
    },
  }
}

/** That the page got or lost the focus is nobody's typing. */
const isReport = (bytes: Buffer) => ["\x1b[I", "\x1b[O"].includes(bytes.toString("latin1"))
