import assert from "node:assert/strict"
import { pino } from "pino"
import { connectRedis } from "../../service/redis/connect.ts"
import { createDemand, slotsAt } from "../../service/warm/demand.ts"
import { startTestRedis, type TestRedis } from "../support/redis.ts"

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000]
/** Twenty minutes before a day begins: hours reach over it. */
const NOW = 20_000 * DAY - 20 * MINUTE

describe("how many spare machines may be asked for", () => {
  let server: TestRedis
  let redis: ReturnType<typeof connectRedis>
  const at = (time: number) => createDemand(redis, () => time)
  const ask = async (kind: string, time: number, times: number) => {
    for (let count = 0; count < times; count++) await at(time).asked(kind)
  }

  before(async () => {
    server = await startTestRedis()
    redis = connectRedis(server.url, pino({ level: "silent" }))
    await redis.connect()
  })
  after(async () => {
    redis?.disconnect()
    await server?.close()
  })
  beforeEach(() => redis.flushall())

  it("is what was asked for in the busiest ten minutes of the last hour, of each kind by itself", async () => {
    await ask("a", NOW - 50 * MINUTE, 2)
    await ask("a", NOW - 25 * MINUTE, 4)
    await ask("a", NOW, 3)
    await ask("b", NOW - 5 * MINUTE, 1)
    await ask("b", NOW - 2 * HOUR, 9)
    assert.deepEqual(
      await at(NOW).busiest(["a", "b", "c"]),
      new Map([
        ["a", 4],
        ["b", 1],
        ["c", 0],
      ]),
    )
    assert.deepEqual(
      await at(NOW + 2 * HOUR).busiest(["a", "b"]),
      new Map([
        ["a", 0],
        ["b", 0],
      ]),
    )
    assert.deepEqual(await at(NOW).busiest([]), new Map())
  })

  it("is ahead of what comes at the same time of other days of the last week", async () => {
    await ask("a", NOW - 7 * DAY + 45 * MINUTE, 5)
    assert.equal((await at(NOW).busiest(["a"])).get("a"), 5)
    assert.equal((await at(NOW - HOUR).busiest(["a"])).get("a"), 0, "too early for it")
    assert.equal((await at(NOW + 2 * HOUR).busiest(["a"])).get("a"), 0, "over again")
    assert.equal((await at(NOW + DAY).busiest(["a"])).get("a"), 0, "more than a week ago")
  })

  it("is forgotten in time", async () => {
    await ask("a", NOW, 1)
    const keys = await redis.keys("*")
    assert.equal(keys.length, 1)
    const left = await redis.ttl(keys[0] as string)
    assert.ok(left > 8 * 86_400 && left <= 9 * 86_400, String(left))
  })

  it("looks at an hour behind, and at an hour ahead on seven days", () => {
    const slots = slotsAt(10_000)
    assert.deepEqual([slots.length, Math.max(...slots)], [8 * 7, 10_000])
    assert.equal(Math.min(...slots), 10_000 - 7 * 144)
    assert.equal(new Set(slots).size, slots.length)
  })
})
