import assert from "node:assert/strict"
import { mkdir, rm, symlink, utimes, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { createFileWatch } from "../../../image-builder/agent/signals/files.ts"
import { parseStat, readProcesses } from "../../../image-builder/agent/signals/process-table.ts"
import { AGENT_NAMES, agentName, createProcessWatch } from "../../../image-builder/agent/signals/processes.ts"
import { countConnections } from "../../../image-builder/agent/signals/ssh.ts"
import { parsePanes } from "../../../image-builder/agent/signals/terminals.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"
import { waitUntil } from "../../support/wait-until.ts"

const stat = (comm: string, user: number, system: number, start = 500) =>
  `42 (${comm}) S 1 42 42 0 -1 4194560 100 0 0 0 ${user} ${system} 0 0 20 0 1 0 ${start} 1000 100`

describe("agent/signals/processes", () => {
  it("reads /proc/PID/stat, whatever the name holds", () => {
    assert.deepEqual(parseStat(stat("a) (b c", 150, 50)), {
      ...{ comm: "a) (b c", parent: 1, terminal: 0, cpuSeconds: 2, reapedSeconds: 0, start: "500" },
    })
    assert.equal(parseStat("nonsense"), null)
  })
  it("knows agents by program, by script and by package", () => {
    const name = (comm: string, ...commandLine: string[]) => agentName(comm, commandLine, AGENT_NAMES)
    assert.equal(name("codex", "/usr/local/bin/codex"), "codex")
    assert.equal(name("claude", "claude"), "claude")
    assert.equal(name("MainThread", "node", "--no-warnings", "/usr/bin/gemini"), "gemini")
    assert.equal(name("node", "node", "/usr/lib/node_modules/@openai/codex/bin/codex.js"), "codex")
    assert.equal(name("node", "node", "/usr/lib/node_modules/@anthropic-ai/claude-code/cli.js"), "claude")
    assert.equal(name("python3", "python3", "/home/user/.local/bin/aider"), "aider")
    assert.equal(name("node", "node", "server.js"), "node")
    assert.equal(name("python3", "python3", "train.py"), null)
    assert.equal(name("bash", "bash", "codex"), null)
  })
  it("says how busy a process was since the last look, and not for another one with its number", async () => {
    const { path, remove } = await temporaryDirectory()
    const put = async (ticks: number, start: number) => {
      await mkdir(join(path, "42"), { recursive: true })
      await writeFile(join(path, "42", "stat"), stat("codex", ticks, 0, start))
      await writeFile(join(path, "42", "cmdline"), "codex\0exec\0")
    }
    try {
      const watch = createProcessWatch({ proc: path })
      const look = async (at: number) => watch(await readProcesses(path), at)
      await put(1_000, 1)
      assert.deepEqual(await look(0), [{ name: "codex", pid: 42, cpu: 0 }])
      await put(1_750, 1)
      assert.deepEqual(await look(15_000), [{ name: "codex", pid: 42, cpu: 0.5 }])
      await put(100, 2)
      assert.deepEqual(await look(30_000), [{ name: "codex", pid: 42, cpu: 0 }])
    } finally {
      await remove()
    }
  })
})

describe("agent/signals/ssh", () => {
  it("counts established connections to port 22", () => {
    const line = (local: string, state: string) => `   0: ${local} 0100007F:D431 ${state} 00000000:00000000 00:00000000`
    const text = [
      "  sl  local_address rem_address   st",
      line("00000000:0016", "0A"),
      line("0100007F:0016", "01"),
      line("0100007F:0016", "06"),
      line("0100007F:1600", "01"),
      line("00000000000000000000000001000000:0016", "01"),
    ].join("\n")
    assert.equal(countConnections(text, 22), 2)
    assert.equal(countConnections("", 22), 0)
  })
})

describe("agent/signals/terminals", () => {
  it("reads what tmux lists", () => {
    assert.deepEqual(parsePanes("main:0.0\t1700000000\nmy work:1.0\t1700000001\nbroken\n"), [
      { name: "main:0.0", lastOutputAt: "2023-11-14T22:13:20.000Z" },
      { name: "my work:1.0", lastOutputAt: "2023-11-14T22:13:21.000Z" },
    ])
  })
})

describe("agent/signals/files", () => {
  let root: { path: string; remove: () => Promise<void> }
  const now = Date.parse("2030-01-01T00:00:00Z")
  const put = async (path: string, seconds: number) => {
    const whole = join(root.path, path)
    await mkdir(join(whole, ".."), { recursive: true })
    await writeFile(whole, "x")
    await utimes(whole, seconds, seconds)
  }
  beforeEach(async () => {
    root = await temporaryDirectory()
  })
  afterEach(() => root.remove())

  it("finds the newest file, and not in caches, packages, the future or behind links", async () => {
    const base = now / 1_000
    await put("work/deep/newest.txt", base - 100)
    await put("work/older.txt", base - 500)
    await put("work/.cache/x", base - 1)
    await put("work/node_modules/x", base - 1)
    await put("work/future", base + 10_000)
    await put("elsewhere/x", base - 1)
    await symlink(join(root.path, "elsewhere"), join(root.path, "work", "link"))
    assert.equal(await createFileWatch([join(root.path, "work")], () => now).look(60_000), now - 100_000)
  })
  it("goes on where its time ended, and bears what goes away", async () => {
    for (let i = 0; i < 30; i++) await put(`work/d${i}/f`, now / 1_000 - 100 - i)
    const watch = createFileWatch([join(root.path, "work")], () => now)
    for (let i = 0; i < 2_000; i++) await watch.look(0.2)
    // Where a busy computer has kept it in one place, it begins anew.
    await waitUntil("it knows the newest", async () => (await watch.look(1_000)) === now - 100_000)
    await rm(join(root.path, "work"), { recursive: true })
    assert.equal(await watch.look(100), now - 100_000)
    assert.equal(await createFileWatch([join(root.path, "none")]).look(100), null)
  })
})
