import assert from "node:assert/strict"
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { ConversationReport } from "../../image-builder/agent/conversations/keeper.ts"
import { which } from "../../tools/setup/run.ts"
import { installAgentProgram } from "../support/agent-window.ts"
import { skipSuite } from "../support/skip.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import { startTestAgent, type TestAgent } from "../support/test-agent.ts"
import { startTmux, type TmuxServer } from "../support/tmux-server.ts"
import { waitUntil } from "../support/wait-until.ts"

type Told = ConversationReport["conversations"][number]

/** The agent beside a real tmux, in which a stand-in of Claude Code runs: same files, same behaviour at its terminal. */
describe("agent/conversations", () => {
  let root: Awaited<ReturnType<typeof temporaryDirectory>>
  let tmux: TmuxServer
  let desk: TestAgent
  let work: string
  let orders: number
  let agents: Awaited<ReturnType<typeof installAgentProgram>>

  before(async function () {
    if (!(await which("tmux"))) skipSuite(this, "this system has no tmux")
  })
  beforeEach(async () => {
    orders = 0
    root = await temporaryDirectory()
    work = join(root.path, "a folder; with 'signs' #(touch made) $HOME")
    await mkdir(work)
    agents = await installAgentProgram(root.path)
    tmux = await startTmux()
    await tmux.tmux("set-environment", "-g", "CLAUDE_CONFIG_DIR", join(root.path, ".claude"))
    await startAgent()
  })
  afterEach(async () => {
    await desk?.close()
    await tmux?.close()
    await root?.remove()
  })

  async function startAgent(settings: object = {}): Promise<void> {
    const conversations = { hurriedMs: 50, busyMs: 50, quietMs: 50, beforeEnterMs: 100, settleMs: 100 }
    desk = await startTestAgent({
      ...{ realTmux: tmux.socket, times: { conversations }, settings },
      config: { home: root.path, agents },
    })
  }

  const newest = () => desk.service.conversations.at(-1)?.conversations ?? []
  const until = (what: string, isSo: (one: Told) => boolean) => waitUntil(what, () => newest().find(isSo))
  /** Opens a window with it. @returns its pane */
  const open = async (folder: string) =>
    (
      await tmux.tmux(
        "new-window",
        "-d",
        "-P",
        "-F",
        "#{pane_id}",
        "-c",
        folder.replaceAll("#", "##"),
        join(root.path, "bin/claude"),
      )
    ).trim()
  const type = async (pane: string, text: string) => {
    await tmux.tmux("send-keys", "-t", pane, "-l", text)
    await tmux.tmux("send-keys", "-t", pane, "Enter")
  }

  async function prompt(text: string, conversation: string | null = null, tool = "claude"): Promise<string | null> {
    const id = `p${++orders}`
    desk.service.push("prompt", { id, tool, conversation, text })
    return (await waitUntil("it is answered", () => desk.service.prompted.find(one => one.id === id))).refusal
  }
  /** What was asked in a conversation, as its transcript has it. */
  async function asked(id: string): Promise<string[]> {
    const folders = await readdir(join(root.path, ".claude/projects"))
    for (const folder of folders) {
      const text = await readFile(join(root.path, ".claude/projects", folder, `${id}.jsonl`), "utf8").catch(() => null)
      if (text === null) continue
      const entries = text
        .trim()
        .split("\n")
        .map(line => JSON.parse(line))
      return entries.filter(one => one.type === "user").map(one => one.message.content)
    }
    return []
  }

  it("tells of each how it is: it waits, works, asks, and is done", async () => {
    assert.deepEqual(newest(), [])
    const pane = await open(work)
    const fresh = await until("it waits for a first prompt", one => one.state === "waiting")
    assert.deepEqual(
      { ...fresh, at: "" },
      {
        ...{ tool: "claude", id: null, folder: `~/${work.split("/").at(-1)}`, title: "", last: "", at: "" },
        ...{ state: "waiting", isInTerminal: true, hasPrompt: false },
      },
    )
    await type(pane, "think about token=abcdef123456")
    const working = await until("it works", one => one.state === "working")
    assert.equal(working.title, "think about token=***")
    await writeFile(join(root.path, ".claude/go-on"), "")
    const waiting = await until("it waits", one => one.state === "waiting")
    assert.equal(waiting.last, "I have thought about: think about token=***")
    await type(pane, "ask me")
    await until("it asks", one => one.state === "asks")
    await tmux.tmux("send-keys", "-t", pane, "C-c")
    const done = await until("it is done", one => one.state === "done")
    assert.deepEqual([done.id, done.isInTerminal], [working.id, false])
    assert.deepEqual(desk.service.conversations.at(-1)?.tools, ["claude"])
    assert.doesNotMatch(desk.logged.join("\n"), /think about|ask me/)
  })

  it("types a prompt as it is, however many lines and signs it has, and sends it off once", async () => {
    const pane = await open(root.path)
    await until("it waits", one => one.state === "waiting")
    await type(pane, "one")
    const { id } = await until("it has answered", one => one.last === "I have read: one")
    const signs =
      "$(touch made) `touch made`; \"a\" 'b' \\ #{pane_id} #(touch made)\n\n  -t second: ~ * ✓ 🦦;\nq\x1b[201~\x03\x07 end;"
    // Somebody scrolls back meanwhile, where keys would go to.
    await tmux.tmux("copy-mode", "-t", pane)
    assert.equal(await prompt(signs, id), null)
    const wanted = signs.replace("\x1b", "␛").replace("\x03\x07", "")
    await waitUntil("it is asked", async () => (await asked(id ?? "")).length > 1)
    assert.deepEqual(await asked(id ?? ""), ["one", wanted])
    await until("it has answered", one => one.state === "waiting" && one.last.includes("end;"))
    const long = "Tell me more. ".repeat(560).trim()
    assert.equal(await prompt(long, id), null)
    await waitUntil("it is asked", async () => (await asked(id ?? "")).length > 2)
    assert.equal((await asked(id ?? "")).at(-1), long)
    assert.deepEqual(
      (await readdir(root.path)).filter(name => name === "made"),
      [],
    )
  })

  it("gives several at the same moment each its own", async () => {
    const names = ["one", "two", "three"]
    const ids: string[] = []
    for (const name of names) {
      const pane = await open(work)
      await until("it waits", one => one.state === "waiting" && one.id === null)
      await type(pane, name)
      ids.push(String((await until("it has answered", one => one.last === `I have read: ${name}`)).id))
    }
    const answers = await Promise.all(ids.map((id, at) => prompt(`more of ${names[at]}`, id)))
    assert.deepEqual(answers, [null, null, null])
    for (const [at, id] of ids.entries()) {
      await waitUntil("it is asked", async () => (await asked(id)).length > 1)
      assert.deepEqual(await asked(id), [names[at], `more of ${names[at]}`])
    }
  })

  it("begins one in a window of its own, whose prompt is in no list of processes and answers no question", async () => {
    await tmux.tmux("set-environment", "-g", "ASKS_FIRST", "1")
    assert.equal(await prompt("walk the otter"), null)
    const asks = await until("it asks whether to trust the folder", one => one.state === "asks")
    assert.deepEqual([asks.id, asks.hasPrompt, asks.folder], [null, true, "~"])
    const lists = await Promise.all(
      (await readdir("/proc"))
        .filter(name => /^\d+$/.test(name))
        .map(pid => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
    )
    assert.ok(lists.some(one => one.includes("claude")))
    assert.ok(!lists.some(one => one.includes("walk the otter")))
    await tmux.tmux("send-keys", "-t", "=main:claude", "-l", "y")
    const told = await until(
      "it has answered",
      one => one.state === "waiting" && one.last === "I have read: walk the otter",
    )
    assert.deepEqual([told.state, told.title, told.hasPrompt], ["waiting", "walk the otter", false])
    assert.deepEqual(await asked(told.id ?? ""), ["walk the otter"])
  })

  it("says why a prompt cannot be given", async () => {
    const pane = await open(root.path)
    await until("it waits", one => one.state === "waiting")
    assert.equal(await prompt("hello", "00000000-gone"), "gone")
    assert.equal(await prompt("hello", null, "codex"), "no-tool")
    await type(pane, "ask me")
    const asks = await until("it asks", one => one.state === "asks")
    assert.equal(await prompt("hello", asks.id), "asks")
    await tmux.tmux("send-keys", "-t", pane, "-l", "1")
    await until("it waits again", one => one.last === "It has run.")
    assert.equal(await prompt("think", asks.id), null)
    await until("it works", one => one.state === "working")
    assert.equal(await prompt("hello", asks.id), "working")
    assert.deepEqual(await asked(asks.id ?? ""), ["ask me", "think"])
    await tmux.tmux("kill-window", "-t", pane)
    await until("it is done", one => one.state === "done")
    await tmux.tmux("kill-server")
    assert.equal(await prompt("hello", asks.id), "no-terminal")
  })

  it("goes on with one that is done, in its folder; after a stop the list is what it was", async () => {
    const pane = await open(work)
    await until("it waits", one => one.state === "waiting")
    await type(pane, "one")
    const before = await until("it has answered", one => one.last === "I have read: one")
    await desk.close()
    await tmux.close()
    tmux = await startTmux()
    await tmux.tmux("set-environment", "-g", "CLAUDE_CONFIG_DIR", join(root.path, ".claude"))
    await startAgent()
    const after = await until("it is there", one => one.id === before.id)
    assert.deepEqual(after, { ...before, state: "done", isInTerminal: false })
    assert.equal(await prompt("two", before.id), null)
    const going = await until("it goes on", one => one.state === "waiting" && one.last === "I have read: two")
    assert.deepEqual([going.id, going.folder, going.title, going.state], [before.id, before.folder, "one", "waiting"])
    assert.deepEqual(await asked(before.id ?? ""), ["one", "two"])
    assert.deepEqual(
      (await readdir(work)).concat(await readdir(root.path)).filter(name => name === "made"),
      [],
    )
  })

  it("never tells what the workspace was given as a secret", async () => {
    await desk.close()
    await startAgent({ secrets: { MY_WORD: "otter-in-the-night" } })
    const pane = await open(root.path)
    await until("it waits", one => one.state === "waiting")
    await type(pane, "say otter-in-the-night")
    const told = await until("it has answered", one => one.last.startsWith("I have read"))
    assert.deepEqual([told.title, told.last], ["say ***", "I have read: say ***"])
    assert.doesNotMatch(JSON.stringify(desk.service.conversations), /otter-in-the-night/)
  })
})
