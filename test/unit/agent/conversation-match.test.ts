import assert from "node:assert/strict"
import { type Found, matched, takesPrompts } from "../../../image-builder/agent/conversations/match.ts"
import { type Program, resumedBy } from "../../../image-builder/agent/conversations/programs.ts"
import { parsePrompt } from "../../../image-builder/agent/conversations/prompt.ts"
import type { Tool, Transcript } from "../../../image-builder/agent/conversations/transcript.ts"

const transcript = (tool: Tool, id: string, more: Partial<Transcript> = {}): Transcript => ({
  ...{ tool, id, folder: "/home/user/w", title: id, last: "", startedAt: 100_000, at: 200_000, working: false },
  ...more,
})
const program = (tool: Tool, terminal: number, more: Partial<Program> = {}): Program => ({
  ...{ tool, terminal, processes: [{ pid: terminal, start: "1" }], folder: "/home/user/w" },
  ...{ startedAt: 90_000, resumes: null, isAlone: false, ...more },
})
const states = (given: Partial<Found>) =>
  Object.fromEntries(
    matched({ transcripts: [], programs: [], sessions: [], panes: [], screens: new Map(), ...given }).map(one => [
      one.id ?? `new in ${one.pane}`,
      one.pane === null ? one.state : `${one.state} in ${one.pane}`,
    ]),
  )
const pane = (terminal: number, title = "") => ({ id: `%${terminal}`, terminal, title })

describe("agent/conversations: which program has which open", () => {
  it("Codex: the one that began in it, the one it was told to resume, or the newest of its folder", () => {
    const transcripts = [
      transcript("codex", "begun", { startedAt: 301_000, at: 310_000, working: true }),
      transcript("codex", "resumed", { startedAt: 1_000, at: 320_000 }),
      transcript("codex", "chosen", { folder: "/home/user/other", startedAt: 1_000, at: 330_000 }),
      transcript("codex", "old", { startedAt: 2_000, at: 3_000 }),
      transcript("gemini", "another tool's", { startedAt: 301_000, at: 400_000 }),
    ]
    const programs = [
      program("codex", 1, { startedAt: 300_000 }),
      program("codex", 2, { startedAt: 290_000, resumes: "resumed" }),
      program("codex", 3, { startedAt: 280_000, folder: "/home/user/other" }),
      program("codex", 4, { startedAt: 350_000 }),
    ]
    const screens = new Map([["%4", "› Ask Codex to do anything\n"]])
    assert.deepEqual(states({ transcripts, programs, panes: [1, 2, 3, 4].map(one => pane(one)), screens }), {
      ...{ begun: "working in %1", resumed: "waiting in %2", chosen: "waiting in %3", old: "done" },
      ...{ "another tool's": "done", "new in %4": "waiting in %4" },
    })
  })

  it("of two in one folder each has its own", () => {
    const transcripts = [
      transcript("codex", "first", { startedAt: 101_000, at: 900_000 }),
      transcript("codex", "second", { startedAt: 501_000, at: 600_000 }),
    ]
    const programs = [program("codex", 1, { startedAt: 100_000 }), program("codex", 2, { startedAt: 500_000 })]
    assert.deepEqual(states({ transcripts, programs, panes: [pane(1), pane(2)] }), {
      ...{ first: "waiting in %1", second: "waiting in %2" },
    })
  })

  it("titles say who asks and who works; a program without a field for prompts asks", () => {
    const titles: [Tool, string, string][] = [
      ["codex", "[ ! ] Action Required | w", "asks"],
      ["codex", "w", "waiting"],
      ["gemini", "✋  Action Required (w)", "asks"],
      ["gemini", "✦  Working… (w)", "working"],
      ["gemini", "◇  Ready (w)", "waiting"],
    ]
    for (const [tool, title, state] of titles) {
      const given = { transcripts: [transcript(tool, "one")], programs: [program(tool, 1)], panes: [pane(1, title)] }
      assert.deepEqual(states(given), { one: `${state} in %1` }, title)
    }
    const ready = { programs: [program("gemini", 1)], panes: [pane(1, "◇  Ready (w)")] }
    assert.deepEqual(states(ready), { "new in %1": "asks in %1" }, "its title says so before somebody has signed in")
    assert.ok(takesPrompts("gemini", "\n >   Type your message or @path/to/file\n"))
    assert.ok(!takesPrompts("codex", "  Would you like to run it?\n› 1. Yes, proceed (y)\n  Press enter to confirm"))
    assert.ok(!takesPrompts("codex", "> You are in /w\n› 1. Yes, continue\n  Press enter to continue"))
  })

  it("Claude Code: what it says of itself, by process and when that began", () => {
    const transcripts = [transcript("claude", "one"), transcript("claude", "two")]
    const session = { pid: 1, start: "1", id: "one", folder: "/home/user/w", state: "asks" as const }
    const given = { transcripts, programs: [program("claude", 1)], panes: [pane(1)], sessions: [session] }
    assert.deepEqual(states(given), { one: "asks in %1", two: "done" })
    const another = { ...given, sessions: [{ ...session, start: "2" }] }
    assert.deepEqual(
      states(another),
      { one: "done", two: "done", "new in %1": "asks in %1" },
      "its number is used again",
    )
    const older = { ...given, sessions: [{ ...session, state: null }] }
    assert.deepEqual(states(older), { one: "waiting in %1", two: "done" }, "versions that do not say it")
  })

  it("what answers one question and ends takes no prompts; outside of tmux there is no terminal to type in", () => {
    const transcripts = [transcript("codex", "one")]
    assert.deepEqual(states({ transcripts, programs: [program("codex", 1, { isAlone: true })], panes: [pane(1)] }), {
      one: "working in %1",
    })
    assert.deepEqual(states({ transcripts, programs: [program("codex", 9)], panes: [pane(1)] }), { one: "waiting" })
    assert.deepEqual(
      states({ programs: [program("claude", 9), program("claude", 1, { isAlone: true })], panes: [pane(1)] }),
      {},
    )
  })

  it("reads which one a program was started to go on with", () => {
    const id = "01a203c0-374d-7082-939e-df004c2b701f"
    for (const args of [
      ["codex", "resume", id],
      ["node", "gemini", "--resume", id],
      ["claude", `--resume=${id}`],
      ["claude", "-r", id],
    ]) {
      assert.equal(resumedBy(args), id)
    }
    for (const args of [["codex"], ["codex", "resume"], ["claude", "--resume", "../../x"]])
      assert.equal(resumedBy(args), null)
  })
})

describe("agent/conversations: orders", () => {
  it("a prompt is read strictly, and never repeated in what is wrong with it", () => {
    const good = { id: "p1", tool: "claude", conversation: null, text: "hello" }
    assert.deepEqual(parsePrompt(good), good)
    const wrong = [
      ...[
        { id: "a b" },
        { id: 7 },
        { tool: "sh" },
        { tool: undefined },
        { conversation: "../x" },
        { conversation: "a;b-c-d-e" },
      ],
      ...[{ text: "" }, { text: " \n" }, { text: 7 }, { text: `secret ${"x".repeat(8_000)}` }],
    ]
    for (const one of wrong) {
      assert.throws(
        () => parsePrompt({ ...good, ...one }),
        (error: Error) => !error.message.includes("secret") && !error.message.includes("hello"),
      )
    }
  })
})
