import assert from "node:assert/strict"
import fc from "fast-check"
import { parseWorkspaceSpec } from "../../../infra/workspace-spec.ts"
import { newWorkspaceId } from "../../../service/workspaces/names.ts"
import { testSpec } from "../../support/workspace.ts"

describe("ids of workspaces", () => {
  it("are labels of the DNS that the engine takes, whatever the dice say", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 8, maxLength: 8 }), dice => {
        const rolls = [...dice]
        const id = newWorkspaceId(below => (rolls.shift() ?? 0) % below)
        assert.match(id, /^[a-z]+-[a-z]+-[2-9b-df-hj-np-tv-z]{6}$/)
        assert.ok(id.length <= 40)
        assert.equal(
          parseWorkspaceSpec({ ...testSpec(), workspace: id, dns: { name: id, zone: "desk.example" } }).workspace,
          id,
        )
      }),
      { numRuns: 300 },
    )
  })

  it("are none of the names behind which something else is looked for; a spec by hand with one is refused", () => {
    const named = (name: string) => parseWorkspaceSpec({ ...testSpec(), dns: { name, zone: "desk.example" } })
    for (const name of ["www", "mail", "autodiscover", "wpad", "mta-sts", "login"])
      assert.throws(() => named(name), /something else behind/)
    assert.equal(named("www-2").dns.name, "www-2")
  })

  it("do not come twice", () => {
    assert.equal(new Set(Array.from({ length: 20_000 }, () => newWorkspaceId())).size, 20_000)
  })
})
