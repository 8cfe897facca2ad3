import assert from "node:assert/strict"
import { fittingCallback, withParameters } from "../../../local-cloud/sign-in/callback-url.ts"

describe("callback-url/fittingCallback", () => {
  const registered = new URL("http://127.0.0.1/path")
  const cases: [string, boolean][] = [
    ["http://127.0.0.1/path", true],
    ["http://127.0.0.1:1234/path", true],
    ["http://localhost:1234/path/subdir/other", true],
    ["http://cloud.localhost:1234/path", true],
    ["https://localhost:1234/path?next=1", true],
    ["http://127.0.0.1/bar", false],
    ["http://127.0.0.1/", false],
    ["http://127.0.0.1/pathology", false],
    ["http://127.0.0.1/path/../bar", false],
    ["http://127.0.0.1/path/%2e%2e/bar", false],
    ["http://example.org/path", false],
    ["http://localhost.example.org/path", false],
    ["http://127.0.0.1.example.org/path", false],
    ["http://notlocalhost/path", false],
    ["http://127.0.0.1@example.org/path", false],
    ["http://example.org@127.0.0.1/path", false],
    ["http://10.0.0.1/path", false],
    ["//127.0.0.1/path", false],
    ["/path", false],
    ["", false],
    ["http://127.0.0.1/path#fragment", false],
    ["javascript://127.0.0.1/path%0aalert(1)", false],
    ["ftp://127.0.0.1/path", false],
    ["http:\\\\example.org\\path", false],
    ["http://[::1]/path", false],
  ]
  for (const [given, fits] of cases) {
    it(`${fits ? "takes" : "refuses"} ${JSON.stringify(given)}`, () => {
      assert.equal(fittingCallback(given, registered) !== null, fits)
    })
  }
  it("with a registered path of /, any path fits", () => {
    assert.ok(fittingCallback("http://localhost:5/login/github/callback", new URL("http://127.0.0.1/")))
  })
})

describe("callback-url/withParameters", () => {
  it("keeps the query that is there, replaces what has the same name, and leaves out what has no value", () => {
    const url = new URL("http://127.0.0.1/path?next=%2Fa&code=old")
    assert.equal(
      withParameters(url, { code: "a b", state: null, more: "&" }),
      "http://127.0.0.1/path?next=%2Fa&code=a+b&more=%26",
    )
    assert.equal(url.search, "?next=%2Fa&code=old")
  })
})
