import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { PROJECT_ROOT } from "../../../tools/setup/paths.ts"
import { which } from "../../../tools/setup/run.ts"
import { skipSuite } from "../../support/skip.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"
import { waitUntil } from "../../support/wait-until.ts"

const PROGRAMS = join(PROJECT_ROOT, "image-builder/rootfs/usr/lib/foozol")

/** The machine's own scripts, over a tmux of a test's own. */
describe("terminals that come back", () => {
  /** Where the socket of tmux is. */
  let sockets: string
  let folder: Awaited<ReturnType<typeof temporaryDirectory>>
  before(async function () {
    if (!(await which("tmux"))) skipSuite(this, "this system has no tmux")
  })
  beforeEach(async () => {
    folder = await temporaryDirectory()
    for (const name of ["state", "before", "after"]) await mkdir(join(folder.path, name))
    sockets = join(folder.path, "before")
  })
  afterEach(async () => {
    await run("tmux", "kill-server").catch(() => {})
    await folder.remove()
  })

  const run = async (program: string, ...args: string[]) => {
    const { path } = folder
    const env = {
      ...{ PATH: process.env.PATH, HOME: path, TMUX_TMPDIR: sockets, LANG: "C.UTF-8" },
      ...{ XDG_RUNTIME_DIR: path, STATE: join(path, "state") },
    }
    return (await promisify(execFile)(program, args, { env, cwd: path })).stdout
  }

  it("are in their folders again, and what those are called is no command", async () => {
    // As a repository may bring it along, in each of the places that tmux is given a folder at.
    const hostile = (mark: string) => join(folder.path, `#(touch ${mark})`)
    for (const mark of ["first", "window", "pane"]) await mkdir(hostile(mark))
    const inFolder = (mark: string) => ["-c", hostile(mark).replace("#", "##")]
    await run("tmux", "new-session", "-d", "-s", "main", ...inFolder("first"))
    await run("tmux", "new-window", "-t", "=main:", "-n", "##(touch name)", ...inFolder("window"))
    await run("tmux", "split-window", "-t", "=main:1", ...inFolder("pane"))
    const seen = () => run("tmux", "list-panes", "-a", "-F", "#{window_index} #{pane_current_path}")
    const before = `0 ${hostile("first")}\n1 ${hostile("window")}\n1 ${hostile("pane")}\n`
    await waitUntil("all shells are there", async () => (await seen()) === before)
    await run(join(PROGRAMS, "tmux-save"))
    await run("tmux", "kill-server")
    // A server that is just letting go is none that a machine's start would meet.
    sockets = join(folder.path, "after")
    await run(join(PROGRAMS, "tmux-start"))
    await waitUntil("they are there again", async () => (await seen()) === before)
    // A command in a format is run beside: long after that nothing has come of it.
    await new Promise(resolve => setTimeout(resolve, 1_000))
    for (const mark of ["first", "window", "pane", "name"])
      assert.equal(existsSync(join(folder.path, mark)), false, mark)
  })

  it("what a session is called is no command, and what follows the end of a line in a folder's name is no pane", async () => {
    const tab = "\t"
    const odd = join(
      folder.path,
      `odd\n#(touch line)${tab}0${tab}nx${tab}0${tab}1${tab}80${tab}24${tab}${tab}1${tab}%1${tab}x`,
    )
    await mkdir(odd)
    await run("tmux", "new-session", "-d", "-s", "main", "-c", odd.replace("#", "##"))
    await run("tmux", "new-session", "-d", "-s", "##(touch session)")
    const names = async () => (await run("tmux", "list-sessions", "-F", "#{session_name}")).trim().split("\n")
    await waitUntil("both are there", async () => (await names()).length === 2)
    await waitUntil("the shell is in its folder", async () =>
      (await run("tmux", "display-message", "-p", "-t", "=main:", "#{pane_current_path}")).includes("odd"),
    )
    await run(join(PROGRAMS, "tmux-save"))
    await run("tmux", "kill-server")
    sockets = join(folder.path, "after")
    await run(join(PROGRAMS, "tmux-start"))
    await waitUntil("they are there again", async () => (await names()).includes("#(touch session)"))
    assert.ok((await names()).includes("main"))
    await new Promise(resolve => setTimeout(resolve, 1_000))
    for (const mark of ["session", "line"]) assert.equal(existsSync(join(folder.path, mark)), false, mark)
  })
})
