import assert from "node:assert/strict"
import fc from "fast-check"
import { CONSISTENCY_MS, planRecovery, type StackFacts } from "../../../infra/recover.ts"

const NOW = Date.parse("2026-03-04T05:06:07Z")
const one = (name: string, id: string) => ({ name, type: `type-of-${name}`, id })
const begun = (name: string, operation = "creating") => ({ name, type: `type-of-${name}`, operation })
const facts = (given: Partial<StackFacts> = {}): StackFacts => ({
  ...{ pending: [], recorded: [], provider: [], writtenAt: NOW - 10 * CONSISTENCY_MS },
  ...given,
})
const plan = (given: Partial<StackFacts>) => planRecovery(facts(given), NOW)

describe("recover/planRecovery", () => {
  it("has nothing to do where state and provider agree", () => {
    const same = [one("machine", "1"), one("ipv4", "2")]
    const found = plan({ recorded: same, provider: same })
    assert.deepEqual(found, { adopt: {}, forget: [], unsure: [], lookAgainAt: null, refresh: false, surplus: [] })
  })

  it("knows what is imported by another id than the state has", () => {
    const record = { ...one("record-A", "zone/desk/A"), recordedAs: "desk/A" }
    const found = plan({ recorded: [one("record-A", "desk/A")], provider: [record] })
    assert.deepEqual([found.refresh, found.surplus], [false, []])
    assert.deepEqual(plan({ provider: [record] }).adopt, { "record-A": "zone/desk/A" })
  })

  it("takes in what was made and never recorded", () => {
    const found = plan({ pending: [begun("machine")], provider: [one("machine", "7")] })
    assert.deepEqual(found.adopt, { machine: "7" })
    assert.deepEqual(found.forget, [], "it is not recorded yet")
  })

  it("forgets a creation whose end the state knows", () => {
    const same = [one("machine", "7")]
    assert.deepEqual(plan({ pending: [begun("machine")], recorded: same, provider: same }).forget, [begun("machine")])
  })

  it("does not know yet what a creation of a moment ago has come to", () => {
    const writtenAt = NOW - CONSISTENCY_MS + 1
    const found = plan({ pending: [begun("machine")], writtenAt })
    assert.deepEqual([found.forget, found.unsure], [[], [begun("machine")]])
    assert.equal(found.lookAgainAt, NOW + 1)
  })

  it("forgets one that has come to nothing", () => {
    const found = plan({ pending: [begun("machine")], writtenAt: NOW - CONSISTENCY_MS })
    assert.deepEqual([found.forget, found.unsure], [[begun("machine")], []])
  })

  it("keeps the one in the state, and tells of what carries the label beside it", () => {
    const found = plan({ recorded: [one("machine", "1")], provider: [one("machine", "1"), one("machine", "2")] })
    assert.deepEqual([found.adopt, found.surplus], [{}, [one("machine", "2")]])
  })

  it("asks for a refresh where something was being changed or removed", () => {
    for (const operation of ["updating", "deleting", "reading", "importing"]) {
      const same = [one("machine", "7")]
      assert.ok(plan({ pending: [begun("machine", operation)], recorded: same, provider: same }).refresh, operation)
    }
  })

  it("asks for a refresh where the state knows what is not there any more", () => {
    assert.ok(plan({ recorded: [one("machine", "1")] }).refresh)
  })

  it("whatever is found: each pending creation has one end, each unknown resource one place, nothing recorded is touched", () => {
    const names = fc.constantFrom("machine", "ipv4", "firewall")
    const ids = fc.constantFrom("1", "2", "3")
    const resources = fc.uniqueArray(fc.record({ name: names, id: ids }), { selector: ({ name, id }) => name + id })
    const kept = fc.uniqueArray(fc.record({ name: names, id: ids }), { selector: ({ name }) => name })
    const age = fc.integer({ min: 0, max: 2 * CONSISTENCY_MS })
    fc.assert(
      fc.property(resources, kept, fc.uniqueArray(names), age, (provider, recorded, pending, old) => {
        const given = facts({
          provider: provider.map(({ name, id }) => one(name, id)),
          recorded: recorded.map(({ name, id }) => one(name, id)),
          pending: pending.map(name => begun(name)),
          writtenAt: NOW - old,
        })
        const found = planRecovery(given, NOW)
        for (const creation of given.pending) {
          const ends = [
            found.forget.includes(creation),
            found.unsure.includes(creation),
            creation.name in found.adopt,
          ].filter(Boolean)
          assert.equal(ends.length, 1, creation.name)
        }
        const adopted = Object.entries(found.adopt).map(([name, id]) => one(name, id))
        const places = [...adopted, ...found.surplus]
        const unknown = given.provider.filter(a => !given.recorded.some(b => a.name === b.name && a.id === b.id))
        assert.deepEqual(new Set(places.map(p => p.name + p.id)), new Set(unknown.map(p => p.name + p.id)))
        assert.equal(places.length, unknown.length)
        for (const { name } of adopted) assert.ok(!given.recorded.some(known => known.name === name))
        if (old < CONSISTENCY_MS) {
          for (const gone of found.forget) assert.ok(given.recorded.some(known => known.name === gone.name))
        }
      }),
    )
  })
})
