import assert from "node:assert/strict"
import { device } from "../../../service/pages/account.ts"
import { duration, money, relative, roughly } from "../../../service/pages/words.ts"

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

describe("words of the pages", () => {
  it("durations", () => {
    const words = [-5, 0, 42_900, MINUTE, 80_000, 3 * HOUR + 5 * MINUTE, DAY, 2 * DAY + 4 * HOUR].map(duration)
    assert.deepEqual(words, ["0 s", "0 s", "42 s", "1 min", "1 min 20 s", "3 h 5 min", "1 day", "2 days 4 h"])
  })

  it("times relative to now, both ways", () => {
    const ago = [1_000, 5 * MINUTE, HOUR, 30 * HOUR, 10 * DAY, 60 * DAY, 800 * DAY].map(ms => relative(0, ms))
    assert.deepEqual(ago, [
      "just now",
      "5 min ago",
      "1 hour ago",
      "1 day ago",
      "10 days ago",
      "2 months ago",
      "2 years ago",
    ])
    assert.equal(relative(3 * DAY, 0), "in 3 days")
  })

  it("estimates are rounded as a person would", () => {
    assert.deepEqual([0.2, 7, 38, 61, 100, 7_300].map(roughly), ["1 s", "7 s", "40 s", "60 s", "2 min", "2 h"])
  })

  it("money in any currency, small amounts with digits enough", () => {
    assert.equal(money(11.99, "EUR"), "€11.99")
    assert.equal(money(0.0056, "EUR"), "€0.0056")
    assert.equal(money(0, "USD"), "$0.00")
    assert.equal(money(5, "NOT A CURRENCY"), "5.00 NOT A CURRENCY")
  })

  it("browsers by what they say of themselves", () => {
    assert.equal(
      device("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140 Safari/537.36 Edg/140"),
      "Edge on Windows",
    )
    assert.equal(device("Mozilla/5.0 (Macintosh; Intel Mac OS X 14) Version/18 Safari/605"), "Safari on macOS")
    assert.equal(device("curl/8.0"), "curl/8.0")
    assert.equal(device(""), "Unknown browser")
  })
})
