import assert from "node:assert/strict"
import type { CallOptions, Machine, Machines, Snapshot } from "../../../infra/machines/contract.ts"
import { severalProjects } from "../../../infra/machines/several-projects.ts"

/** A project with these machines and snapshots that writes down what it is asked. */
function project(name: string, asked: string[], has: { machines?: string[]; snapshots?: string[] }): Machines {
  const note = (what: string) => void asked.push(`${name}: ${what}`)
  const machine = (id: string) => ({ id, labels: {} }) as unknown as Machine
  const own = {
    async list() {
      note("list")
      return (has.machines ?? []).map(machine)
    },
    async get(id: string) {
      note(`get ${id}`)
      return has.machines?.includes(id) ? machine(id) : null
    },
    powerOff: async (id: string) => note(`power off ${id}`),
    async listSnapshots() {
      note("list snapshots")
      return (has.snapshots ?? []).map(id => ({ id }) as unknown as Snapshot)
    },
    removeSnapshot: async (id: string) => note(`remove ${id}`),
    sizes: async () => {
      note("sizes")
      return []
    },
  }
  return own as unknown as Machines
}

describe("several projects as one", () => {
  let asked: string[]
  let all: Machines
  beforeEach(() => {
    asked = []
    const main = project("main", asked, { machines: ["1", "2"], snapshots: ["7"] })
    all = severalProjects(
      new Map([
        ["main", main],
        ["two", project("two", asked, { machines: ["3"], snapshots: ["8"] })],
      ]),
    )
  })
  const projects = async (options?: CallOptions) => (await all.list({}, options)).map(one => [one.project, one.id])

  it("a list is of all, or of the one that is named", async () => {
    assert.deepEqual(await projects(), [
      ["main", "1"],
      ["main", "2"],
      ["two", "3"],
    ])
    asked.length = 0
    assert.deepEqual(await projects({ project: "two" }), [["two", "3"]])
    assert.deepEqual(asked, ["two: list"])
  })

  it("a list goes without a project that fails, is late or is not to be asked, where that is wished, and says which", async () => {
    const broken = { list: async () => Promise.reject(new Error("away")) } as unknown as Machines
    const slow = { list: () => new Promise<Machine[]>(() => {}) } as unknown as Machines
    const main = project("main", asked, { machines: ["1"] })
    const some = severalProjects(new Map(Object.entries({ main, broken, slow, spared: main })))
    const away: string[] = []
    const lenient = { patienceMs: 20, away: (one: string) => void away.push(one), without: new Set(["spared"]) }
    assert.deepEqual(
      (await some.list({}, { lenient })).map(one => one.project),
      ["main"],
    )
    assert.deepEqual(away, ["spared", "broken", "slow"])
    const none = severalProjects(new Map(Object.entries({ broken, broken2: broken })))
    await assert.rejects(none.list({}, { lenient }), /away/)
    await assert.rejects(severalProjects(new Map(Object.entries({ main, broken }))).list({}), /away/)
  })

  it("an id goes to the project that a list has shown it in", async () => {
    await all.list({})
    asked.length = 0
    await all.powerOff("3")
    await all.powerOff("1")
    assert.deepEqual(asked, ["two: power off 3", "main: power off 1"])
  })

  it("one that was never seen is asked for in each, once", async () => {
    await all.powerOff("3")
    await all.powerOff("3")
    assert.deepEqual(asked, ["main: get 3", "two: get 3", "two: power off 3", "two: power off 3"])
    asked.length = 0
    await all.removeSnapshot("8")
    assert.deepEqual(asked, ["main: list snapshots", "two: list snapshots", "two: remove 8"])
  })

  it("one that none has is the main project's to refuse; sizes are asked for once", async () => {
    await all.powerOff("9")
    assert.equal(asked.at(-1), "main: power off 9")
    assert.equal(await all.get("9"), null)
    asked.length = 0
    await all.sizes()
    assert.deepEqual(asked, ["main: sizes"])
  })

  it("fails where one of them does not answer: what is missing in a list is missing", async () => {
    const silent = { list: () => Promise.reject(new Error("silent")) } as unknown as Machines
    const some = severalProjects(
      new Map([
        ["main", project("main", asked, { machines: ["1"] })],
        ["two", silent],
      ]),
    )
    await assert.rejects(some.list({}), /silent/)
    assert.equal((await some.list({}, { project: "main" })).length, 1)
  })
})
