import assert from "node:assert/strict"
import fc from "fast-check"
import { ApiError } from "../../../local-cloud/errors.ts"
import { areLabels, parseSelector } from "../../../local-cloud/labels.ts"

describe("labels/parseSelector", () => {
  const labels = { env: "prod", tier: "", "example.com/role": "desk" }
  const matching = [
    "",
    "env",
    "!stage",
    "env=prod",
    "env==prod",
    "env = prod",
    "env!=test",
    "stage!=test",
    "tier=",
    "env in (prod,test)",
    "env in ( test , prod )",
    "env notin (test)",
    "stage notin (prod)",
    "example.com/role=desk",
    "env=prod,!stage,example.com/role in (desk,web),tier",
    " env , tier ",
  ]
  for (const text of matching) {
    it(`"${text}" fits`, () => assert.equal(parseSelector(text)(labels), true))
  }
  const missing = [
    "stage",
    "!env",
    "env=test",
    "env!=prod",
    "stage=",
    "env in (test)",
    "stage in (prod)",
    "env notin (prod,test)",
    "env=prod,stage",
    "constructor",
    "constructor in (x)",
  ]
  for (const text of missing) {
    it(`"${text}" does not fit`, () => assert.equal(parseSelector(text)(labels), false))
  }
  const wrong = [
    "=",
    "=prod",
    "!",
    "env=a b",
    "env in prod",
    "env in (prod",
    "env>1",
    "!env=prod",
    "a b",
    "-a",
    "env=(",
    "é",
  ]
  for (const text of wrong) {
    it(`"${text}" is refused as invalid input`, () => {
      assert.throws(
        () => parseSelector(text),
        (error: unknown) => error instanceof ApiError && error.status === 422 && error.code === "invalid_input",
      )
    })
  }

  const word = fc.stringMatching(/^[a-z0-9]([a-z0-9._-]{0,10}[a-z0-9])?$/)
  const bag = fc.dictionary(word, word, { maxKeys: 5 })
  it("any labels fit the selector that lists them, and none that negates one", () => {
    fc.assert(
      fc.property(bag, given => {
        const all = Object.entries(given)
        assert.equal(parseSelector(all.map(([key, value]) => `${key}=${value}`).join(","))(given), true)
        for (const [key, value] of all) {
          assert.equal(parseSelector(`${key}!=${value}`)(given), false)
          assert.equal(parseSelector(`!${key}`)(given), false)
          assert.equal(parseSelector(`${key} in (x,${value})`)(given), true)
          assert.equal(parseSelector(`${key} notin (${value})`)(given), false)
        }
      }),
    )
  })
  it("`=` and `!=` are opposites, `in` and `notin` too", () => {
    fc.assert(
      fc.property(bag, word, word, (given, key, value) => {
        const fits = (text: string) => parseSelector(text)(given)
        assert.notEqual(fits(`${key}=${value}`), fits(`${key}!=${value}`))
        assert.notEqual(fits(`${key} in (${value})`), fits(`${key} notin (${value})`))
        assert.notEqual(fits(key), fits(`!${key}`))
      }),
    )
  })
})

describe("labels/areLabels", () => {
  it("takes what Hetzner takes and nothing else", () => {
    assert.ok(areLabels({ a: "b", "example.com/a_b-c.d": "", A1: "x".repeat(63) }))
    for (const bad of [{ "": "x" }, { "a b": "x" }, { a: "x y" }, { a: "x".repeat(64) }, { "-a": "x" }, { "/a": "x" }])
      assert.equal(areLabels(bad as Record<string, string>), false, JSON.stringify(bad))
  })
})
