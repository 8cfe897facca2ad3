import type { Redis } from "ioredis"

/** What can be wrong with a Redis; the `what` of the metric `foozol_redis_unsafe`. */
export const REDIS_FAULTS = [
  "evicts-all",
  "evicts-some",
  "no-persistence",
  "no-append-only",
  "flushes-late",
  "write-failed",
  "replica",
  "read-only",
  "old-version",
  "cluster",
] as const
export type RedisFault = (typeof REDIS_FAULTS)[number]

/** What is known of a Redis; null: it does not say. */
export interface RedisFacts {
  version: string | null
  evictionPolicy: string | null
  /** Bytes; 0: no limit. */
  maxMemory: number | null
  appendOnly: boolean | null
  /** `always`, `everysec` or `no`; CONFIG alone tells. */
  appendFsync: string | null
  /** Are there points in time at which it saves a snapshot? CONFIG alone tells. */
  saves: boolean | null
  /** Did the last write to its files go well? */
  lastWriteOk: boolean | null
  isReplica: boolean | null
  isReadOnly: boolean | null
  isCluster: boolean | null
}

export interface RedisFinding {
  what: RedisFault
  /** The service does not start: what it is told would be lost without a word. */
  refuses: boolean
  /** What is wrong and what to do, in one sentence. */
  says: string
}

/** GETDEL of sign-ins and tickets came with it; BullMQ is content with less. */
const LEAST_VERSION = [6, 2] as const

/**
 * What is wrong with a Redis as a place for what must not be lost, and what could not be known. Pure.
 *
 * Two things alone keep the service from starting, since writes would be answered with success and be gone later without
 * anybody hearing of it: a full Redis that throws any key away, and a replica that takes writes, which its next
 * synchronisation removes. All else is either seen (a refused write is an error) or lost only when a machine dies.
 */
export function judgeRedis(facts: RedisFacts): { findings: RedisFinding[]; unknown: string[] } {
  const findings: RedisFinding[] = []
  const found = (what: RedisFault, says: string, refuses = false) => findings.push({ what, says, refuses })
  const { version, evictionPolicy: policy, maxMemory, appendOnly, appendFsync, saves } = facts
  if (policy?.startsWith("allkeys-")) {
    // Without a limit nothing is thrown away yet.
    const throwsAway = maxMemory === null || maxMemory > 0
    found(
      "evicts-all",
      `Redis ${throwsAway ? "throws" : "would throw"} workspaces and logins away when its memory is full (maxmemory-policy ${policy}): set maxmemory-policy to noeviction.`,
      throwsAway,
    )
  } else if (policy !== null && policy !== "noeviction") {
    found(
      "evicts-some",
      `Redis may throw away what has an end, such as logins, tokens and leases, when its memory is full (maxmemory-policy ${policy}): set maxmemory-policy to noeviction.`,
    )
  }
  if (appendOnly === false && saves === false) {
    found("no-persistence", "Redis keeps nothing on disk: set appendonly to yes, or its next restart loses everything.")
  } else if (appendOnly === false) {
    found(
      "no-append-only",
      "Redis is not append-only, so its end loses what came after its last snapshot: set appendonly to yes.",
    )
  } else if (appendFsync === "no") {
    found(
      "flushes-late",
      "Redis leaves it to the system when writes reach the disk (appendfsync no): set appendfsync to always, or to everysec where the last second may be lost.",
    )
  }
  if (facts.lastWriteOk === false) {
    found(
      "write-failed",
      "Redis could not write to its disk the last time it tried: look at its log and its free space.",
    )
  }
  if (facts.isReplica && facts.isReadOnly === false) {
    found(
      "replica",
      "FOOZOL_REDIS_URL is a replica that takes writes, which are gone when it next hears from its master: name the master.",
      true,
    )
  } else if (facts.isReplica) {
    found("read-only", "FOOZOL_REDIS_URL is a replica and takes no writes: name the master, or promote it.")
  }
  if (version !== null && isOlder(version)) {
    found("old-version", `Redis ${version} is too old: the service needs ${LEAST_VERSION.join(".")} or newer.`)
  }
  if (facts.isCluster) {
    found("cluster", "Redis is a cluster, in which scripts cannot reach all keys: use a single one, with replicas.")
  }
  const unknown = [
    ...(policy === null ? ["maxmemory-policy"] : []),
    ...(appendOnly === null ? ["appendonly"] : []),
    ...(appendFsync === null && appendOnly !== false ? ["appendfsync"] : []),
    ...(saves === null && appendOnly === false ? ["save"] : []),
    ...(version === null ? ["version"] : []),
    ...(facts.isReplica === null ? ["role"] : []),
  ]
  return { findings, unknown }
}

function isOlder(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number)
  return major < LEAST_VERSION[0] || (major === LEAST_VERSION[0] && minor < LEAST_VERSION[1])
}

/** The lines of INFO. Pure. */
export function factsFrom(info: string, config: Record<string, string>): RedisFacts {
  const said = new Map(
    info.split(/\r?\n/).flatMap(line => {
      const colon = line.indexOf(":")
      return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1)] as const] : []
    }),
  )
  const text = (name: string) => said.get(name) || null
  const flag = (name: string) => (said.has(name) ? said.get(name) === "1" : null)
  const fine = ["aof_last_write_status", "aof_last_bgrewrite_status", "rdb_last_bgsave_status"].flatMap(
    name => said.get(name) ?? [],
  )
  const role = text("role")
  const memory = config.maxmemory ?? said.get("maxmemory")
  return {
    version: text("redis_version"),
    evictionPolicy: config["maxmemory-policy"] ?? text("maxmemory_policy"),
    maxMemory: memory === undefined ? null : Number(memory),
    appendOnly: config.appendonly === undefined ? flag("aof_enabled") : config.appendonly === "yes",
    appendFsync: config.appendfsync ?? null,
    saves: config.save === undefined ? null : config.save !== "",
    lastWriteOk: fine.length === 0 ? null : fine.every(one => one === "ok"),
    isReplica: role === null ? null : role === "slave" || role === "replica",
    isReadOnly: flag("slave_read_only") ?? flag("replica_read_only"),
    isCluster: flag("cluster_enabled"),
  }
}

const SETTINGS = ["maxmemory-policy", "maxmemory", "appendonly", "appendfsync", "save"]

/** Asks a Redis about itself. Managed ones refuse CONFIG, some even INFO: then less is known. */
export async function readRedisFacts(redis: Redis): Promise<RedisFacts> {
  const [info, ...values] = await Promise.all([
    redis.info().catch(refused("")),
    ...SETTINGS.map(async name => {
      const answer = (await redis.config("GET", name).catch(refused([]))) as string[]
      return answer[1]
    }),
  ])
  const config = Object.fromEntries(
    SETTINGS.flatMap((name, at) => (typeof values[at] === "string" ? [[name, values[at]]] : [])),
  )
  return factsFrom(info, config)
}

/** A Redis that refuses a command says so; one that is away is another matter. */
const refused =
  <T>(instead: T) =>
  (error: Error): T => {
    if (/unknown command|NOPERM|not allowed|disabled|no permissions|unsupported/i.test(error.message)) return instead
    throw error
  }
