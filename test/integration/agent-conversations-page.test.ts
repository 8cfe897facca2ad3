import assert from "node:assert/strict"
import { once } from "node:events"
import { appendFile, readdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import WebSocket from "ws"
import type { Listed } from "../../image-builder/agent/conversations/protocol.ts"
import { which } from "../../tools/setup/run.ts"
import { installAgentProgram } from "../support/agent-window.ts"
import { type AgentsPage, openAgentsPage } from "../support/agents-page.ts"
import { skipSuite } from "../support/skip.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import { startTestAgent, type TestAgent } from "../support/test-agent.ts"
import { startTmux, type TmuxServer } from "../support/tmux-server.ts"
import { waitUntil } from "../support/wait-until.ts"

/** What the page of conversations is told and can do, beside a real tmux with a stand-in of Claude Code in it. */
describe("agent/conversations: the page's stream", () => {
  let root: Awaited<ReturnType<typeof temporaryDirectory>>
  let tmux: TmuxServer
  let desk: TestAgent
  let page: AgentsPage
  let open: WebSocket[]

  before(async function () {
    if (!(await which("tmux"))) skipSuite(this, "this system has no tmux")
  })
  beforeEach(async () => {
    open = []
    root = await temporaryDirectory()
    const agents = await installAgentProgram(root.path)
    tmux = await startTmux()
    await tmux.tmux("set-environment", "-g", "CLAUDE_CONFIG_DIR", join(root.path, ".claude"))
    const conversations = { hurriedMs: 50, busyMs: 50, quietMs: 50, beforeEnterMs: 100, settleMs: 100 }
    desk = await startTestAgent({
      ...{ realTmux: tmux.socket, times: { conversations }, config: { home: root.path, agents } },
    })
    page = await enter("good")
  })
  afterEach(async () => {
    for (const socket of open) socket.terminate()
    await desk?.close()
    await tmux?.close()
    await root?.remove()
  })

  async function enter(token: string): Promise<AgentsPage> {
    const entered = await openAgentsPage(desk, token)
    open.push(entered.socket)
    return entered
  }

  const until = (what: string, isSo: (one: Listed) => boolean, its = page) =>
    waitUntil(what, () => its.list().find(isSo))
  const shown = (...texts: string[]) =>
    waitUntil(
      `the page shows ${texts.join(", ")}`,
      () =>
        page
          .said()
          .map(one => one.text)
          .join("|") === texts.join("|"),
    )

  it("begins a conversation, shows it while it grows, and goes on with it", async () => {
    await waitUntil("an empty list", () => page.words.some(one => one.is === "list"))
    assert.deepEqual(page.list(), [])
    assert.equal(await page.prompt("hello **there**"), null)
    const { ref, title } = await until("it has answered", one => one.last === "I have read: hello **there**")
    assert.match(ref, /^claude:[0-9a-f-]{36}$/)
    assert.equal(title, "hello **there**")
    page.wish({ do: "open", ref })
    await shown("hello **there**", "I have read: hello **there**")
    assert.deepEqual(
      page.said().map(one => one.who),
      ["person", "agent"],
    )
    assert.equal(await page.prompt("think of otters", ref), null)
    await until("it works", one => one.state === "working")
    assert.equal(await page.prompt("hurry", ref), "working")
    await writeFile(join(root.path, ".claude/go-on"), "")
    const thought = "I have thought about: think of otters"
    await shown("hello **there**", "I have read: hello **there**", "think of otters", thought)
    const parts = page.words.filter(one => one.is === "said")
    assert.ok(
      parts.slice(1).every(one => one.drop === 0 && one.keep > 0),
      "only what is new is told again",
    )
    assert.doesNotMatch(desk.logged.join("\n"), /otters|there/)
  })

  it("shows what is asked, and presses keys there only after it has shown it", async () => {
    assert.equal(await page.prompt("ask me"), null)
    // A program that has just begun counts as asking until it tells of itself.
    const { ref } = await until("it asks", one => one.state === "asks" && one.title === "ask me")
    // What no page has before it, nobody can have answered.
    assert.equal(await page.press(ref, "1"), "changed")
    page.wish({ do: "open", ref })
    await waitUntil("its terminal is shown", () => page.screen() !== null)
    assert.deepEqual(page.said().at(-1), { who: "call", text: "Bash: true", at: page.said().at(-1)?.at })
    assert.equal(await page.prompt("hello", ref), "asks")
    assert.equal(await page.press(ref, "1"), null)
    await until("it has run", one => one.state === "waiting" && one.last === "It has run.")
    await waitUntil("nothing is asked any more", () => page.screen() === null)
    assert.equal(await page.press(ref, "Escape"), "not-asked")
    assert.equal(await page.press(ref, "y"), "changed")
    assert.equal(await page.press("claude:00000000-gone", "Escape"), "gone")
  })

  it("finds one in which nothing was said yet by its terminal, and types its first prompt", async () => {
    const command = [join(root.path, "bin/claude")]
    await tmux.tmux("new-window", "-d", "-c", root.path, ...command)
    const fresh = await until("it waits for a first prompt", one => one.state === "waiting")
    assert.equal(fresh.ref, `claude:${fresh.pane}`)
    assert.equal(await page.prompt("first words", fresh.ref), null)
    const said = await until("it has answered", one => one.last === "I have read: first words")
    assert.deepEqual([said.pane, page.list().length], [fresh.pane, 1])
  })

  it("closes when the token is taken back, and counts what somebody does as input, not that it is open", async () => {
    const seen = () => (desk.service.reports.at(-1) as { signals: { lastInputAt?: string | null } }).signals.lastInputAt
    await waitUntil("a report", () => desk.service.reports.length > 0)
    assert.equal(seen() ?? null, null)
    page.wish({ do: "leave" })
    await page.prompt("hello")
    await waitUntil("input is told", () => (seen() ?? null) !== null)
    const other = await enter("other")
    const closed = once(page.socket, "close")
    const at = performance.now()
    desk.service.revoke("good")
    const [code] = await closed
    assert.equal(code, 4401)
    assert.ok(performance.now() - at < 8_000, "told, not found at the next look after ten seconds")
    assert.equal(other.socket.readyState, WebSocket.OPEN)
    desk.service.revoke("other", true)
    assert.equal((await once(other.socket, "close"))[0], 4401)
  })

  it("closes on what is no wish, and shows nothing of a line that is half written", async () => {
    assert.equal(await page.prompt("hello"), null)
    const { ref } = await until("it has answered", one => one.last === "I have read: hello")
    page.wish({ do: "open", ref })
    await shown("hello", "I have read: hello")
    const [folder = ""] = await readdir(join(root.path, ".claude/projects"))
    const [name = ""] = await readdir(join(root.path, ".claude/projects", folder))
    await appendFile(join(root.path, ".claude/projects", folder, name), '{"type":"user","message":{"content":"half')
    await shown("hello", "I have read: hello")
    for (const wrong of [
      "",
      "{}",
      '{"do":"open","ref":"../x"}',
      '{"do":"press","number":1,"ref":"claude:x","key":"C-c"}',
    ]) {
      const other = await enter("another")
      const closed = once(other.socket, "close")
      other.socket.send(Buffer.from(wrong))
      assert.equal((await closed)[0], 1002, wrong)
    }
  })
})
