import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { mkdir, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { readProcesses } from "../../../image-builder/agent/signals/process-table.ts"
import { createLoadWatch } from "../../../image-builder/agent/signals/signals.ts"
import { createWorkWatch } from "../../../image-builder/agent/signals/work.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"
import { waitUntil } from "../../support/wait-until.ts"

/** A process of a made-up machine; CPU in seconds. */
interface Fake {
  parent: number
  comm: string
  cpu: number
  reaped?: number
  terminal?: number
  unit?: string
  start?: number
  commandLine?: string
}

describe("agent/signals/work", () => {
  let root: { path: string; remove: () => Promise<void> }
  beforeEach(async () => {
    root = await temporaryDirectory()
  })
  afterEach(() => root.remove())

  /** Makes /proc show these processes and no others. */
  async function show(processes: Record<number, Fake>): Promise<void> {
    await rm(root.path, { recursive: true })
    for (const [pid, one] of Object.entries(processes)) {
      const { parent, comm, cpu, reaped = 0, terminal = 0, unit = "foozol-app", start = 1, commandLine = comm } = one
      const directory = join(root.path, pid)
      await mkdir(directory, { recursive: true })
      const times = `${cpu * 100} 0 ${reaped * 100} 0`
      const stat = `${pid} (${comm}) S ${parent} 1 1 ${terminal} -1 0 0 0 0 0 ${times} 20 0 1 0 ${start} 0 0`
      await writeFile(join(directory, "stat"), stat)
      await writeFile(join(directory, "cgroup"), `0::/system.slice/${unit}.service\n`)
      await writeFile(join(directory, "cmdline"), commandLine.replaceAll(" ", "\0"))
    }
  }
  /** Cores in use over looks 10 s apart, one for each state of the machine. */
  async function cores(...states: Record<number, Fake>[]): Promise<number[]> {
    const watch = createWorkWatch({ proc: root.path })
    const found: number[] = []
    for (const [index, state] of states.entries()) {
      await show(state)
      found.push(Math.round((await watch(await readProcesses(root.path), index * 10_000)) * 1_000) / 1_000)
    }
    return found
  }
  const tmux = { 10: { parent: 1, comm: "tmux: server", cpu: 50, unit: "foozol-tmux" } }
  const shell = { 11: { parent: 10, comm: "bash", cpu: 1, terminal: 34816, unit: "foozol-tmux" } }

  it("sees a build that prints nothing", async () => {
    const make = (cpu: number) => ({ ...tmux, ...shell, 12: { parent: 11, comm: "cc1", cpu, terminal: 34816 } })
    assert.deepEqual(await cores(make(100), make(109), make(109)), [0, 0.9, 0])
  })

  it("counts what started and ended between two looks, and nothing twice", async () => {
    const make = (reaped: number) => ({
      ...tmux,
      ...shell,
      12: { parent: 11, comm: "make", cpu: 0, reaped, terminal: 1 },
    })
    assert.deepEqual(await cores(make(0), make(8)), [0, 0.8])
    const cc = { 13: { parent: 12, comm: "cc1", cpu: 20, terminal: 1 } }
    // The 20 s were counted while it ran; now they are its parent's, with one more.
    assert.deepEqual(await cores(make(0), { ...make(0), ...cc }, make(21)), [0, 2, 0.1])
    // It goes with its parent, and all of it comes to the shell.
    const after = { ...tmux, 11: { ...shell[11], reaped: 21 } }
    assert.deepEqual(await cores({ ...make(0), ...cc }, after), [0, 0.1])
  })

  it("does not take tmux's own drawing, the desktop's programs or a shell that waits for work", async () => {
    const at = (cpu: number) => ({
      10: { ...tmux[10], cpu },
      ...shell,
      20: { parent: 1, comm: "chromium", cpu, unit: "foozol-browser" },
      21: { parent: 20, comm: "chromium", cpu, unit: "foozol-browser" },
      22: { parent: 1, comm: "Xvfb", cpu, unit: "foozol-xvfb" },
      23: { parent: 1, comm: "tmux: client", cpu, terminal: 34817, unit: "foozol-terminal" },
    })
    assert.deepEqual(await cores(at(0), at(10), at(20)), [0, 0, 0])
  })

  it("sees what has left its terminal, what came over SSH, and what an agent has started", async () => {
    const at = (unit: string) => (cpu: number) => ({ 30: { parent: 1, comm: "train", cpu, unit } })
    for (const unit of ["foozol-tmux", "foozol-devcontainer", "ssh", "ssh@3-10.0.0.1:22"]) {
      assert.deepEqual(await cores(at(unit)(0), at(unit)(5)), [0, 0.5], unit)
    }
    assert.deepEqual(await cores(at("foozol-app")(0), at("foozol-app")(5)), [0, 0])
    const watch = createWorkWatch({ proc: root.path })
    const agent = (cpu: number) => ({
      40: { parent: 1, comm: "codex", cpu: 0 },
      41: { parent: 40, comm: "cargo", cpu },
    })
    await show(agent(0))
    await watch(await readProcesses(root.path), 0, [40])
    await show(agent(5))
    assert.equal(await watch(await readProcesses(root.path), 10_000, [40]), 0.5)
  })

  it("bears a number that is another process's now, and parents in a circle", async () => {
    const one = (start: number, cpu: number) => ({ ...tmux, 11: { ...shell[11], start, cpu } })
    assert.deepEqual(await cores(one(1, 500), one(2, 1)), [0, 0.1])
    const circle = (cpu: number) => ({
      50: { parent: 51, comm: "a", cpu },
      51: { parent: 50, comm: "b", cpu },
    })
    assert.deepEqual(await cores(circle(0), circle(5)), [0, 0])
  })

  it("says when work was last seen, and does not mistake one tick in a moment for work", async () => {
    let clock = 0
    const load = createLoadWatch({ busyCpu: 0.1, clock: () => clock, now: () => 1_000_000 + clock, proc: root.path })
    const at = async (ms: number, cpu: number) => {
      clock = ms
      await show({ ...tmux, ...shell, 12: { parent: 11, comm: "codex", cpu, terminal: 1 } })
      const { agents, workAt } = await load()
      return { cpu: agents[0]?.cpu, workAt }
    }
    assert.deepEqual(await at(0, 100), { cpu: 0, workAt: null })
    assert.deepEqual(await at(15_000, 100.1), { cpu: 0.007, workAt: null })
    assert.deepEqual(await at(15_020, 100.12), { cpu: 0.007, workAt: null })
    assert.deepEqual(await at(30_000, 103.1), { cpu: 0.2, workAt: 1_030_000 })
    assert.deepEqual(await at(45_000, 103.1), { cpu: 0, workAt: 1_030_000 })
  })

  it("sees a real process at work by the real /proc", async () => {
    // As in a terminal: `script` gives it one.
    const busy = spawn("script", ["-qec", "while :; do :; done", "/dev/null"], { stdio: "ignore" })
    try {
      const watch = createWorkWatch()
      const began = performance.now()
      await watch(await readProcesses(), 0)
      await waitUntil(
        "work is seen",
        async () => (await watch(await readProcesses(), performance.now() - began)) > 0.1,
        60_000,
      )
    } finally {
      busy.kill("SIGTERM")
    }
  })
})
