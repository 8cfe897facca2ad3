import assert from "node:assert/strict"
import { Redis } from "ioredis"
import { pino } from "pino"
import { ConfigError } from "../../../service/config/error.ts"
import { factsFrom, judgeRedis, type RedisFacts, readRedisFacts } from "../../../service/redis/safety.ts"
import { watchRedisSafety } from "../../../service/redis/watch-safety.ts"
import { startTestRedis, type TestRedis } from "../../support/redis.ts"

const GOOD: RedisFacts = {
  ...{ version: "7.0.15", evictionPolicy: "noeviction", maxMemory: 0, appendOnly: true, appendFsync: "always" },
  ...{ saves: false, lastWriteOk: true, isReplica: false, isReadOnly: null, isCluster: false },
}
const judged = (given: Partial<RedisFacts>) => {
  const { findings, unknown } = judgeRedis({ ...GOOD, ...given })
  return { found: findings.map(one => `${one.what}${one.refuses ? " refused" : ""}`), unknown }
}

describe("is Redis a place for what must not be lost", () => {
  it("has nothing against one that is append-only and evicts nothing", () => {
    assert.deepEqual(judged({}), { found: [], unknown: [] })
    assert.deepEqual(judged({ appendFsync: "everysec", version: "6.2.0" }).found, [])
  })
  const wrong: [Partial<RedisFacts>, string][] = [
    [{ evictionPolicy: "allkeys-lru", maxMemory: 1000 }, "evicts-all refused"],
    [{ evictionPolicy: "allkeys-lru", maxMemory: 0 }, "evicts-all"],
    [{ evictionPolicy: "volatile-ttl" }, "evicts-some"],
    [{ appendOnly: false, saves: false }, "no-persistence"],
    [{ appendOnly: false, saves: true }, "no-append-only"],
    [{ appendFsync: "no" }, "flushes-late"],
    [{ lastWriteOk: false }, "write-failed"],
    [{ isReplica: true, isReadOnly: true }, "read-only"],
    [{ isReplica: true, isReadOnly: false }, "replica refused"],
    [{ version: "6.0.16" }, "old-version"],
    [{ isCluster: true }, "cluster"],
  ]
  for (const [given, finding] of wrong) {
    it(`finds ${finding} in ${JSON.stringify(given)}`, () => assert.deepEqual(judged(given).found, [finding]))
  }
  it("says what a managed one does not tell", () => {
    const facts = factsFrom(
      "redis_version:7.2.4\r\nrole:master\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n",
      {},
    )
    assert.deepEqual(judgeRedis(facts), { findings: [], unknown: ["appendfsync"] })
    assert.deepEqual(judgeRedis(factsFrom("", {})).unknown, [
      ...["maxmemory-policy", "appendonly", "appendfsync", "version", "role"],
    ])
  })

  describe("asked of a real one", () => {
    let server: TestRedis
    let redis: Redis
    let lines = ""
    const log = pino({ level: "info" }, { write: line => (lines += line) })
    before(async () => {
      server = await startTestRedis()
      redis = new Redis(server.url)
      redis.on("error", () => {})
    })
    beforeEach(() => {
      lines = ""
    })
    after(async () => {
      redis?.disconnect()
      await server?.close()
    })

    it("knows all of it", async () => {
      assert.deepEqual(judgeRedis(await readRedisFacts(redis)), { findings: [], unknown: [] })
    })
    it("warns, in a sentence that says what to do, and once", async () => {
      await redis.config("SET", "appendfsync", "no")
      const safety = await watchRedisSafety(redis, log)
      assert.deepEqual(
        (await safety.look()).map(one => one.what),
        ["flushes-late"],
      )
      assert.equal(lines.split("set appendfsync to always").length, 2)
      await redis.config("SET", "appendfsync", "always")
      assert.deepEqual(await safety.look(), [])
    })
    it("looks again when it has come back", async () => {
      const safety = await watchRedisSafety(redis, log)
      // It comes back as its file says, so what is wrong is set by whoever hears of it first.
      const again = new Promise<void>(resolve => redis.once("ready", () => resolve()))
      await server.crash()
      await again
      await redis.config("SET", "maxmemory-policy", "volatile-lru")
      assert.deepEqual(
        (await safety.look()).map(one => one.what),
        ["evicts-some"],
      )
      await redis.config("SET", "maxmemory-policy", "noeviction")
    })
    it("refuses one that throws away what it is told", async () => {
      await redis.config("SET", "maxmemory", "100mb", "maxmemory-policy", "allkeys-lru")
      await assert.rejects(watchRedisSafety(redis, log), (error: Error) => {
        assert.ok(error instanceof ConfigError)
        assert.match(error.message, /set maxmemory-policy to noeviction\. Until then the service does not start/)
        return true
      })
      await redis.config("SET", "maxmemory", "0", "maxmemory-policy", "noeviction")
    })
    it("makes do with INFO where CONFIG is refused", async () => {
      await redis.call("ACL", "SETUSER", "managed", "on", ">secret", "~*", "&*", "+@all", "-config")
      const managed = new Redis(server.url.replace(/:\/\/:[^@]*@/, "://managed:secret@"))
      const facts = await readRedisFacts(managed)
      managed.disconnect()
      assert.deepEqual(judgeRedis(facts), { findings: [], unknown: ["appendfsync"] })
    })
  })
})
