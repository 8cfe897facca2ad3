import assert from "node:assert/strict"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { createCarrying } from "../../../image-builder/agent/carry.ts"
import { parseOrder } from "../../../image-builder/agent/service/orders.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"

describe("agent/carry", () => {
  const order = (data: object) => parseOrder({ type: "carry", data: JSON.stringify(data) })
  const good = { direction: "out" as const, operation: "b0a7-1", volume: "12345" }

  it("is an order with a direction, an operation and a volume, and nothing that a program could take for another", () => {
    assert.deepEqual(order(good), { type: "carry", ...good })
    for (const bad of [
      { ...good, direction: "away" },
      { ...good, volume: "" },
      { ...good, volume: "../../etc" },
      { ...good, operation: "-rf" },
      { ...good, operation: "a b" },
      { direction: "in" },
    ])
      assert.throws(() => order(bad), /^Error: carry/, JSON.stringify(bad))
  })

  describe("#begin()", () => {
    let directory: Awaited<ReturnType<typeof temporaryDirectory>>
    let ran: string[][]
    let answer = { code: 0, stdout: "", stderr: "" }
    const carrying = () =>
      createCarrying({
        runtimeDirectory: directory.path,
        run: async (program, args) => {
          ran.push([program, ...args])
          return answer
        },
      })
    beforeEach(async () => {
      directory = await temporaryDirectory("fc-")
      ran = []
      answer = { code: 0, stdout: "", stderr: "" }
    })
    afterEach(() => directory.remove())
    const stands = (state: object) => writeFile(join(directory.path, "carry.json"), JSON.stringify(state))

    it("begins a unit of its own", async () => {
      assert.equal(await carrying().state(), null)
      await carrying().begin(good)
      assert.deepEqual(ran[0]?.slice(-4), ["/usr/lib/foozol/carry", "out", "b0a7-1", "12345"])
      assert.equal(ran[0]?.[0], "systemd-run")
    })

    it("begins nothing twice, however it ended, but the way back and another operation's", async () => {
      for (const state of ["running", "done", "failed"]) {
        await stands({ operation: "b0a7-1", direction: "out", state })
        await carrying().begin(good)
        assert.deepEqual(ran, [], state)
      }
      await carrying().begin({ ...good, direction: "in" })
      await carrying().begin({ ...good, operation: "b0a7-2" })
      assert.equal(ran.length, 2)
    })

    it("bears a unit that is there already, and says what else is wrong", async () => {
      answer = {
        code: 1,
        stdout: "",
        stderr: "Failed to start transient service unit: Unit foozol-carry.service was already loaded\n",
      }
      await carrying().begin(good)
      answer = { code: 1, stdout: "", stderr: "Failed to connect to bus\n" }
      await assert.rejects(carrying().begin(good), /Failed to connect to bus/)
    })
  })
})
