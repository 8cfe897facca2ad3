import assert from "node:assert/strict"
import { inspect } from "node:util"
import { toErrorValue } from "../../../infra/errors.ts"
import { Secret } from "../../../infra/secret.ts"

describe("secret/Secret", () => {
  const secret = new Secret("hunter2")
  it("hands itself on when asked", () => assert.equal(secret.reveal(), "hunter2"))
  it("prints as [redacted] in every way", () => {
    const ways = [
      `${secret}`,
      String(secret),
      JSON.stringify({ secret }),
      inspect({ secret }, { depth: 9, showHidden: true }),
      `${inspect(secret)}`,
    ]
    for (const way of ways) {
      assert.match(way, /\[redacted\]/)
      assert.doesNotMatch(way, /hunter2/)
    }
  })
})

describe("errors/toErrorValue", () => {
  it("gives a stranger's error no way to the user", () => {
    const value = toErrorValue(new TypeError("cannot read token of undefined"))
    assert.equal(value.id, "internal")
    assert.doesNotMatch(value.message, /token|TypeError/)
    assert.match(value.detail ?? "", /cannot read/)
  })
})
