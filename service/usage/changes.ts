import type { Redis } from "ioredis"
import type { Logger } from "pino"
import { PREFIX } from "../redis/connect.ts"
import { KEY } from "../workspaces/store.ts"
import { STATES, type State } from "../workspaces/transitions.ts"
import type { Place, WorkspaceInfo } from "../workspaces/workspace.ts"
import type { Ledger } from "./ledger.ts"
import type { LedgerLine, LinePrice } from "./ledger-line.ts"

/** Changes that are written at once; more follow in the next round. */
const AT_ONCE = 200
/** Where entries go that cannot be read, so that they hold up no others. */
const REFUSED = `${PREFIX}changes-refused`

/** A change of a workspace's state, as the script that made it has told it. */
export interface Change {
  /** Place in the stream: new for every change, and the same however often it is read. */
  id: string
  info: WorkspaceInfo
  from: State | null
  to: State
  epoch: number
  /** Milliseconds since 1970. */
  at: number
  /** The operation it belongs to. */
  operation: string | null
  stopMode: string | null
}

/** Changes that the ledger does not have yet, oldest first, with the entries among them that are none. */
async function readChanges(redis: Redis, count?: number): Promise<{ changes: Change[]; unreadable: string[] }> {
  const entries = await (count === undefined
    ? redis.xrange(KEY.changes, "-", "+")
    : redis.xrange(KEY.changes, "-", "+", "COUNT", count))
  const parsed = entries.map(([id, fields]) => ({ id, change: parseChange(id, fields) }))
  return {
    changes: parsed.flatMap(({ change }) => change ?? []),
    unreadable: parsed.flatMap(({ id, change }) => (change ? [] : [id])),
  }
}

/** Lines of the changes that are on their way to the ledger, at the prices the workspaces were created with. */
export async function linesOnTheirWay(redis: Redis): Promise<LedgerLine[]> {
  return (await readChanges(redis)).changes.map(change => lineOf(change, change.info.price))
}

function parseChange(id: string, fields: string[]): Change | null {
  const all: Record<string, string> = {}
  for (let at = 0; at + 1 < fields.length; at += 2) all[fields[at] as string] = fields[at + 1] as string
  try {
    const place = all.place ? (JSON.parse(all.place) as Place) : {}
    const info = { ...(JSON.parse(all.info ?? "") as WorkspaceInfo), ...place }
    const [from, to] = [all.from || null, all.to] as [State | null, State]
    const [epoch, at] = [Number(all.epoch), Number(all.at)]
    const isWhole = STATES.includes(to) && (from === null || STATES.includes(from)) && epoch >= 0 && at >= 0
    if (!isWhole || typeof info.id !== "string" || typeof info.owner !== "string") return null
    return { id, info, from, to, epoch, at, operation: all.operation || null, stopMode: all.stopMode || null }
  } catch {
    return null
  }
}

function lineOf({ info, from, to, epoch, at, stopMode }: Change, price: LinePrice | null): LedgerLine {
  const { id: workspace, owner, name, profile, provider, region, size } = info
  return { at, workspace, owner, name, profile, provider, region, size, price, stopMode, from, to, epoch }
}

export interface Mover {
  redis: Redis
  ledger: Ledger
  log: Logger
  /** The live price of what a workspace runs on; null where nobody knows it now. */
  priceOf(info: WorkspaceInfo): Promise<LinePrice | null>
  /** Told of every change at least once, before it is forgotten. */
  heard(change: Change): Promise<void>
}

/**
 * Brings changes from the stream to the ledger. An entry goes only when the disk has its line and everybody has heard of
 * it: where this process dies in between it is brought again, and the ledger's readers ignore the copy.
 * @returns how many there were
 */
export async function moveChanges({ redis, ledger, log, priceOf, heard }: Mover): Promise<number> {
  const { changes, unreadable } = await readChanges(redis, AT_ONCE)
  for (const id of unreadable) await refuse(redis, id, log)
  if (changes.length === 0) return unreadable.length
  const lines = await Promise.all(
    changes.map(async change => lineOf(change, (await priceOf(change.info).catch(() => null)) ?? change.info.price)),
  )
  await ledger.append(lines)
  for (const change of changes) await heard(change)
  await redis.xdel(KEY.changes, ...changes.map(change => change.id))
  return changes.length + unreadable.length
}

async function refuse(redis: Redis, id: string, log: Logger): Promise<void> {
  const [entry] = await redis.xrange(KEY.changes, id, id)
  log.error({ id }, `a change of state could not be read; it is kept in the stream ${REFUSED}`)
  if (entry) await redis.xadd(REFUSED, "*", ...entry[1])
  await redis.xdel(KEY.changes, id)
}
