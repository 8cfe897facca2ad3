import assert from "node:assert/strict"
import { type Run, run } from "../../image-builder/agent/run.ts"
import { createTerminals, type Terminals } from "../../image-builder/agent/terminals/terminals.ts"
import { which } from "../../tools/setup/run.ts"
import { skipSuite } from "../support/skip.ts"
import { startTmux, type TmuxServer } from "../support/tmux-server.ts"
import { waitUntil } from "../support/wait-until.ts"

/** A computer on which tmux takes its time, and sometimes too long. */
describe("agent/terminals where tmux is slow", () => {
  let tmux: TmuxServer
  let terminals: Terminals
  let beforeListing: () => Promise<unknown>
  let isSilent: boolean
  /** Of this test; once it is over, whoever watches may be told so, late as well. */
  let life: { isOver: boolean }
  let listings: number

  before(async function () {
    if (!(await which("tmux"))) skipSuite(this, "this system has no tmux")
  })
  beforeEach(async () => {
    ;[isSilent, listings] = [false, 0]
    life = { isOver: false }
    beforeListing = async () => {}
    tmux = await startTmux()
    const slow: Run = async (program, args) => {
      const result = await run(program, args)
      if (!args.includes("list-panes")) return result
      listings++
      await beforeListing()
      return isSilent ? { code: -1, stdout: "", stderr: "killed after 5 s" } : result
    }
    terminals = createTerminals({ socket: tmux.socket, folder: () => "/tmp", run: slow, log: silent })
  })
  afterEach(async () => {
    life.isOver = true
    terminals?.close()
    await tmux?.close()
  })

  const silent = { info: () => {}, warn: () => {}, error: () => {} }
  const watcher = () => {
    const mine = life
    return { output: () => {}, stale: () => {}, ended: () => assert.ok(mine.isOver, "it is there") }
  }

  it("a new terminal can be watched at once, though a list from before it was still on its way", async () => {
    const held = Promise.withResolvers<void>()
    beforeListing = () => held.promise
    terminals.follow(() => {})
    const made = terminals.create("new")
    await waitUntil("a list is on its way", () => listings > 0)
    held.resolve()
    const id = await made
    assert.ok(id !== null)
    assert.ok(terminals.watch(id, watcher()) !== null)
  })

  it("terminals stay when tmux does not answer, and go when it is gone", async () => {
    let all: unknown[] = []
    terminals.follow(told => {
      all = told
    })
    await waitUntil("the list is there", () => all.length === 1)
    isSilent = true
    assert.equal(await terminals.create("one more"), "%2", "it is made")
    await waitUntil("there was a list without an answer", () => listings > 2)
    assert.equal(all.length, 1)
    isSilent = false
    await tmux.close()
    await waitUntil("nothing is left", () => all.length === 0)
  })
})
