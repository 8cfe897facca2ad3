import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { createConversationDesk, sharedPart } from "../../../image-builder/agent/conversations/desk.ts"
import type { ConversationKeeper, Looked } from "../../../image-builder/agent/conversations/keeper.ts"
import { readWish, type Word } from "../../../image-builder/agent/conversations/protocol.ts"
import { MOST_SAID, saidIn } from "../../../image-builder/agent/conversations/said.ts"
import type { Tool } from "../../../image-builder/agent/conversations/transcript.ts"
import { PROJECT_ROOT } from "../../../tools/setup/paths.ts"
import { waitUntil } from "../../support/wait-until.ts"

describe("agent/conversations: what the page shows", () => {
  const lines = async (tool: Tool, name: string) =>
    saidIn(tool, await readFile(join(PROJECT_ROOT, "test/fixtures/agents", name), "utf8")).map(
      ({ who, text }) => `${who}: ${text}`,
    )

  it("what was said and done, of transcripts of the real programs, without what they remind themselves of", async () => {
    const claude = await lines("claude", "claude-idle.jsonl")
    assert.deepEqual(claude.slice(0, 2), ["person: hello from the start", "agent: I have read: hello from the start"])
    assert.deepEqual(claude.slice(-3), [
      "call: Bash: date",
      "result: Sun Nov 22 14:55:18 UTC 2026",
      "agent: The command has run.",
    ])
    assert.deepEqual(await lines("claude", "claude-waiting.jsonl"), [
      "person: run touch made",
      "call: Bash: touch made",
    ])
    const codex = await lines("codex", "codex-asks.jsonl")
    assert.deepEqual(codex.slice(0, 2), ["person: run touch /usr/xx", "call: exec_command: touch /usr/xx"])
    assert.match(codex[2] ?? "", /^result: Chunk ID[\s\S]*Read-only file system/)
    assert.deepEqual(codex.slice(3), [
      "agent: The command has run.",
      "person: run touch made",
      "call: exec_command: touch made",
    ])
    assert.deepEqual(await lines("gemini", "gemini-asks.jsonl"), [
      "person: hello gemini",
      "agent: I have read: hello gemini",
      "person: run touch made",
    ])
  })

  it("Gemini CLI's after it was resumed, where all stands once more in one change, and its tools", () => {
    const said = (id: string, type: string, content: string, more: object = {}) => ({ id, type, content, ...more })
    const call = { name: "run_shell_command", args: { command: "ls" }, resultDisplay: "a file" }
    const first = [said("1", "user", "one"), said("2", "gemini", "two")]
    const text = [...first, { $set: { messages: first } }, said("3", "gemini", "", { toolCalls: [call] })]
      .map(one => JSON.stringify(one))
      .join("\n")
    assert.deepEqual(
      saidIn("gemini", text).map(({ who, text }) => `${who}: ${text}`),
      ["person: one", "agent: two", "call: run_shell_command: ls", "result: a file"],
    )
  })

  it("no more than can be shown, and nothing where a line is none", () => {
    const entry = (content: string) => JSON.stringify({ type: "user", message: { content } })
    const many = saidIn("claude", Array.from({ length: 500 }, (_, at) => entry(`${at}`)).join("\n"))
    assert.deepEqual([many.length, many.at(-1)?.text], [MOST_SAID, "499"])
    assert.equal(saidIn("claude", entry("x".repeat(30_000)))[0]?.text.length, 20_001)
    for (const odd of ["", "{", "[]", "null", '{"type":"user"}', '{"type":"user","message":{"content":[1,null]}}'])
      assert.deepEqual(saidIn("claude", odd), [], odd)
  })

  it("tells only what has changed of a list", () => {
    assert.deepEqual(sharedPart([], ["a"]), { drop: 0, keep: 0 })
    assert.deepEqual(sharedPart(["a", "b"], ["a", "b", "c"]), { drop: 0, keep: 2 })
    assert.deepEqual(sharedPart(["a", "b", "c"], ["b", "c", "d"]), { drop: 1, keep: 2 })
    assert.deepEqual(sharedPart(["a", "b"], ["a", "x"]), { drop: 0, keep: 1 })
    assert.deepEqual(sharedPart(["a", "b"], ["x"]), { drop: 2, keep: 0 })
    assert.deepEqual(sharedPart(["a", "b"], []), { drop: 2, keep: 0 })
  })

  it("decides nothing where the terminal shows something else than the page has shown", async () => {
    const words: Word[] = []
    const pressed: string[] = []
    let screen = "Delete it? 1. Yes 2. No"
    const one = {
      tool: "claude",
      id: "0123456789",
      folder: "/home/user",
      title: "t",
      last: "",
      at: 0,
      pane: "%3",
    } as const
    const looked: Looked = {
      ...{ tools: ["claude"], conversations: [{ ...one, state: "asks" }] },
      ...{ pathOf: () => null, hasPrompt: () => false },
    }
    const keeper: Pick<ConversationKeeper, "watch" | "screen" | "press"> = {
      watch: see => {
        see(looked)
        return () => {}
      },
      screen: async () => screen,
      press: async (_, key) => {
        pressed.push(key)
        return null
      },
    }
    const desk = createConversationDesk({
      ...{ keeper: keeper as ConversationKeeper, home: "/home/user", input: () => {} },
      send: message => words.push(JSON.parse(new TextDecoder().decode(message))),
    })
    const ref = "claude:0123456789"
    const wish = (given: object) => desk.take(Buffer.from(JSON.stringify(given)))
    const answer = (number: number) =>
      waitUntil("an answer", () => words.find(word => word.is === "answer" && word.number === number))
    desk.open()
    wish({ do: "open", ref })
    await waitUntil("its screen", () => words.some(word => word.is === "screen" && word.text === screen))
    screen = "Delete all? 1. Yes 2. No"
    wish({ do: "press", number: 1, ref, key: "1" })
    assert.deepEqual(await answer(1), { is: "answer", number: 1, refusal: "changed" })
    await waitUntil("the new one", () => words.some(word => word.is === "screen" && word.text === screen))
    wish({ do: "press", number: 2, ref, key: "2" })
    await answer(2)
    // What decides nothing is not held back.
    screen = "Delete more? 1. Yes 2. No"
    wish({ do: "press", number: 3, ref, key: "Escape" })
    await answer(3)
    desk.close()
    assert.deepEqual(pressed, ["2", "Escape"])
  })

  it("takes no key and no text that could be something else for a terminal", () => {
    const read = (wish: object) => readWish(new TextEncoder().encode(JSON.stringify(wish)))
    const [press, prompt] = [
      { do: "press", number: 1, ref: "claude:%3", key: "Enter" },
      { do: "prompt", number: 1, ref: null, tool: "codex", text: "hello" },
    ]
    assert.deepEqual(read(press), press)
    assert.deepEqual(read(prompt), prompt)
    for (const key of ["C-c", "-X", "rm -rf", "", 1, null, "constructor"]) assert.equal(read({ ...press, key }), null)
    for (const ref of ["bash:%3", "claude:", "claude:a b", "claude:;x", 3]) {
      assert.equal(read({ ...press, ref }), null)
      assert.equal(read({ ...prompt, ref }), null)
    }
    for (const text of ["", "  \n", 1, "x".repeat(8_001)]) assert.equal(read({ ...prompt, text }), null)
    assert.equal(read({ ...prompt, tool: "bash" }), null)
  })
})
