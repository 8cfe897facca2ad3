import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { readFile, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { parseSession, readClaude } from "../../../image-builder/agent/conversations/claude.ts"
import { readCodex } from "../../../image-builder/agent/conversations/codex.ts"
import { readGemini } from "../../../image-builder/agent/conversations/gemini.ts"
import { readEnds } from "../../../image-builder/agent/conversations/transcript.ts"
import { lastLineOf, oneLine, withoutSecrets } from "../../../image-builder/agent/conversations/words.ts"
import { PROJECT_ROOT } from "../../../tools/setup/paths.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"

/** Written by the real programs (claude 2.1.330, codex 0.169.0, gemini 0.61.0) before a stand-in of their models; long texts are cut. */
const fixture = (name: string) => readFile(join(PROJECT_ROOT, "test/fixtures/agents", name), "utf8")
const whole = async (name: string) => {
  const text = await fixture(name)
  return { head: text, tail: text }
}

describe("agent/conversations: transcripts of the real programs", () => {
  it("Claude Code's: what was asked first, said last, where, and whose turn it is", async () => {
    const found = readClaude("4f62f5b2", await whole("claude-idle.jsonl"))
    assert.deepEqual(found, {
      ...{ tool: "claude", id: "4f62f5b2", folder: "/home/user/w1" },
      ...{ title: "hello from the start", last: "The command has run.", working: false },
      startedAt: Date.parse("2026-11-22T14:54:00.205Z"),
      at: found?.at,
    })
    assert.ok((found?.at ?? 0) > Date.parse("2026-11-22T14:55:00Z"))
    const asks = readClaude("90703ae0", await whole("claude-waiting.jsonl"))
    assert.equal(asks?.title, "run touch made")
    assert.equal(asks?.working, true, "the call of a tool has no answer yet")
  })

  it("Claude Code's account of a program that runs", async () => {
    const idle = parseSession(await fixture("claude-idle-session.json"))
    assert.deepEqual(idle, {
      ...{ pid: 17571, start: "2838967", id: "4f62f5b2-2c77-4dc7-b065-835b2e99e374" },
      ...{ folder: "/home/user/w1", state: "waiting" },
    })
    assert.equal(parseSession(await fixture("claude-waiting-session.json"))?.state, "asks")
    const text = await fixture("claude-idle-session.json")
    assert.equal(parseSession(text.replace('"status": "idle"', '"status": "busy"'))?.state, "working")
    assert.equal(parseSession(text.replace('"status": "idle"', '"status": "dreaming"'))?.state, null)
    for (const none of ["", "[]", '{"pid":1}', text.slice(0, 90), text.replace(/4f62f5b2-[^"]*/, "../../x")]) {
      assert.equal(parseSession(none), null)
    }
  })

  it("Codex's", async () => {
    const idle = readCodex(await whole("codex-idle.jsonl"))
    assert.deepEqual(
      { ...idle, at: 0 },
      {
        ...{ tool: "codex", id: "01a203c0-374d-7082-939e-df004c2b701f", folder: "/home/user/w1" },
        ...{ title: "hello codex", last: "The command has run.", working: false },
        ...{ startedAt: Date.parse("2026-11-22T14:54:18.450Z"), at: 0 },
      },
    )
    const asks = readCodex(await whole("codex-asks.jsonl"))
    assert.deepEqual([asks?.title, asks?.working], ["run touch /usr/xx", true])
  })

  it("Gemini CLI's", async () => {
    const found = readGemini("/home/user/w1", await whole("gemini-asks.jsonl"))
    assert.deepEqual(found, {
      ...{ tool: "gemini", id: "9f1a64a3-a82b-4d01-a8be-b916fb8c3056", folder: "/home/user/w1" },
      ...{ title: "hello gemini", last: "run touch made", working: null },
      startedAt: Date.parse("2026-11-22T14:54:37.189Z"),
      at: Date.parse("2026-11-22T14:57:23.394Z"),
    })
  })

  it("Gemini CLI's after it was resumed: all there was stands in one change", () => {
    const message = (type: string, content: unknown, at: string) => ({ id: "1", type, content, timestamp: at })
    const all = [
      message("user", [{ text: "one" }], "2030-01-01T00:00:00Z"),
      message("gemini", "Two.", "2030-01-01T00:00:01Z"),
    ]
    const lines = [
      { sessionId: "9f1a64a3-a82b", startTime: "2030-01-01T00:00:00Z", kind: "main" },
      { $set: { messages: all } },
    ]
    const text = lines.map(line => JSON.stringify(line)).join("\n")
    const found = readGemini("/w", { head: text, tail: text })
    assert.deepEqual([found?.title, found?.last], ["one", "Two."])
  })

  it("what is cut off, empty or of another shape is no conversation, and never an error", async () => {
    const text = await fixture("codex-idle.jsonl")
    assert.notEqual(readCodex({ head: text, tail: text.slice(text.length - 900) })?.title, undefined)
    for (const none of [
      "",
      "{",
      "null\n[1]\n",
      '{"type":"user"}',
      '{"type":"session_meta","payload":null}\n',
      '{"sessionId":7}',
    ]) {
      const ends = { head: none, tail: none }
      assert.deepEqual([readClaude("a", ends), readCodex(ends), readGemini("/x", ends)], [null, null, null], none)
    }
  })
})

describe("agent/conversations: both ends of a file", () => {
  it("are whole lines, however long it is; what is no file is not opened", async () => {
    const { path, remove } = await temporaryDirectory()
    try {
      const file = join(path, "long.jsonl")
      await writeFile(file, Array.from({ length: 100 }, (_, number) => `{"line":${number}}\n`).join(""))
      const ends = await readEnds(file, { head: 24, tail: 40 })
      assert.equal(ends?.head, '{"line":0}\n{"line":1}\n{"')
      assert.equal(ends?.tail, '{"line":97}\n{"line":98}\n{"line":99}\n')
      await symlink(file, join(path, "link"))
      execFileSync("mkfifo", [join(path, "pipe")])
      for (const none of ["link", "pipe", ".", "missing"]) assert.equal(await readEnds(join(path, none)), null, none)
    } finally {
      await remove()
    }
  })
})

describe("agent/conversations: words", () => {
  it("secrets of the workspace and what looks like one are left out", () => {
    const given = ["hunter-2-value", "abc"]
    const cases: [string, string][] = [
      ["use hunter-2-value here, abc", "use *** here, abc"],
      ["key sk-ant-REDACTED", "key ***"],
      ["export GITHUB_TOKEN=ghp_abcdefghijklmnop1234", "export GITHUB_TOKEN=***"],
      ["Authorization: Bearer abcdef0123456789", "Authorization: Bearer ***"],
      ["clone https://me:p4ssw0rd@example.com/x", "clone https://me:***@example.com/x"],
      ['{"password": "letmein1"}', '{"password": "***"}'],
      ["-----BEGIN RSA PRIVATE KEY-----\nMIIE", "***"],
      ["a token is what you need, said the sky-blue otter", "a token is what you need, said the sky-blue otter"],
    ]
    for (const [text, wanted] of cases) assert.equal(withoutSecrets(text, given), wanted)
  })

  it("one line, shortened between signs, without orders for a terminal", () => {
    assert.equal(oneLine("  a\n\tb\x1b[31m c\u202e ", 50), "a b [31m c")
    assert.equal(oneLine("🦦".repeat(20), 5), "🦦🦦🦦🦦…")
    assert.equal(oneLine("x".repeat(10_000), 10), "xxxxxxxxx…")
    assert.equal(lastLineOf("First.\nShall I go on?\n```\n\n"), "Shall I go on?")
    assert.equal(lastLineOf("\n"), "")
  })
})
