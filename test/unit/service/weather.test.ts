import assert from "node:assert/strict"
import { admitsChores, judgeWeather, type WeatherFacts } from "../../../service/weather/judge.ts"

describe("weather: what a provider is like", () => {
  const NOW = 1_000_000_000
  const HOUR = 3_600_000
  const calm: WeatherFacts = { budget: null, answers: 0, faults: 0, now: NOW }
  const told = (remaining: number, ago = 0) => ({
    ...calm,
    // Hetzner's: one request comes back each second.
    budget: { limit: 3_600, remaining, toldAt: NOW - ago, resetAt: new Date(NOW - ago + (3_600 - remaining) * 1_000) },
  })

  it("of which nothing was heard is well", () => {
    assert.deepEqual(judgeWeather(calm), { requestsLeft: 1, isStormy: false })
    assert.ok(admitsChores(judgeWeather(calm)))
  })
  it("has as many requests left as it said", () => assert.equal(judgeWeather(told(900)).requestsLeft, 0.25))
  it("has those back that have come back since", () => {
    assert.equal(judgeWeather(told(1_800, 900_000)).requestsLeft, 0.75)
    assert.equal(judgeWeather(told(0, HOUR)).requestsLeft, 1)
    assert.equal(judgeWeather(told(0, 10 * HOUR)).requestsLeft, 1)
    assert.equal(judgeWeather(told(3_600)).requestsLeft, 1)
  })
  it("keeps half of its requests for what people wait for", () => {
    assert.ok(admitsChores(judgeWeather(told(1_800))))
    assert.ok(!admitsChores(judgeWeather(told(1_799))))
    assert.ok(admitsChores(judgeWeather(told(1_799, 1_000))))
  })
  it("is stormy when more goes wrong than well, and a few faults are none", () => {
    const isStormy = (answers: number, faults: number) => judgeWeather({ ...calm, answers, faults }).isStormy
    assert.ok(!isStormy(4, 4))
    assert.ok(isStormy(5, 5))
    assert.ok(!isStormy(10, 5))
    assert.ok(isStormy(10, 6))
    assert.ok(!admitsChores(judgeWeather({ ...calm, answers: 10, faults: 6 })))
  })
  it("with no budget at all has nothing left", () =>
    assert.equal(judgeWeather({ ...calm, budget: { ...told(0).budget, limit: 0 } }).requestsLeft, 0))
})
