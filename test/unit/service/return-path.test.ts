import assert from "node:assert/strict"
import fc from "fast-check"
import { HOME, returnPath } from "../../../service/logins/return-path.ts"

describe("the way back after sign-in", () => {
  const OWN = "https://cloud.example"
  /** Where a browser that is told to go there from a page of ours ends up. */
  const origin = (path: string) => new URL(path, `${OWN}/login/github/callback`).origin
  /** Texts out of what such attacks are made of. */
  const parts = [
    "/",
    "\\",
    "//",
    "evil.example",
    "https:",
    "http:",
    "javascript:",
    "@",
    ":",
    "?",
    "#",
    "..",
    ".",
    "%2f",
    "%5c",
    "%0d%0a",
    "\t",
    "\r\n",
    "\n",
    "\0",
    " ",
    "\u2028",
    "a",
    "account",
    "＼",
    "／",
  ]
  const attack = fc.array(fc.constantFrom(...parts), { maxLength: 8 }).map(all => all.join(""))

  it("stays with us, whatever was asked for", () => {
    fc.assert(
      fc.property(fc.oneof(attack, fc.string({ unit: "binary" }), fc.webUrl(), fc.webPath()), given => {
        const path = returnPath(given)
        assert.equal(origin(path), OWN)
        assert.match(path, /^\/(?![/\\])[\x21-\x7e]*$/)
        assert.doesNotMatch(path, /\\|[\r\n\t]/)
      }),
      { numRuns: 20_000 },
    )
  })

  it("is what was asked for, where that is a path of ours", () => {
    for (const path of ["/", "/account", "/operations/1?open=1", "/connect?workspace=calm-otter", "/a/b/c?d=//e"]) {
      assert.equal(returnPath(path), path)
    }
  })

  it("asked for twice leads to the same place", () => {
    fc.assert(fc.property(attack, given => assert.equal(returnPath(returnPath(given)), returnPath(given))))
  })

  it("is home for what is no text, and for what is too long", () => {
    for (const given of [undefined, null, 1, ["/account"], { a: 1 }, "", "account", `/${"a".repeat(500)}`]) {
      assert.equal(returnPath(given), HOME)
    }
  })
})
