import { createHash } from "node:crypto"
import type { Redis } from "ioredis"
import { PREFIX } from "../redis/connect.ts"
import { loadScript } from "../redis/scripts.ts"
import { KEY } from "../workspaces/store.ts"
import { type Allowance, after, type UsedUntil, under, without } from "./budget.ts"
import { type AuthorityFacts, closedBy, NOTHING_YET, type Refusal, type Standing } from "./decide.ts"
import { type Issued, readIssued, TO_WRITE } from "./ledger.ts"
import type { NamedAuthority } from "./settings.ts"

const scripts = {
  give: loadScript(new URL("lua/give.lua", import.meta.url)),
  return: loadScript(new URL("lua/return.lua", import.meta.url)),
}

/** Hash: version, what is used of each authority, and whether the ledger was read. */
const USED = `${PREFIX}certificates`
const WAITING = `${PREFIX}certificates-waiting`
const asked = (id: string) => `${PREFIX}certificates-asked:${id}`
const issued = (id: string) => `${PREFIX}certificates-issued:${id}`
const refused = (id: string) => `${PREFIX}certificates-refused:${id}`
const untilField = (id: string) => `until:${id}`

/** What a decision rests on. */
export interface Basis {
  version: string
  authorities: AuthorityFacts[]
  standing: Standing
  /** How many others wait, and whether this one is among them. */
  waiting: number
  isListed: boolean
}

export interface Change {
  workspace: string
  owner: string
  standing: Standing
  /** Ids of authorities: whose allowance is used, whose is given back, who has given the name its first one. */
  uses: string | null
  givesBack: string | null
  issuedBy: string | null
  refusals: [string, Refusal][]
  /** What its owner is told of the wait. */
  wait: { since: number; about: number } | null
}

/** What Redis knows of certificates. */
export function createCertificateStore(redis: Redis, all: NamedAuthority[], directory: string) {
  /** What authorities have given outlives Redis in files: read where it was emptied. */
  async function readLedger(): Promise<void> {
    if (all.length === 0 || (await redis.hexists(USED, "read"))) return
    const lines = await readIssued(directory)
    for (const { id, authority, allowance } of all) {
      const own = lines.filter(line => line.authority === authority.directory)
      if (own.length > 0) await redis.sadd(issued(id), ...own.map(line => line.workspace))
      const until = own.reduce((sum, line) => after(sum, allowance, line.at), 0)
      await redis.hsetnx(USED, untilField(id), written(until, allowance))
    }
    await redis.hsetnx(USED, "version", 1)
    await redis.hset(USED, "read", 1)
  }

  async function factsFrom(used: Record<string, string>, now: number): Promise<AuthorityFacts[]> {
    return Promise.all(
      all.map(async ({ id, authority, allowance }) => {
        const refusals = Object.values(await redis.hgetall(refused(id))).map(text => JSON.parse(text))
        const usedUntil = readUntil(used[untilField(id)], allowance, now)
        return { id, directory: authority.directory, allowance, usedUntil, closed: closedBy(refusals, now) }
      }),
    )
  }

  const isIn = (key: string, member: string) => redis.sismember(key, member).then(Boolean)

  return {
    readLedger,
    async facts(now: number): Promise<AuthorityFacts[]> {
      await readLedger()
      return factsFrom(await redis.hgetall(USED), now)
    },
    async basis(workspace: string, now: number): Promise<Basis> {
      await readLedger()
      const used = await redis.hgetall(USED)
      const [text, waiting, place, authorities] = await Promise.all([
        redis.hget(KEY.workspace(workspace), "authority"),
        redis.zcard(WAITING),
        redis.zscore(WAITING, workspace),
        factsFrom(used, now),
      ])
      const kept = text ? (JSON.parse(text) as Standing) : NOTHING_YET
      // A record that was lost with Redis knows nothing of it; the ledger does.
      const had = await Promise.all(all.map(({ id }) => isIn(issued(id), workspace)))
      const more = all.flatMap(({ id }, at) => (had[at] && !kept.issued.includes(id) ? [id] : []))
      const isListed = place !== null
      const others = waiting - (isListed ? 1 : 0)
      const standing = { ...kept, issued: [...kept.issued, ...more] }
      return { version: used.version ?? "", authorities, standing, waiting: others, isListed }
    },
    /** @returns false where something has changed since `basis` */
    async change({ version, authorities }: Basis, change: Change, now: number): Promise<boolean> {
      const { workspace, standing, uses, givesBack, issuedBy, wait } = change
      const of = (id: string | null) => authorities.find(one => one.id === id)
      const [to, back, from] = [of(uses), of(givesBack), of(issuedBy)]
      const line: Issued | null = from ? { workspace, authority: from.directory, at: now } : null
      const left = (back ?? from)?.id ?? ""
      const done = await scripts.give.run(
        redis,
        [USED, KEY.workspace(workspace), WAITING, asked(to?.id ?? ""), asked(left), issued(from?.id ?? ""), TO_WRITE],
        [
          ...[version, workspace, JSON.stringify(standing), standing.waitsSince ?? "", now],
          ...(to ? [untilField(to.id), written(after(to.usedUntil, to.allowance, now), to.allowance)] : ["", ""]),
          ...(back
            ? [untilField(back.id), written(without(back.usedUntil, back.allowance), back.allowance)]
            : ["", ""]),
          ...[line ? JSON.stringify(line) : "", wait ? JSON.stringify(wait) : ""],
        ],
      )
      if (done === 0) return false
      // Not by name: what is told of a user goes with them.
      const owner = createHash("sha256").update(change.owner).digest("hex").slice(0, 16)
      for (const [id, { kind, at }] of change.refusals) {
        await redis.hset(refused(id), workspace, JSON.stringify({ owner, kind, at }))
      }
      return true
    },
    /** Those that wait, with since when. */
    async waiting(): Promise<Map<string, number>> {
      const found = await redis.zrange(WAITING, "0", "-1", "WITHSCORES")
      return new Map(found.flatMap((id, at) => (at % 2 === 0 ? [[id, Number(found[at + 1])] as const] : [])))
    },
    /** It is off: nobody waits for it, and it keeps its place by the time in its standing. */
    noLonger: (workspace: string) => redis.zrem(WAITING, workspace),
    tellWait: (workspace: string, wait: { since: number; about: number }) =>
      redis.hset(KEY.workspace(workspace), "certificateWait", JSON.stringify(wait)),
    /** Workspaces that were given a turn at an authority and have no certificate of it yet. */
    asked: (id: string) => redis.zrange(asked(id), "0", "-1"),
    /** Gives back what is kept for a workspace that is gone. */
    async giveBack(id: string, workspace: string, now: number): Promise<void> {
      const used = await redis.hgetall(USED)
      const { allowance } = all.find(one => one.id === id) as NamedAuthority
      const until = without(readUntil(used[untilField(id)], allowance, now), allowance)
      const keys = [USED, asked(id), KEY.workspace(workspace), WAITING]
      await scripts.return.run(redis, keys, [used.version ?? "", workspace, untilField(id), written(until, allowance)])
    },
    /** Forgets refusals that count no more. */
    async tidy(now: number): Promise<void> {
      for (const { id } of all) {
        for (const [workspace, text] of Object.entries(await redis.hgetall(refused(id)))) {
          if (now - (JSON.parse(text) as Refusal).at > 24 * 3_600_000) await redis.hdel(refused(id), workspace)
        }
      }
    },
  }
}

/** With the number that it was counted by, which the operator may change. */
const written = (until: UsedUntil, { most }: Allowance) => `${until} ${most}`

function readUntil(text: string | undefined, allowance: Allowance, now: number): UsedUntil {
  const [until = 0, most = allowance.most] = text?.split(" ").map(Number) ?? []
  return under(until, { ...allowance, most }, allowance, now)
}

export type CertificateStore = ReturnType<typeof createCertificateStore>
