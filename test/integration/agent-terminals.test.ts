import assert from "node:assert/strict"
import { which } from "../../tools/setup/run.ts"
import { skipSuite } from "../support/skip.ts"
import { openTerminalClient, type TerminalClient } from "../support/terminal-client.ts"
import { startTestAgent, type TestAgent } from "../support/test-agent.ts"
import { startTmux, type TmuxServer } from "../support/tmux-server.ts"
import { waitUntil } from "../support/wait-until.ts"

/** The agent's way to a real tmux, with the emulator of the page at the other end. */
describe("agent/terminals", () => {
  let tmux: TmuxServer
  let desk: TestAgent
  let open: TerminalClient[]

  const enter = async (token = "good") => {
    desk.service.tokens.add(token)
    const client = await openTerminalClient(`ws+unix:${desk.config.socket}:/terminal/stream`, {
      headers: { "x-foozol-token": token },
    })
    open.push(client)
    return client
  }
  const capture = async (target: string, ...more: string[]) =>
    (await tmux.tmux("capture-pane", "-p", "-t", target, ...more)).replace(/\n+$/, "").split("\n")
  const trimmed = (lines: string[]) =>
    lines
      .map(line => line.trimEnd())
      .join("\n")
      .replace(/\n+$/, "")
      .split("\n")

  before(async function () {
    if (!(await which("tmux"))) skipSuite(this, "this system has no tmux")
  })
  beforeEach(async () => {
    open = []
    tmux = await startTmux()
    desk = await startTestAgent({ realTmux: tmux.socket })
  })
  afterEach(async () => {
    for (const client of open ?? []) client.close()
    await desk?.close()
    await tmux?.close()
  })

  it("shows what is there, with its colours and what has scrolled away, and then what comes", async () => {
    await tmux.tmux(
      "send-keys",
      "-t",
      "=main:",
      "clear; seq 1 200; printf '\\e[1;41mred\\e[m w\\303\\266rld\\n'; PS1='> '",
      "Enter",
    )
    await waitUntil("the shell is done", async () => (await capture("=main:")).at(-1) === ">")
    const client = await enter()
    const terminal = await client.watch("main")
    assert.deepEqual(trimmed(terminal.screen()), await capture("=main:"))
    assert.ok(terminal.lines().includes("17"), "the history came along")
    const row = terminal.screen().indexOf("red wörld")
    const cell = terminal.emulator.buffer.active.getLine(terminal.emulator.buffer.active.baseY + row)?.getCell(0)
    assert.deepEqual([cell?.isBold() !== 0, cell?.getBgColor()], [true, 1])
    terminal.type("echo $((6*7))\r")
    await waitUntil("the answer is shown", () => terminal.screen().includes("42"))
  })

  it("tells of terminals as they come, are named and go", async () => {
    const client = await enter()
    const names = () => client.terminals().map(one => one.name)
    await waitUntil("the list is there", () => names().length === 1)
    client.wish({ do: "create", name: null })
    client.wish({ do: "create", name: "at the same moment: left out" })
    await waitUntil("there is another", () => names().includes("Terminal 1"))
    const id = client.terminals().find(one => one.name === "Terminal 1")?.id ?? ""
    client.wish({ do: "rename", id, name: "Bäume / (2)" })
    await waitUntil("it is renamed", () => names().includes("Bäume / (2)"))
    await tmux.tmux("new-window", "-t", "=main:", "-n", "made elsewhere")
    await client.watch("main:0").catch(() => {})
    await waitUntil("what others make is told too", () => names().includes("made elsewhere"))
    client.wish({ do: "end", id })
    await waitUntil("it is gone", () => !names().includes("Bäume / (2)"))
    assert.ok(!(await tmux.tmux("list-windows", "-a", "-F", "#W")).includes("Bäume"))
  })

  it("refuses names and requests that are none, and carries nothing of them out", async () => {
    const client = await enter()
    await waitUntil("the list is there", () => client.terminals().length === 1)
    const bad = ["#(touch x)", "a'b", 'a"b', "a;b", "a\u0001b", "", "-x", "$HOME", "`id`", "x".repeat(41), "\u202e"]
    for (const name of bad) client.wish({ do: "create", name })
    client.sendRaw(Buffer.from([0, 0, 0x7b]))
    client.sendRaw(Buffer.from('\0\0{"do":"watch","channel":1,"id":"%0; kill-server"}'))
    const refused = () => client.words.filter(word => word.is === "refused").length
    await waitUntil("all are refused", () => refused() === bad.length + 2)
    assert.equal((await tmux.tmux("list-windows", "-a")).trim().split("\n").length, 1)
  })

  it("shows one terminal to several, and gives it the size of who asked last, until all have left", async () => {
    const [first, second] = [await enter("one"), await enter("two")]
    const [left, right] = [await first.watch("main"), await second.watch("main")]
    first.wish({ do: "size", channel: left.channel, cols: 100, rows: 30 })
    await waitUntil("both have the size", () => left.emulator.cols === 100 && right.emulator.cols === 100)
    second.wish({ do: "size", channel: right.channel, cols: 70, rows: 20 })
    await waitUntil("both have the other", () => left.emulator.cols === 70 && right.emulator.rows === 20)
    left.type("echo $((40+2))\r")
    await waitUntil("both see it", () => [left, right].every(one => one.screen().includes("42")))
    const marks = () => tmux.tmux("list-windows", "-a", "-F", "#{window-size} #{@foozol-sized}")
    assert.match(await marks(), /manual 1/)
    first.close()
    second.close()
    await waitUntil("the size is nobody's", async () => (await marks()).trim() === "latest")
  })

  it("leaves out what a slow page could not show, and shows it what there is then", async () => {
    const client = await enter()
    const slow = await client.watch("main", { takes: false })
    slow.type("PS1='> '; clear; seq 1 300000; echo the-end\r")
    await waitUntil("it is over", async () => (await capture("=main:")).includes("the-end"))
    const before = client.received()
    assert.ok(before < 1_500_000, `${before} bytes were sent to a page that takes none`)
    slow.take()
    const asks = (lines: string[]) => trimmed(lines).at(-1) === ">"
    await waitUntil("it shows the end", async () => asks(slow.screen()) && asks(await capture("=main:")))
    assert.deepEqual(trimmed(slow.screen()), trimmed(await capture("=main:")))
  })

  it("pastes as the program wants it, and nothing of it ends the brackets", async () => {
    const client = await enter()
    const terminal = await client.watch("main")
    terminal.type("clear; printf '\\033[?2004h'; cat -v\r")
    await waitUntil("cat runs", () => client.terminals()[0]?.program === "cat")
    terminal.paste("one\r\ntwo \x1b[201~ \" ' \\ # $ ;\n")
    terminal.type("\r\x04")
    const text = () => terminal.screen().join("\n")
    await waitUntil("it is there", () => /two M-bM-\^PM-\^\[\[201~ " ' \\ # \$ ;/.test(text()))
    assert.match(text(), /\^\[\[200~one\n/)
  })

  it("makes a program on the whole screen whole again, for who comes later too", async () => {
    await tmux.tmux("send-keys", "-t", "=main:", "seq 1 99 > $HOME/file; clear; less $HOME/file", "Enter")
    // The line that starts it ends in the same word.
    const isWhole = async () =>
      (await tmux.tmux("display-message", "-p", "-t", "=main:", "#{alternate_on}")).trim() === "1"
    await waitUntil(
      "less is there",
      async () => (await isWhole()) && (await capture("=main:")).at(-1)?.endsWith("file"),
    )
    const client = await enter()
    const terminal = await client.watch("main")
    assert.equal(terminal.emulator.buffer.active.type, "alternate")
    assert.deepEqual(trimmed(terminal.screen()), trimmed(await capture("=main:")))
    terminal.type("G")
    await waitUntil("the end is shown", () => terminal.screen().includes("99"))
    terminal.type("q")
    await waitUntil("the shell is back", () => terminal.emulator.buffer.active.type === "normal")
    // Its prompt comes after that, here and there at moments of its own.
    const ends = (lines: string[]) => /[$#]\s*$/.test(trimmed(lines).at(-1) ?? "")
    await waitUntil("it asks", async () => ends(await capture("=main:")) && ends(terminal.screen()))
    assert.deepEqual(trimmed(terminal.screen()), trimmed(await capture("=main:")))
  })

  it("lets nobody in without a token, ends streams with it, and counts typing as somebody's presence", async () => {
    const url = `ws+unix:${desk.config.socket}:/terminal/stream`
    await assert.rejects(openTerminalClient(url, { headers: { "x-foozol-token": "none" } }), /401/)
    const client = await enter()
    const terminal = await client.watch("main")
    const newest = () => desk.service.reports.at(-1)?.signals as { viewers: number; lastInputAt: string | null }
    await waitUntil("it is reported", () => newest()?.viewers === 1)
    assert.equal(newest().lastInputAt, null)
    client.wish({ do: "view-only", on: true })
    terminal.type("looks only\r")
    terminal.type("\x1b[I")
    client.wish({ do: "view-only", on: false })
    terminal.type("\x1b[I")
    await new Promise(resolve => setTimeout(resolve, 300))
    assert.equal(newest().lastInputAt, null)
    terminal.type("echo typed\r")
    await waitUntil("typing is reported", () => newest().lastInputAt !== null)
    assert.ok(!terminal.lines().join("\n").includes("looks only"))
    const began = performance.now()
    desk.service.revoke("good")
    assert.equal(await client.closed, 4401)
    assert.ok(performance.now() - began < 8_000, "told, not found at the next look after ten seconds")
  })

  it("closes whoever sends too much or nonsense, and goes on for the others", async () => {
    const [large, bomb, wrong, other] = [await enter(), await enter(), await enter(), await enter()]
    const text = await other.watch("main")
    large.socket.send(Buffer.alloc(1024 * 1024 + 1), { compress: false })
    bomb.socket.send(Buffer.alloc(64 * 1024 * 1024))
    wrong.sendRaw(Buffer.from([99, 1]))
    assert.deepEqual(await Promise.all([large.closed, bomb.closed, wrong.closed]), [1009, 1009, 1002])
    text.type("echo $((40+2))\r")
    await waitUntil("the other goes on", () => text.screen().includes("42"))
  })
})
