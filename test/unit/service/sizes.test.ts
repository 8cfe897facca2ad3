import assert from "node:assert/strict"
import fc from "fast-check"
import type { Machines, Size } from "../../../infra/machines/contract.ts"
import { ServiceError } from "../../../service/errors.ts"
import { offerOf, parseOffers } from "../../../service/offers/rules.ts"
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
async function catalog(given: { sizes: Size[]; allowed?: string[]; offers?: string }) {
  const state = { ...given, now: 0, asked: 0, fails: false }
  const machines = {
    async sizes() {
      state.asked++
      if (state.fails) throw new Error("away")
      return state.sizes
    },
  } as unknown as Machines
  const providers = { hetzner: { regions: given.allowed ?? [] }, gcp: { regions: [] } }
  const rules = given.offers === undefined ? null : parseOffers(given.offers)
  const made = createSizeCatalog(
    () => machines,
    { offered: ["hetzner", "gcp"], providers },
    () => state.now,
    async login => offerOf(rules, { login }),
  )
  return { state, catalog: made, offer: await made.offerTo("ann") }
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
    const { offer: it } = await catalog({ sizes })
    assert.equal((await it.choose({ provider: "hetzner", sizeClass: "small", region: "nbg1" })).name, "s2")
  })

  it("sold out: names the regions that have it and the sizes that the region has", async () => {
    const error = await refusal(
      (await catalog({ sizes })).offer.choose({ provider: "hetzner", sizeClass: "small", region: "fsn1" }),
    )
    assert.deepEqual([error.id, error.status, error.next], ["sold-out", 409, "retry"])
    assert.equal(
      error.message,
      "Size small is sold out in fsn1 at the moment: the regions nbg1, hel1 have it; fsn1 has medium.",
    )
  })

  it("sold out everywhere: says to come back", async () => {
    const error = await refusal(
      (await catalog({ sizes })).offer.choose({ provider: "hetzner", sizeClass: "large", region: "hel1" }),
    )
    assert.equal(error.message, "Size large is sold out in hel1 at the moment: hel1 has small.")
    const none = await catalog({ sizes: [size("l8", 8, 16, { hel1: place(17, false) })] })
    const last = await refusal(none.offer.choose({ provider: "hetzner", sizeClass: "large", region: "hel1" }))
    assert.match(last.message, /at the moment: try again later\.$/)
  })

  it("names no region that the operator does not offer", async () => {
    const { offer: it } = await catalog({ sizes, allowed: ["fsn1", "nbg1"] })
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

  it("is refused in plain words where rules do not offer it to somebody, and says what is theirs", async () => {
    const { offer: it } = await catalog({ sizes, offers: "everyone=hetzner/nbg1/small; user:ann=hetzner/hel1/*" })
    assert.deepEqual(it.providers, ["hetzner"])
    assert.deepEqual(await it.regions("hetzner"), ["hel1", "nbg1"])
    const offered = (await it.sizes("hetzner")).map(one => [one.class, Object.keys(one.size.regions)])
    assert.deepEqual(offered, [
      ["small", ["nbg1", "hel1"]],
      ["medium", ["hel1"]],
      ["large", ["hel1"]],
    ])
    assert.equal((await it.choose({ provider: "hetzner", sizeClass: "small", region: "nbg1" })).name, "s2")
    const elsewhere = await refusal(it.choose({ provider: "hetzner", sizeClass: "small", region: "fsn1" }))
    assert.deepEqual([elsewhere.id, elsewhere.status], ["not-offered-to-you", 403])
    assert.match(
      elsewhere.message,
      /^Machines of size small in fsn1 are not offered to you; .*small in nbg1, hel1\. Ask/,
    )
    const larger = await refusal(it.choose({ provider: "hetzner", sizeClass: "medium", region: "nbg1" }))
    assert.match(
      larger.message,
      /^Machines of size medium in nbg1 are not offered to you; what is: small in nbg1; medium in hel1\./,
    )
    const other = await refusal(it.choose({ provider: "gcp", sizeClass: "small", region: "fsn1" }))
    assert.match(other.message, /^Machines at Google Cloud are not offered to you; what is: Hetzner Cloud\./)
    const nowhere = await refusal(it.choose({ provider: "hetzner", sizeClass: "small", region: "mars" }))
    assert.equal(nowhere.id, "unknown-region")
    const soldOut = await refusal(it.choose({ provider: "hetzner", sizeClass: "large", region: "hel1" }))
    assert.equal(soldOut.message, "Size large is sold out in hel1 at the moment: hel1 has small.")
  })

  it("where a workspace is already, its machine can be had whatever is offered still; other places are theirs alone", async () => {
    const { offer: it } = await catalog({ sizes, offers: "everyone=hetzner/nbg1/small" })
    const here = { provider: "hetzner", size: "m4", sizeClass: "medium", region: "fsn1" } as const
    await it.requireAvailable(here)
    const gone = await refusal(it.requireAvailable({ ...here, region: "nbg1" }))
    assert.equal(gone.message, "Size medium is sold out in nbg1 at the moment: nbg1 has small.")
  })

  it("asks the provider once a minute, and again at once when it was away", async () => {
    const { state, offer, catalog: it } = await catalog({ sizes })
    await Promise.all(Array.from({ length: 50 }, () => offer.sizes("hetzner")))
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
