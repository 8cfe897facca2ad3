import { hash } from "node:crypto"
import type { Redis } from "ioredis"
import type { Logger } from "pino"
import { PREFIX } from "../redis/connect.ts"
import type { Fault, Head } from "./chain.ts"
import { type AuditEntry, type AuditQuery, isWanted, parseEntry } from "./entry.ts"
import { type AuditFiles, SERIES } from "./files.ts"

/** Entries on their way to the files. */
const STREAM = `${PREFIX}audit`
/** Where the service's chain stood when it was written last, so that an end that was cut off is missed. */
const HEAD = `${PREFIX}audit-head`
/** What was looked at lately, by whom. */
const LOOKS = `${PREFIX}audit-look:`
const LOOK_MS = 10 * 60_000
/** Entries that are written at once; more follow in the next round. */
const AT_ONCE = 500

/** How the log was found. */
export interface AuditVerdict {
  whole: boolean
  lines: number
  faults: (Omit<Fault, "what"> & { what: Fault["what"] | "end-missing" })[]
  /** By chain: its last hash, to be noted elsewhere. */
  heads: Record<(typeof SERIES)[number], Head>
  /** Was the hash found that was asked about? */
  contains: boolean
}

/** Who did what: only ever added to, kept in files that share no fate with Redis. */
export interface Audit {
  /** Adds an entry; it is in the files about a second later. */
  record(entry: Omit<AuditEntry, "id">): Promise<void>
  /** Adds what somebody read; who looks at the same again and again, as a page does by itself, is written down once in ten minutes. */
  recordLook(entry: Omit<AuditEntry, "id">): Promise<void>
  /** Brings entries into the files. @returns how many there were */
  write(): Promise<number>
  /**
   * A page, newest first, with what is still on its way.
   * @param after id of the last entry of the page before
   */
  page(query: AuditQuery, count: number, after?: string): Promise<{ entries: AuditEntry[]; more: boolean }>
  /** All there are, oldest first. */
  all(query: AuditQuery): AsyncGenerator<AuditEntry>
  verify(contains?: string): Promise<AuditVerdict>
}

export function createAudit(redis: Redis, files: AuditFiles, log: Logger): Audit {
  async function onTheirWay(query: AuditQuery): Promise<AuditEntry[]> {
    const found = (await redis.xrange(STREAM, "-", "+")).map(parseFromStream)
    return found.filter(one => one !== null).filter(one => isWanted(one, query))
  }

  async function* newestFirst(query: AuditQuery): AsyncGenerator<AuditEntry> {
    // The stream first: what moves to the files meanwhile is then in both, and shown once.
    const moving = (await onTheirWay(query)).toReversed()
    const shown = new Set(moving.map(one => one.id))
    yield* moving
    for await (const entry of files.newestFirst(query)) if (!shown.has(entry.id)) yield entry
  }

  const record = async (entry: Omit<AuditEntry, "id">) => {
    await redis.xadd(STREAM, "*", "entry", JSON.stringify(entry))
  }

  return {
    record,
    async recordLook(entry) {
      const { who, by, action, user, workspace, operation, error } = entry
      const look = hash("sha256", JSON.stringify([who, by, action, user, workspace, operation, error]))
      if ((await redis.set(`${LOOKS}${look}`, "1", "PX", LOOK_MS, "NX")) === "OK") await record(entry)
    },
    async write() {
      const entries = await redis.xrange(STREAM, "-", "+", "COUNT", AT_ONCE)
      if (entries.length === 0) return 0
      const parsed = entries.map(parseFromStream)
      const head = await files.append(
        "audit",
        parsed.filter(one => one !== null),
      )
      for (const [index, [id, fields]] of entries.entries()) {
        if (parsed[index] === null) log.error({ id, fields }, "an entry of the audit log could not be read")
      }
      await redis
        .multi()
        .hset(HEAD, { ...head })
        .xdel(STREAM, ...entries.map(([id]) => id))
        .exec()
      return entries.length
    },
    async page(query, count, after) {
      const entries: AuditEntry[] = []
      let skips = after !== undefined
      for await (const entry of newestFirst(query)) {
        if (!skips) entries.push(entry)
        else if (entry.id === after) skips = false
        if (entries.length > count) break
      }
      return { entries: entries.slice(0, count), more: entries.length > count }
    },
    async *all(query) {
      const moving = await onTheirWay(query)
      const shown = new Set<string>()
      for await (const entry of files.oldestFirst(query)) {
        shown.add(entry.id)
        yield entry
      }
      yield* moving.filter(one => !shown.has(one.id))
    },
    async verify(contains) {
      const head = await redis.hgetall(HEAD)
      const [ours, theirs] = await Promise.all([
        files.verify("audit", head.hash || undefined),
        files.verify("command-line"),
      ])
      const faults: AuditVerdict["faults"] = [...ours.faults, ...theirs.faults]
      if (!ours.contains) faults.push({ file: SERIES[0], line: ours.lines, what: "end-missing" })
      const asked =
        contains === undefined ? [] : await Promise.all(SERIES.map(series => files.verify(series, contains)))
      return {
        whole: faults.length === 0,
        lines: ours.lines + theirs.lines,
        faults,
        heads: { audit: ours.head, "command-line": theirs.head },
        contains: contains === undefined || asked.some(one => one.contains),
      }
    },
  }
}

function parseFromStream([id, fields]: [string, string[]]): AuditEntry | null {
  try {
    return parseEntry({ ...(JSON.parse(fields[1] ?? "") as object), id })
  } catch {
    return null
  }
}
