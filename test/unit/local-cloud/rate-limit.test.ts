import assert from "node:assert/strict"
import { createRateLimit } from "../../../local-cloud/rate-limit.ts"
import { startTestCloud } from "../../support/local-cloud.ts"

describe("rate-limit/take", () => {
  it("gives `limit` at once, then one each 3600 / limit seconds", () => {
    let time = 1_000_000
    const limit = createRateLimit(3_600, () => time)
    for (let i = 0; i < 3_600; i++) assert.ok(limit.take("p").ok)
    assert.equal(limit.take("p").ok, false)
    time += 999
    assert.equal(limit.take("p").ok, false)
    time += 1
    assert.ok(limit.take("p").ok)
    assert.equal(limit.take("p").ok, false)
  })
  it("never saves up more than the limit, and keeps projects apart", () => {
    let time = 0
    const limit = createRateLimit(2, () => time)
    time += 100 * 3_600_000
    assert.deepEqual(
      [1, 2, 3].map(() => limit.take("a").ok),
      [true, true, false],
    )
    assert.ok(limit.take("b").ok)
  })
  it("says what is left and when all is back", () => {
    const limit = createRateLimit(10, () => 5_000)
    assert.deepEqual(limit.take("p").headers, {
      "RateLimit-Limit": "10",
      "RateLimit-Remaining": "9",
      "RateLimit-Reset": String(5 + 360),
    })
  })
  it("answers 429 with the headers once it is used up", async () => {
    const cloud = await startTestCloud({ machines: "none", settings: { requestsPerHour: 3 } })
    try {
      // One request made the test's zone.
      assert.equal((await cloud.call("GET", "/servers")).headers.get("ratelimit-remaining"), "1")
      assert.equal((await cloud.call("GET", "/servers")).status, 200)
      const { status, headers, body } = await cloud.call("GET", "/servers")
      assert.equal(status, 429)
      assert.equal((body as { error: { code: string } }).error.code, "rate_limit_exceeded")
      assert.deepEqual([headers.get("ratelimit-limit"), headers.get("ratelimit-remaining")], ["3", "0"])
      assert.ok(Number(headers.get("ratelimit-reset")) > Date.now() / 1_000)
    } finally {
      await cloud.close()
    }
  })
})
