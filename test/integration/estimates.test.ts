import assert from "node:assert/strict"
import { pino } from "pino"
import { createEstimates, type Estimates } from "../../service/operations/estimates.ts"
import { connectRedis, PREFIX } from "../../service/redis/connect.ts"
import { startTestRedis, type TestRedis } from "../support/redis.ts"

describe("how long operations take", () => {
  let server: TestRedis
  let redis: ReturnType<typeof connectRedis>
  let estimates: Estimates
  before(async () => {
    server = await startTestRedis()
    redis = connectRedis(server.url, pino({ level: "silent" }))
    await redis.connect()
    estimates = createEstimates(redis)
  })
  after(async () => {
    redis?.disconnect()
    await server?.close()
  })

  const at = (provider: "hetzner" | "gcp") => ({ profile: "browser" as const, provider })
  const took = (seconds: number) => ({ seconds, steps: { boot: seconds / 2 } })

  it("is known of each provider by itself, from the last fifteen", async () => {
    for (let run = 0; run < 20; run++) await estimates.record("create", at("hetzner"), took(run < 10 ? 500 : 10))
    assert.deepEqual(await estimates.estimate("create", at("hetzner")), { seconds: 10, steps: { boot: 5 } })
    assert.equal((await estimates.estimate("create", at("gcp"))).seconds, null)
    await estimates.record("create", at("gcp"), took(100))
    assert.equal((await estimates.estimate("create", at("gcp"))).seconds, 100)
    assert.equal((await estimates.estimate("create", at("hetzner"))).seconds, 10)
    assert.equal((await estimates.estimate("wake", at("hetzner"))).seconds, null)
  })

  it("is taken from times that were kept for all providers together, until there are some of its own", async () => {
    await redis.lpush(`${PREFIX}durations:stop:browser`, JSON.stringify(took(7)))
    assert.equal((await estimates.estimate("stop", at("gcp"))).seconds, 7)
    await estimates.record("stop", at("gcp"), took(3))
    assert.equal((await estimates.estimate("stop", at("gcp"))).seconds, 3)
  })
})
