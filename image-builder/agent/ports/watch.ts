import { pause } from "../backoff.ts"
import { type Log, reasonOf } from "../log.ts"
import { type Listener, readListeners } from "./listeners.ts"
import { type Owner, ownersOf } from "./programs.ts"

/** A web server of the user, as it is told of: that it speaks HTTP is taken for granted. */
export interface OpenPort {
  port: number
  program: string
}

export interface PortWatch {
  /** The server at a port, looked for now; null where none may be shown. */
  find(port: number): Promise<Listener | null>
  /** What was last seen, for reports. */
  ports(): OpenPort[]
  done: Promise<void>
}

/** Between two looks; one reads two files of /proc, and more only when something listens that did not before. */
const LOOK_MS = 3_000
/** A look holds for so long: a page of a development server asks for hundreds of modules. */
const HOLDS_MS = 1_000
/** As many as a report takes. */
const MOST = 50

/** Follows which servers of the workspace's user listen, and who they are. */
export function watchPorts(options: {
  user: number | undefined
  /** Ports that are none of the user's. */
  except: readonly number[]
  /** Other servers listen than before. */
  changed(): void
  clock: () => number
  signal: AbortSignal
  log: Log
  proc?: string
  lookMs?: number
}): PortWatch {
  const { user, except, clock, signal, log, proc = "/proc", lookMs = LOOK_MS } = options
  let owners = new Map<string, Owner>()
  let shown: Listener[] = []
  let looked = { at: Number.NEGATIVE_INFINITY, listeners: Promise.resolve<Listener[]>([]) }

  async function look(): Promise<Listener[]> {
    const listeners = await readListeners(user, except, proc)
    const unknown = listeners.filter(one => !owners.has(one.inode)).map(one => one.inode)
    if (unknown.length > 0 && user !== undefined) {
      const found = await ownersOf(new Set(unknown), user, proc)
      // One whose owner cannot be told is nobody that could be shown: it may just have ended.
      owners = new Map([...owners, ...found].filter(([inode]) => listeners.some(one => one.inode === inode)))
    }
    const before = JSON.stringify(ports())
    shown = listeners.filter(one => owners.get(one.inode)?.isShown).slice(0, MOST)
    if (JSON.stringify(ports()) !== before) options.changed()
    return shown
  }
  function lookNow(): Promise<Listener[]> {
    if (clock() - looked.at >= HOLDS_MS) looked = { at: clock(), listeners: look() }
    return looked.listeners
  }
  const ports = () => shown.map(({ port, inode }) => ({ port, program: owners.get(inode)?.name ?? "" }))

  async function keep(): Promise<void> {
    while (!signal.aborted) {
      await lookNow().catch(error => log.warn(`listening programs could not be looked at: ${reasonOf(error)}`))
      await pause(lookMs, signal)
    }
  }
  return {
    async find(port) {
      const among = async () => (await lookNow()).find(one => one.port === port) ?? null
      const found = await among()
      if (found !== null || clock() - looked.at < 100) return found
      // It may have begun to listen since.
      looked.at = Number.NEGATIVE_INFINITY
      return among()
    },
    ports,
    done: keep(),
  }
}
