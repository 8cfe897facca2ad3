import assert from "node:assert/strict"
import fc from "fast-check"
import { offerOf, organisationsIn, parseOffers } from "../../../service/offers/rules.ts"
import { PROVIDERS, SIZE_CLASSES } from "../../../service/workspaces/workspace.ts"

const RULES = parseOffers(
  "everyone=hetzner/*/small; user:Ann, org:acme = gcp/us-central1-a hetzner\n org:initech=*/*/large",
)
const small = { provider: "hetzner", region: "fsn1", sizeClass: "small" } as const
const large = { provider: "hetzner", region: "fsn1", sizeClass: "large" } as const
const google = { provider: "gcp", region: "us-central1-a", sizeClass: "medium" } as const

describe("what is offered to whom", () => {
  it("without rules is everything, to everybody", () => {
    for (const place of [small, large, google]) assert.ok(offerOf(null, null)(place))
  })

  it("is what the rules that name somebody say together: by login, by organisation, and for everyone", () => {
    const may = (who: Parameters<typeof offerOf>[1]) => [small, large, google].map(offerOf(RULES, who))
    assert.deepEqual(may(null), [true, false, false])
    assert.deepEqual(may({ login: "bob" }), [true, false, false])
    assert.deepEqual(may({ login: "ANN" }), [true, true, true])
    assert.deepEqual(may({ login: "bob", organisations: ["acme"] }), [true, true, true])
    assert.deepEqual(may({ login: "bob", organisations: ["initech"] }), [true, true, false])
    // A name of an account is none of an organisation.
    assert.deepEqual(may({ login: "acme", organisations: ["ann"] }), [true, false, false])
  })

  it("of a place that is named in part: is there anything of it?", () => {
    const may = offerOf(RULES, { login: "bob" })
    assert.deepEqual([may({ provider: "hetzner" }), may({ provider: "gcp" })], [true, false])
    const ann = offerOf(RULES, { login: "ann" })
    assert.ok(ann({ provider: "gcp", region: "us-central1-a" }))
    assert.ok(!ann({ provider: "gcp", region: "us-central1-b" }))
  })

  it("names the organisations that people are asked for, each once", () => {
    assert.deepEqual(organisationsIn(parseOffers("org:a,org:b=gcp; org:A=hetzner")), ["a", "b"])
    assert.deepEqual(organisationsIn(null), [])
  })

  it("another rule takes nothing away from anybody", () => {
    const place = fc.record({
      provider: fc.constantFrom(...PROVIDERS),
      region: fc.constantFrom("fsn1", "nbg1"),
      sizeClass: fc.constantFrom(...SIZE_CLASSES),
    })
    const part = (all: readonly string[]) => fc.constantFrom("", "*", ...all)
    const rule = fc
      .tuple(
        fc.constantFrom("everyone", "user:ann", "org:acme"),
        ...[part(PROVIDERS), part(["fsn1", "nbg1"]), part(SIZE_CLASSES)],
      )
      .map(([whom, provider, region, size]) => `${whom}=${provider || "*"}/${region}/${size}`)
    fc.assert(
      fc.property(fc.array(rule), rule, place, (rules, more, place) => {
        const who = { login: "ann", organisations: ["acme"] }
        const before = offerOf(parseOffers(rules.join(";")), who)(place)
        const after = offerOf(parseOffers([...rules, more].join(";")), who)(place)
        assert.ok(after || !before)
      }),
    )
  })
})
