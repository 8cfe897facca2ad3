import assert from "node:assert/strict"
import { InfraError } from "../../../infra/errors.ts"
import { createPatience } from "../../../service/operations/patience.ts"

describe("patience with a provider", () => {
  const fault = new InfraError("provider-failed", "retry", "The provider's API failed.")
  let now: number
  const patience = (forMs: number) =>
    createPatience(
      forMs,
      () => now,
      () => 0.5,
    )
  beforeEach(() => {
    now = 50
  })

  it("waits longer and longer, and no longer than half a minute", () => {
    const one = patience(3_600_000)
    const pauses = Array.from({ length: 8 }, () => {
      const pause = one.next(fault) as number
      now += pause
      return pause
    })
    assert.deepEqual(pauses, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
  })
  it("parts those that wait for the same provider", () => {
    const pauses = [0, 1].map(random =>
      createPatience(
        1_000,
        () => now,
        () => random,
      ).next(fault),
    )
    assert.deepEqual(pauses, [750, 1_250])
  })
  it("ends a while after the first fault", () => {
    const one = patience(10_000)
    assert.equal(one.next(fault), 1_000)
    now += 9_999
    assert.ok(one.bears(fault))
    assert.equal(one.next(fault), 2_000)
    now += 1
    assert.ok(!one.bears(fault))
    assert.equal(one.next(fault), null)
  })
  it("begins anew with a fault long after the one before", () => {
    const one = patience(10_000)
    one.next(fault)
    one.next(fault)
    now += 300_001
    assert.equal(one.next(fault), 1_000)
    now += 9_999
    assert.equal(one.next(fault), 2_000)
  })
  it("is for what passes by itself only", () => {
    const one = patience(10_000)
    for (const id of ["provider-no-capacity", "provider-unauthorized", "provider-limit", "machine-missing"])
      assert.equal(one.next(new InfraError(id, "retry", "No.")), null, id)
    assert.equal(one.next(new Error("a fault of ours")), null)
  })
  it("is switched off by none", () => assert.equal(patience(0).next(fault), null))
})
