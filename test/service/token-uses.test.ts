import assert from "node:assert/strict"
import { Redis } from "ioredis"
import { hashOf } from "../../service/keys.ts"
import { createLogins } from "../../service/logins/logins.ts"
import { createVncTokens } from "../../service/vnc-tokens/vnc-tokens.ts"
import { KEY } from "../../service/workspaces/store.ts"
import { startTestRedis, type TestRedis } from "../support/redis.ts"
import { waitUntil } from "../support/wait-until.ts"

const MINUTE = 60_000
const LIMITS = { idleMs: 60 * MINUTE, maxMs: 600 * MINUTE }

describe("service: uses of VNC tokens are written down", () => {
  let test: TestRedis
  let redis: Redis
  let now = Date.now()
  let login: { id: string; hash: string }
  let token: string
  const workspace = "calm-otter-4f7k2d"
  const loginKey = () => `fz:login:${login.hash}`
  const tokenKey = () => `fz:vnc:${hashOf(token)}`
  const tokens = () => createVncTokens(redis, LIMITS.idleMs, () => now)

  before(async () => {
    test = await startTestRedis()
    redis = new Redis(test.url)
  })
  after(async () => {
    redis?.disconnect()
    await test?.close()
  })
  beforeEach(async () => {
    await redis.flushall()
    await redis.hset(KEY.workspace(workspace), "state", "RUNNING")
    const id = await createLogins(redis, LIMITS).begin("gh-1", "test", now)
    login = { id, hash: hashOf(id) }
    token = (await tokens().redeem(await tokens().issueTicket(workspace, login.hash), workspace, now)).token as string
  })

  it("not within five minutes of the last", async () => {
    const seen = await redis.hget(tokenKey(), "seen")
    now += 5 * MINUTE - 1
    const vnc = tokens()
    assert.equal(await vnc.authorize(token, workspace, now), 204)
    now += 2
    // The next one is due: when it has been written, the one before would have been.
    assert.equal(await vnc.authorize(token, workspace, now), 204)
    await waitUntil("the use is written down", async () => (await redis.hget(tokenKey(), "seen")) !== seen)
    assert.equal(await redis.hget(tokenKey(), "seen"), String(now))
  })

  it("putting off the end of the token and of its login", async () => {
    await redis.pexpire(tokenKey(), 2 * MINUTE)
    await redis.pexpire(loginKey(), 2 * MINUTE)
    now += 6 * MINUTE
    assert.equal(await tokens().authorize(token, workspace, now), 204)
    await waitUntil("it is put off", async () => (await redis.pttl(tokenKey())) > 29 * MINUTE)
    assert.equal(await redis.hget(loginKey(), "lastSeenAt"), String(now))
    assert.ok((await redis.pttl(loginKey())) > 59 * MINUTE)
  })

  it("never beyond the login's absolute end", async () => {
    now += LIMITS.maxMs - 5 * MINUTE
    assert.equal(await tokens().authorize(token, workspace, now), 204)
    await waitUntil("written", async () => (await redis.hget(loginKey(), "lastSeenAt")) === String(now))
    assert.ok((await redis.pttl(loginKey())) <= 5 * MINUTE)
  })

  it("and what was taken back meanwhile does not come back", async () => {
    const other = hashOf(await createLogins(redis, LIMITS).begin("gh-2", "test", now))
    const second = await tokens().redeem(await tokens().issueTicket(workspace, other), workspace, now)
    now += 6 * MINUTE
    const vnc = tokens()
    assert.equal(await vnc.authorize(token, workspace, now), 204)
    assert.equal(await vnc.authorize(second.token as string, workspace, now), 204)
    await vnc.revokeOfLogin(login.hash)
    await redis.del(loginKey())
    // Both uses are written together.
    const written = async () => (await redis.hget(`fz:login:${other}`, "lastSeenAt")) === String(now)
    await waitUntil("the uses are written down", written)
    assert.equal(await redis.exists(tokenKey(), loginKey()), 0)
  })
})
