import assert from "node:assert/strict"
import { asSeen, type Conversations, follow } from "../../../service/conversations/follow.ts"
import { ConversationReport } from "../../../service/conversations/report.ts"
import { agentsMark } from "../../../service/pages/agents-mark.ts"

const SECOND = 1_000
const told = (more: object = {}) => ({
  ...{ tool: "claude", id: "4f62f5b2-2c77", folder: "~/w", title: "walk the otter", last: "Done." },
  ...{ at: "2030-01-01T00:00:00Z", state: "working", isInTerminal: true, hasPrompt: false, ...more },
})
const report = (...conversations: object[]) =>
  ConversationReport.parse({ at: "2030-01-01T00:01:00Z", tools: ["claude"], conversations })

describe("conversations: what is kept, and who is told", () => {
  let kept: Conversations | null
  const step = (now: number, ...conversations: object[]) => {
    const { after, tell } = follow(kept, report(...conversations), { now: now * SECOND, noticeMs: 60 * SECOND })
    kept = after
    return tell.map(one => one.state)
  }
  beforeEach(() => {
    kept = null
  })

  it("tells once of one that has worked and has waited long enough since", () => {
    const waiting = told({ state: "waiting" })
    assert.deepEqual(step(1_000, told()), [])
    assert.deepEqual(step(1_010, waiting), [])
    assert.deepEqual(step(1_069, waiting), [])
    assert.deepEqual(step(1_070, waiting), ["waiting"])
    assert.deepEqual(step(1_100, waiting), [])
    assert.deepEqual(step(1_110, told()), [])
    assert.deepEqual(step(1_120, told({ state: "asks" })), [])
    assert.deepEqual(step(1_150, waiting), [], "it waits since it asked")
    assert.deepEqual(step(1_180, told({ state: "asks" })), ["asks"])
  })

  it("tells of none that was answered in time, was never seen at work, or in which nothing was said", () => {
    step(1_000, told())
    step(1_010, told({ state: "waiting" }))
    step(1_050, told())
    assert.deepEqual(step(1_100, told({ state: "done" })), [])
    assert.deepEqual([...step(1_200, told({ state: "waiting" })), ...step(1_300, told({ state: "waiting" }))], [])
    const fresh = { id: null, title: "", last: "" }
    step(2_000, told(fresh))
    step(2_010, told({ ...fresh, state: "asks" }))
    assert.deepEqual(step(2_100, told({ ...fresh, state: "asks" })), [])
    assert.deepEqual([...step(3_000, told({ tool: "codex" })), ...step(3_100, told({ state: "waiting" }))], [])
  })

  it("times are by the service's clock, whatever the machine's shows", () => {
    step(1_000, told(), told({ id: "ahead-of-it", at: "2030-01-01T09:00:00Z" }))
    assert.deepEqual(
      kept?.conversations.map(one => one.at),
      [940 * SECOND, 1_000 * SECOND],
    )
  })

  it("of a machine that is off all are done, and those in which nothing was said are gone", () => {
    step(1_000, told(), told({ id: null, state: "asks" }))
    assert.ok(kept)
    assert.equal(asSeen(kept, true), kept)
    const off = asSeen(kept, false).conversations
    assert.deepEqual(
      off.map(one => [one.id, one.state, one.isInTerminal]),
      [["4f62f5b2-2c77", "done", false]],
    )
  })

  it("a report has bounds, and nothing in it is an order for a terminal", () => {
    const [one] = report(told({ title: "a\u001b[2Jb\u202ec" })).conversations
    assert.equal(one?.title, "a [2Jb c")
    const wrong = [
      told({ state: "dreaming" }),
      told({ id: "../etc" }),
      told({ tool: "sh" }),
      told({ last: "x".repeat(900) }),
      told({ at: "now" }),
    ]
    for (const given of wrong) assert.throws(() => report(given))
    assert.throws(() => report(...Array.from({ length: 101 }, () => told())))
  })

  it("a page's mark is the same for the same, in whatever order, and another for anything that is shown", () => {
    const marked = (more: object = {}) => ({
      id: "claude:1",
      tool: "claude",
      title: "a",
      last: "b",
      state: "working",
      prompted: false,
      ...more,
    })
    const base = agentsMark([marked(), marked({ id: "claude:2" })])
    assert.equal(agentsMark([marked({ id: "claude:2" }), marked()]), base)
    for (const more of [{ state: "waiting" }, { last: "c" }, { title: "c" }, { prompted: true }, { id: null }]) {
      assert.notEqual(agentsMark([marked(more), marked({ id: "claude:2" })]), base)
    }
    assert.notEqual(agentsMark([marked()]), base)
  })
})
