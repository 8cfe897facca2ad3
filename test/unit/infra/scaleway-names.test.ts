import assert from "node:assert/strict"
import fc from "fast-check"
import { bears, fromTags, placed, toTags, zonedId } from "../../../infra/scaleway-names.ts"

describe("scaleway-names", () => {
  const word = fc.stringMatching(/^[A-Za-z0-9_.-]{1,20}$/)
  it("labels come back as they were, and are found by each of them", () => {
    fc.assert(
      fc.property(fc.dictionary(word, fc.stringMatching(/^[^,]{0,30}$/)), labels => {
        const tags = toTags(labels)
        assert.deepEqual({ ...fromTags(tags) }, { ...labels })
        assert.ok(bears(tags, labels))
        for (const [key, value] of Object.entries(labels)) assert.ok(!bears(tags, { [key]: `${value}x` }))
      }),
    )
  })
  it("what would be read as another label is refused", () => {
    for (const labels of [{ "a=b": "c" }, { "a,b": "c" }, { a: "b,c" }, { "": "b" }])
      assert.throws(() => toTags(labels), { id: "invalid-spec" })
  })
  it("tags of others are no labels", () => {
    assert.deepEqual(fromTags(["production", "=x", "a=b=c"]), { a: "b=c" })
  })
  it("ids are a zone and a UUID; others are of no zone", () => {
    assert.deepEqual(placed(zonedId("fr-par-1", "u-1")), { zone: "fr-par-1", id: "u-1" })
    assert.deepEqual(placed("u-1"), { zone: "none", id: "u-1" })
  })
})
