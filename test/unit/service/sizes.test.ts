import assert from "node:assert/strict"
import fc from "fast-check"
import type { Machines, Size } from "../../../infra/machines/contract.ts"
import { ServiceError } from "../../../service/errors.ts"
import { createSizeCatalog, offeredSizes } from "../../../service/workspaces/sizes.ts"

const place = (monthly: number, available = true) => ({
  price: { currency: "EUR", hourly: monthly / 730, monthly },
  available,
})
const size = (
  name: string,
  cores: number,
  memoryGb: number,
  regions: Size["regions"],
  more: Partial<Size> = {},
): Size => ({ name, cores, memoryGb, diskGb: 40, architecture: "x86", orderable: true, regions, ...more }) as Size

/** A catalog over sizes that a test changes, with a clock of its own. */
function catalog(given: { sizes: Size[]; allowed?: string[] }) {
  const state = { ...given, now: 0, asked: 0, fails: false }
  const machines = {
    async sizes() {
      state.asked++
      if (state.fails) throw new Error("away")
      return state.sizes
    },
  } as unknown as Machines
  const settings = { hetzner: { regions: given.allowed ?? [] }, gcp: { regions: [] } }
  return {
    state,
    catalog: createSizeCatalog(
      () => machines,
      settings,
      () => state.now,
    ),
  }
}
const refusal = async (promise: Promise<unknown>): Promise<ServiceError> => {
  const error = await promise.then(
    () => null,
    reason => reason,
  )
  assert.ok(error instanceof ServiceError, String(error))
  return error
}

describe("sizes that are offered", () => {
  it("are the cheapest that suffice for each class", () => {
    const sizes = [
      size("s2", 2, 4, { fsn1: place(5) }),
      size("s2b", 2, 4, { fsn1: place(4) }),
      size("tiny", 1, 2, { fsn1: place(1) }),
      size("m4", 4, 8, { fsn1: place(9) }),
      size("l8", 8, 16, { fsn1: place(17) }),
    ]
    assert.deepEqual(
      offeredSizes(sizes, []).map(one => [one.class, one.size.name]),
      [
        ["small", "s2b"],
        ["medium", "m4"],
        ["large", "l8"],
      ],
    )
  })

  it("leave out what cannot be ordered, what is no x86 and what is sold elsewhere only", () => {
    const sizes = [
      size("old", 2, 4, { fsn1: place(1) }, { orderable: false }),
      size("arm", 2, 4, { fsn1: place(1) }, { architecture: "arm" }),
      size("far", 2, 4, { sin: place(1) }),
      size("here", 2, 4, { fsn1: place(9) }),
    ]
    assert.deepEqual(
      offeredSizes(sizes, ["fsn1"]).map(one => one.size.name),
      ["here"],
    )
  })

  it("prefer what can be had now to what is cheaper", () => {
    const sizes = [size("cheap", 2, 4, { fsn1: place(1, false) }), size("dear", 2, 4, { fsn1: place(9) })]
    assert.equal(offeredSizes(sizes, [])[0]?.size.name, "dear")
  })

  it("always suffice, whatever the provider sells", () => {
    const least = { small: [2, 4], medium: [4, 8], large: [8, 16] } as const
    const anything = fc.record({
      cores: fc.integer({ min: 1, max: 64 }),
      memory: fc.integer({ min: 1, max: 256 }),
      price: fc.integer({ min: 1, max: 500 }),
      available: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 12 }), all => {
        const sizes = all.map((one, index) =>
          size(`t${index}`, one.cores, one.memory, { fsn1: place(one.price, one.available) }),
        )
        for (const offer of offeredSizes(sizes, [])) {
          const [cores, memory] = least[offer.class]
          assert.ok(offer.size.cores >= cores && offer.size.memoryGb >= memory)
          const better = sizes.filter(
            other =>
              other.cores >= cores &&
              other.memoryGb >= memory &&
              other.regions.fsn1?.available === offer.size.regions.fsn1?.available &&
              (other.regions.fsn1?.price.monthly ?? 0) < (offer.size.regions.fsn1?.price.monthly ?? 0),
          )
          assert.deepEqual(better, [])
        }
      }),
    )
  })
})

describe("choosing a size", () => {
  const sizes = [
    size("s2", 2, 4, { fsn1: place(4, false), nbg1: place(4), hel1: place(4) }),
    size("m4", 4, 8, { fsn1: place(9), nbg1: place(9, false) }),
    size("l8", 8, 16, { hel1: place(17, false) }),
  ]

  it("takes the one of the class where it can be had", async () => {
    const { catalog: it } = catalog({ sizes })
    assert.equal((await it.choose({ provider: "hetzner", sizeClass: "small", region: "nbg1" })).name, "s2")
  })

  it("sold out: names the regions that have it and the sizes that the region has", async () => {
    const error = await refusal(
      catalog({ sizes }).catalog.choose({ provider: "hetzner", sizeClass: "small", region: "fsn1" }),
    )
    assert.deepEqual([error.id, error.status, error.next], ["sold-out", 409, "retry"])
    assert.equal(
      error.message,
      "Size small is sold out in fsn1 at the moment: the regions nbg1, hel1 have it; fsn1 has medium.",
    )
  })

  it("sold out everywhere: says to come back", async () => {
    const error = await refusal(
      catalog({ sizes }).catalog.choose({ provider: "hetzner", sizeClass: "large", region: "hel1" }),
    )
    assert.equal(error.message, "Size large is sold out in hel1 at the moment: hel1 has small.")
    const none = catalog({ sizes: [size("l8", 8, 16, { hel1: place(17, false) })] })
    const last = await refusal(none.catalog.choose({ provider: "hetzner", sizeClass: "large", region: "hel1" }))
    assert.match(last.message, /at the moment: try again later\.$/)
  })

  it("names no region that the operator does not offer", async () => {
    const { catalog: it } = catalog({ sizes, allowed: ["fsn1", "nbg1"] })
    assert.deepEqual(await it.regions("hetzner"), ["fsn1", "nbg1"])
    const error = await refusal(it.choose({ provider: "hetzner", sizeClass: "small", region: "fsn1" }))
    assert.doesNotMatch(error.message, /hel1/)
    const unknown = await refusal(it.choose({ provider: "hetzner", sizeClass: "small", region: "hel1" }))
    assert.deepEqual([unknown.id, unknown.status], ["unknown-region", 422])
    assert.match(unknown.message, /there are fsn1, nbg1\.$/)
    assert.equal(
      (await refusal(it.choose({ provider: "hetzner", sizeClass: "large", region: "fsn1" }))).id,
      "unknown-size",
    )
  })

  it("asks the provider once a minute, and again at once when it was away", async () => {
    const { state, catalog: it } = catalog({ sizes })
    await Promise.all(Array.from({ length: 50 }, () => it.offered("hetzner")))
    assert.equal(state.asked, 1)
    state.now = 60_000
    await it.all("hetzner")
    assert.equal(state.asked, 2)
    state.now = 120_000
    state.fails = true
    await assert.rejects(it.all("hetzner"))
    state.fails = false
    await it.all("hetzner")
    assert.equal(state.asked, 4)
  })
})
