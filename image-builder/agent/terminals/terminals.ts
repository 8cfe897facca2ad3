import type { Log } from "../log.ts"
import type { Run } from "../run.ts"
import {
  closeCommand,
  createCommand,
  keyCommands,
  pasteCommands,
  renameCommand,
  sizeCommand,
  sizedCommand,
  unsizeCommand,
} from "./commands.ts"
import { attachControl, type ControlClient } from "./control-client.ts"
import { freeName, type Pane, type Terminal } from "./list.ts"
import { composeSnapshot, SNAPSHOT_ANSWERS, type Snapshot, snapshotCommand } from "./snapshot.ts"
import { createTitleFilter } from "./titles.ts"
import { createTmux } from "./tmux.ts"

/** Terminals there may be before none is made any more. */
export const MAX_TERMINALS = 32
/** News of tmux come in bursts; and some changes (the program in front) make none. */
const [SOON_MS, LOOK_MS] = [40, 5_000]
/** How long a size stays after the last viewer who had asked for one: a reconnect must not change it twice. */
const UNSIZE_MS = 5_000

/** Somebody who looks at one terminal. */
export interface Watcher {
  output(bytes: Buffer): void
  /** What it shows is not what it was: a new size, or output was left out. */
  stale(): void
  /** Called once; the terminal is gone. */
  ended(): void
}

export interface Watch {
  /** @param done gets what the terminal shows, null when it is gone, before any output that comes after it */
  snapshot(done: (snapshot: Snapshot | null) => void): void
  type(bytes: Buffer): void
  paste(text: string): void
  /** Gives the terminal this size, where it has its window for itself. */
  size(cols: number, rows: number): void
  /** Says that output is of no use until the next snapshot. */
  rest(): void
  leave(): void
}

export interface Terminals {
  /** Tells of all terminals, now and whenever something changes. @returns a function that ends it */
  follow(listener: (all: Terminal[]) => void): () => void
  watch(id: string, watcher: Watcher): Watch | null
  /** @returns its id; null when there are too many, or tmux does not answer */
  create(name: string | null): Promise<string | null>
  rename(id: string, name: string): Promise<boolean>
  end(id: string): Promise<boolean>
  close(): void
}

interface Watched {
  watchers: Map<Watcher, { resting: boolean }>
  filter: (bytes: Buffer) => Buffer
  /** tmux leaves its output out. */
  paused: boolean
  /** How often tmux was told to, and has not said yet that it does. */
  pausing: number
  /** It may show something of tmux's own, which would take what is typed. */
  inMode: boolean
  sized: boolean
  unsizing: NodeJS.Timeout | undefined
}

/**
 * The workspace's terminals, as tmux has them. One client in control mode for each session that is looked at carries
 * the output of its panes, however many look; what is asked of tmux goes by any of them.
 */
export function createTerminals(options: {
  socket: string
  /** In which new ones begin. */
  folder(): string
  run: Run
  log: Log
}): Terminals {
  const { socket, run, log } = options
  const clients = new Map<string, ControlClient>()
  const watched = new Map<string, Watched>()
  const listeners = new Set<(all: Terminal[]) => void>()
  let panes = new Map<string, Pane>()
  let told = ""
  let closed = false
  let looking: Promise<void> | null = null
  let lookingNext: Promise<void> | null = null
  let soon: NodeJS.Timeout | undefined

  const tmux = createTmux({ socket, run, client: () => [...clients.values()][0] })
  const plain = ({ id, name, program, front, cols, rows }: Pane): Terminal => ({ id, name, program, front, cols, rows })

  /** Resolves when it is known what there was at the time of the call, or later. */
  function look(): Promise<void> {
    if (looking) {
      // The one under way may have asked before.
      lookingNext ??= looking.then(() => {
        lookingNext = null
        return look()
      })
      return lookingNext
    }
    looking = lookNow().finally(() => {
      looking = null
    })
    return looking
  }

  async function lookNow(): Promise<void> {
    const found = await tmux.panes()
    if (found === null || closed) return
    panes = new Map(found.map(pane => [pane.id, pane]))
    for (const id of watched.keys()) if (!panes.has(id)) gone(id)
    const all = [...panes.values()].map(plain)
    const text = JSON.stringify(all)
    if (text === told) return
    told = text
    for (const listener of listeners) listener(all)
  }

  function lookSoon(): void {
    soon ??= setTimeout(() => {
      soon = undefined
      if (!closed) void look()
    }, SOON_MS)
  }

  function gone(id: string): void {
    const one = watched.get(id)
    watched.delete(id)
    clearTimeout(one?.unsizing)
    for (const watcher of one?.watchers.keys() ?? []) watcher.ended()
    letGo()
  }

  /** Ends the clients of sessions that nobody looks at. */
  function letGo(): void {
    const used = new Set([...watched.keys()].map(id => panes.get(id)?.session))
    for (const [session, client] of clients) if (!used.has(session)) client.close()
  }

  function clientOf(session: string): ControlClient {
    const there = clients.get(session)
    if (there) return there
    const client = attachControl(
      { socket, session },
      {
        wants: id => [...(watched.get(id)?.watchers.values() ?? [])].some(one => !one.resting),
        output: (id, bytes) => {
          const one = watched.get(id)
          const text = one?.filter(bytes)
          for (const [watcher, { resting }] of one?.watchers ?? []) if (text && !resting) watcher.output(text)
        },
        notice,
        ended: () => {
          if (clients.get(session) !== client) return
          clients.delete(session)
          for (const id of watched.keys()) if (panes.get(id)?.session === session) gone(id)
          lookSoon()
        },
      },
    )
    clients.set(session, client)
    return client
  }

  function notice(name: string, rest: string): void {
    const id = rest.split(" ")[0] ?? ""
    if (name === "layout-change") {
      for (const [pane, one] of watched) if (panes.get(pane)?.window === id) staleAll(one)
    } else if (name === "pause") {
      const one = watched.get(id)
      if (one && one.pausing > 0) one.pausing--
      else if (one) {
        one.paused = true
        staleAll(one)
      }
      return
    } else if (name === "pane-mode-changed") {
      const one = watched.get(id)
      if (one) one.inMode = true
      return
    } else if (name === "continue") return
    lookSoon()
  }

  const staleAll = (one: Watched) => {
    for (const watcher of one.watchers.keys()) watcher.stale()
  }

  async function unsize(id: string, one: Watched): Promise<void> {
    const pane = panes.get(id)
    one.sized = false
    if (pane) await tmux.ask(unsizeCommand(pane.window))
  }

  function watch(id: string, watcher: Watcher): Watch | null {
    const pane = panes.get(id)
    if (!pane || closed) return null
    const fresh = () => ({
      ...{ watchers: new Map(), filter: createTitleFilter(), paused: false, pausing: 0, inMode: true, sized: false },
      unsizing: undefined,
    })
    const one: Watched = watched.get(id) ?? fresh()
    const me = { resting: true }
    watched.set(id, one)
    one.watchers.set(watcher, me)
    clearTimeout(one.unsizing)
    const client = clientOf(pane.session)
    /** Nothing goes to a terminal that is gone: its number may be another's. */
    const isThere = () => watched.get(id) === one && one.watchers.has(watcher)
    const beforeKeys = () => {
      if (!one.inMode) return
      one.inMode = false
      client.tell(`copy-mode -q -t ${id}`)
    }
    return {
      snapshot: done => {
        if (!isThere()) return done(null)
        if (one.paused) client.tell(`refresh-client -A '${id}:continue'`)
        one.paused = false
        client.ask(snapshotCommand(id), SNAPSHOT_ANSWERS, answers => {
          // What was read before is in it.
          me.resting = false
          done(isThere() ? composeSnapshot(answers) : null)
        })
      },
      type: bytes => {
        if (!isThere()) return
        beforeKeys()
        for (const command of keyCommands(id, bytes)) client.tell(command)
      },
      paste: text => {
        if (!isThere()) return
        beforeKeys()
        for (const command of pasteCommands(id, text)) client.tell(command)
      },
      size: (cols, rows) => {
        const now = panes.get(id)
        if (!isThere() || now?.panes !== 1) return
        one.sized = true
        void tmux.ask(sizeCommand(now.window, cols, rows))
      },
      rest: () => {
        me.resting = true
        if (!isThere() || one.paused || [...one.watchers.values()].some(({ resting }) => !resting)) return
        one.paused = true
        one.pausing++
        client.tell(`refresh-client -A '${id}:pause'`)
      },
      leave: () => {
        if (!one.watchers.delete(watcher) || one.watchers.size > 0 || watched.get(id) !== one) return
        const end = () => {
          watched.delete(id)
          // A client that is ended takes along what it has not passed on yet.
          if (one.sized) void unsize(id, one).then(letGo)
          else letGo()
        }
        if (!one.sized) return end()
        one.unsizing = setTimeout(end, UNSIZE_MS)
        one.unsizing.unref()
      },
    }
  }

  /** Sizes that an agent before this one has left. */
  async function tidy(): Promise<void> {
    for (const line of (await tmux.ask(sizedCommand)) ?? []) {
      const window = /^(@\d+) 1$/.exec(line)?.[1]
      if (window !== undefined) await tmux.ask(unsizeCommand(window))
    }
  }
  tidy().catch(error => log.warn(`sizes of terminals: ${error}`))

  const watching = setInterval(() => {
    if (listeners.size > 0) void look()
  }, LOOK_MS)

  return {
    follow: listener => {
      listeners.add(listener)
      if (listeners.size > 1) listener([...panes.values()].map(plain))
      else told = ""
      void look()
      return () => void listeners.delete(listener)
    },
    watch,
    create: async name => {
      await look()
      if (panes.size >= MAX_TERMINALS) return null
      const given = name ?? freeName([...panes.values()].map(pane => pane.name))
      // The name of a session may be taken by one whose window was moved away; a few tries find a free one.
      for (let number = panes.size; number < panes.size + 2 * MAX_TERMINALS; number++) {
        const session = `t${number}`
        const lines = await tmux.ask(createCommand(session, given, options.folder()))
        const id = lines?.[0]
        if (id === undefined || !/^%\d+$/.test(id)) continue
        await look()
        return id
      }
      return null
    },
    rename: async (id, name) => {
      const pane = panes.get(id)
      if (!pane) return false
      const lines = await tmux.ask(renameCommand(pane.window, name))
      lookSoon()
      return lines !== null
    },
    end: async id => {
      if (!panes.has(id)) return false
      const lines = await tmux.ask(closeCommand(id))
      lookSoon()
      return lines !== null
    },
    close: () => {
      closed = true
      clearInterval(watching)
      clearTimeout(soon)
      for (const [id, one] of watched) {
        clearTimeout(one.unsizing)
        if (one.sized) void unsize(id, one)
      }
      // What was told is written out by then.
      setTimeout(() => {
        for (const client of clients.values()) client.close()
      }, 100).unref()
    },
  }
}
