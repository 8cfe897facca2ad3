import assert from "node:assert/strict"
import { type Check, CheckFailure, type Level } from "../../../../image-builder/verify/check.ts"
import { CHECKLIST } from "../../../../image-builder/verify/checklist.ts"
import type { Run } from "../../../../image-builder/verify/run.ts"
import { checksOf, runChecks } from "../../../../image-builder/verify/run-checks.ts"
import { until } from "../../../../image-builder/verify/until.ts"

describe("checklist", () => {
  const run = {} as Run
  const check = (name: string, given: Partial<Check> = {}): Check => ({
    ...{ name, level: "quick", needs: [], run: async () => `${name} seen` },
    ...given,
  })
  const fails = (error: Error) => async () => {
    throw error
  }

  describe("CHECKLIST", () => {
    it("has names that are unique, and needs that come before", () => {
      const names = CHECKLIST.map(({ name }) => name)
      assert.equal(new Set(names).size, names.length)
      for (const [index, { name, needs }] of CHECKLIST.entries()) {
        for (const need of needs) assert.ok(names.slice(0, index).includes(need), `${name} needs ${need}`)
      }
    })
    it("has a quick part that needs nothing else", () => {
      const quick = checksOf(CHECKLIST, "quick")
      const names = quick.map(({ name }) => name)
      assert.ok(quick.length > 10 && quick.length < CHECKLIST.length)
      for (const { name, needs } of quick) for (const need of needs) assert.ok(names.includes(need), `${name}: ${need}`)
      assert.deepEqual(checksOf(CHECKLIST, "full"), CHECKLIST)
    })
  })

  describe("#runChecks()", () => {
    it("tells what was seen", async () => {
      const [result] = await runChecks([check("one")], run)
      assert.deepEqual({ ...result, seconds: 0 }, { name: "one", state: "ok", seconds: 0, detail: "one seen" })
    })
    it("skips what needs a check that did not pass, with the reason, and goes on with the rest", async () => {
      const checks = [
        check("one", { run: fails(new CheckFailure("No light is on")) }),
        check("two", { needs: ["one"] }),
        check("three", { needs: ["two"] }),
        check("four"),
      ]
      const results = await runChecks(checks, run)
      assert.deepEqual(
        results.map(({ state, detail }) => [state, detail]),
        [
          ["failed", "No light is on"],
          ["skipped", '"one" failed'],
          ["skipped", '"two" was skipped'],
          ["ok", "four seen"],
        ],
      )
    })
    it("keeps a picture of a failure, and lives without one", async () => {
      const checks = [check("one", { run: fails(new Error("boom")) })]
      const [pictured] = await runChecks(checks, run, { picture: async (_run, name) => `/pictures/${name}.png` })
      assert.equal(pictured?.screenshot, "/pictures/one.png")
      assert.match(pictured?.detail ?? "", /^Error: boom \/ at /)
      const [blind] = await runChecks(checks, run, { picture: fails(new Error("no screen")) })
      assert.equal(blind?.state, "failed")
      assert.equal(blind?.screenshot, undefined)
    })
    it("ends with its signal", async () => {
      const ending = new AbortController()
      const stops = check("one", {
        run: async () => {
          ending.abort(new Error("enough"))
          return ""
        },
      })
      await assert.rejects(runChecks([stops, check("two")], { signal: ending.signal } as Run), /enough/)
    })
  })

  describe("#until()", () => {
    it("returns the first answer that is one", async () => {
      let asked = 0
      assert.equal(await until("three", () => ++asked === 3 && "three", { limit: 10_000 }), "three")
    })
    it("says what was waited for and what was said last", async () => {
      const never = until("a light", fails(new Error("dark")), { limit: 1 })
      await assert.rejects(never, /^CheckFailure: a light was waited for in vain \(0 s\): dark$/)
    })
  })

  it("has two levels", () => {
    const levels: Level[] = [...new Set(CHECKLIST.map(({ level }) => level))]
    assert.deepEqual(levels.sort(), ["full", "quick"])
  })
})
