import { randomUUID } from "node:crypto"
import { pino } from "pino"
import { createKeys, hashOf } from "../service/keys.ts"
import { createLogins } from "../service/logins/logins.ts"
import { workspaceKey } from "../service/machines/workspace-key.ts"
import type { OperationInfo } from "../service/operations/operation.ts"
import { connectRedis } from "../service/redis/connect.ts"
import { createVncTokens } from "../service/vnc-tokens/vnc-tokens.ts"
import { newWorkspaceId } from "../service/workspaces/names.ts"
import { createWorkspaceStore, KEY } from "../service/workspaces/store.ts"
import type { WorkspaceInfo } from "../service/workspaces/workspace.ts"

/** What a machine shows for one viewer: the viewer's token and its own key. */
export interface Admission {
  token: string
  key: string
}

const HOUR = 3_600_000
const MINUTE = 60_000
/** Users at a time: few enough that no answer of Redis waits long behind the others'. */
const AT_ONCE = 250

/**
 * Fills a Redis, by the service's own parts, with users who each have a login, a running workspace and tokens for it.
 * @returns every token with its machine's key, in no order: neighbours belong to different users
 */
export async function issueTokens(
  { redisUrl, secret }: { redisUrl: string; secret: string },
  { users, tokensEach }: { users: number; tokensEach: number },
): Promise<Admission[]> {
  const redis = connectRedis(redisUrl, pino({ level: "silent" }))
  await redis.connect()
  const parts = {
    keys: createKeys(secret),
    logins: createLogins(redis, { idleMs: 72 * HOUR, maxMs: 720 * HOUR }),
    store: createWorkspaceStore(redis),
    tokens: createVncTokens(redis, 72 * HOUR),
  }

  async function one(user: string, place: number): Promise<Admission[]> {
    // As if they had been in use all along: a use is written down once a minute, which must not fall due for all at once.
    const now = Date.now() - Math.floor((MINUTE * place) / users)
    const loginHash = hashOf(await parts.logins.begin(user, "bench", now))
    const id = newWorkspaceId()
    const info: WorkspaceInfo = {
      ...({ id, owner: user, name: id, profile: "browser", provider: "hetzner", region: "fsn1" } as const),
      ...({ size: "cx43", sizeClass: "large", image: 1, price: null, createdAt: now } as const),
    }
    const operation: OperationInfo = {
      ...({ id: randomUUID(), workspace: id, owner: user, kind: "create", requestedBy: user } as const),
      ...{ createdAt: now, estimate: { seconds: null, steps: {} } },
    }
    await parts.store.create(info, operation, { key: null, digest: "", quota: { profile: 3, total: 3 } })
    // Its machine is the one thing that is not made.
    await redis.hset(KEY.workspace(id), "state", "RUNNING")
    const key = workspaceKey(parts.keys, id)
    const made: Admission[] = []
    for (let i = 0; i < tokensEach; i++) {
      const ticket = await parts.tokens.issueTicket(id, loginHash)
      const { token } = await parts.tokens.redeem(ticket, id, now)
      if (token === null) throw new Error("A ticket was not taken.")
      made.push({ token, key })
    }
    return made
  }

  const rows: Admission[][] = []
  for (let begun = 0; begun < users; begun += AT_ONCE) {
    const places = Array.from({ length: Math.min(AT_ONCE, users - begun) }, (_, index) => begun + index)
    rows.push(...(await Promise.all(places.map(place => one(`gh-${place + 1}`, place)))))
  }
  redis.disconnect()
  return Array.from({ length: tokensEach }, (_, column) => rows.flatMap(row => row[column] ?? [])).flat()
}
