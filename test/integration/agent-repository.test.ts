import assert from "node:assert/strict"
import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, writeFileSync } from "node:fs"
import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { type AsUser, fetchBy, spawned } from "../../image-builder/agent/repository/fetch.ts"
import { type EnteredRepository, readRepository } from "../../infra/repositories/repository.ts"
import { PROJECT_ROOT } from "../../tools/setup/paths.ts"
import { which } from "../../tools/setup/run.ts"
import { type GitHost, startGitHost } from "../support/git-host.ts"
import { skipSuite } from "../support/skip.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import { openTerminalClient } from "../support/terminal-client.ts"
import { startTestAgent, type TestAgent } from "../support/test-agent.ts"
import { startTmux, type TmuxServer } from "../support/tmux-server.ts"
import { waitUntil } from "../support/wait-until.ts"

const ROOTFS = join(PROJECT_ROOT, "image-builder/rootfs")
const SCRIPT = join(ROOTFS, "usr/lib/foozol/fetch-repository")
const RESTART = "systemctl restart foozol-devcontainer.service"
const URL = "https://github.com/ada/tool"

/** The agent, the image's own script, the real git and tmux; the hosts are this machine. */
describe("agent/repository", () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>
  let host: GitHost
  let home: string
  let tmux: TmuxServer
  let desk: TestAgent
  /** Programs that the agent has run. */
  let begun: string[]

  before(async function () {
    for (const program of ["git", "tmux", "openssl", "jq"])
      if (!(await which(program))) skipSuite(this, `this system has no ${program}`)
  })
  beforeEach(async () => {
    directory = await temporaryDirectory()
    home = join(directory.path, "home")
    await mkdir(home)
    host = await startGitHost(directory.path)
    const settings = await readFile(join(ROOTFS, "etc/gitconfig"), "utf8")
    await writeFile(
      join(directory.path, "gitconfig"),
      settings.replaceAll("/usr/lib/foozol", join(ROOTFS, "usr/lib/foozol")),
    )
    tmux = await startTmux()
    await host.make("ada/tool", { main: { "README.md": "the tool\n", "packages/web/index.html": "<p>\n" } })
  })
  afterEach(async () => {
    await desk?.close()
    await host?.close()
    await tmux?.close()
    await directory?.remove()
  })

  /** What systemd gives to programs of the user's. */
  const environment = () => ({
    ...{ PATH: process.env.PATH, HOME: home, GIT_CONFIG_SYSTEM: join(directory.path, "gitconfig") },
    ...host.environment,
    // Where the dev container's program finds and writes what it does on a machine.
    ...{ DEVCONTAINER: desk.config.runtimeDirectory, XDG_RUNTIME_DIR: desk.config.userRuntimeDirectory },
  })
  const asUser: AsUser = (program, args, { environment: own, hear, signal }) => {
    const line = 'set -a; . "$0"; set +a; exec "$@"'
    const variables = Object.entries(own).map(([name, value]) => `${name}=${value}`)
    const given = [join(desk.config.runtimeDirectory, "secrets.env"), "/usr/bin/env", ...variables, program, ...args]
    return spawned("bash", ["-c", line, ...given], { hear, signal, env: environment() })
  }
  const stateFile = () => join(desk.config.userRuntimeDirectory, "foozol-devcontainer")
  async function start(settings: object = {}): Promise<void> {
    const config = { home, fetchRepository: SCRIPT, devContainer: join(ROOTFS, "usr/lib/foozol/devcontainer") }
    begun = []
    const onRun = (program: string, args: string[]) => {
      const line = [program, ...args].join(" ")
      begun.push(line)
      // As its unit's first step does.
      if (line === RESTART) writeFileSync(stateFile(), '{ "state": "starting" }')
    }
    desk = await startTestAgent({
      realTmux: tmux.socket,
      config,
      settings,
      onRun,
      asUser: (...given) => asUser(...given),
    })
  }
  const order = (entered: EnteredRepository, isHeld = false) =>
    desk.service.push("repository", { ...readRepository(entered), isHeld })
  const reported = () => desk.service.reports.at(-1)?.repository as Record<string, unknown> | undefined
  const until = (state: string) => waitUntil(`it is ${state}`, () => reported()?.state === state)
  const fetched = async (folder: string) => {
    await until("fetched")
    assert.deepEqual(reported(), { state: "fetched", folder })
  }
  const read = (path: string) => readFile(join(home, path), "utf8")
  const windows = async () =>
    (await tmux.tmux("list-windows", "-t", "=main:", "-F", "#{window_name} #{window_active} #{pane_current_path}"))
      .trim()
      .split("\n")

  it("is fetched into a folder of its name, which the desktop shows and new terminals begin in", async () => {
    await start()
    order({ url: URL })
    await fetched("tool")
    assert.equal(await read("tool/README.md"), "the tool\n")
    assert.equal(await host.git(join(home, "tool"), "status", "--porcelain"), "")
    assert.equal(await host.git(join(home, "tool"), "remote", "get-url", "origin"), `${URL}.git`)
    assert.deepEqual((await readdir(home)).sort(), [".local", "tool"])
    const shown = `tool 1 ${join(home, "tool")}`
    await waitUntil("the desktop shows it", async () => (await windows()).includes(shown))
    desk.service.tokens.add("good")
    const headers = { "x-foozol-token": "good" }
    const client = await openTerminalClient(`ws+unix:${desk.config.socket}:/terminal/stream`, { headers })
    client.wish({ do: "create", name: "mine" })
    await waitUntil("there is another terminal", () => client.terminals().some(({ name }) => name === "mine"))
    const paths = () => tmux.tmux("list-panes", "-a", "-F", "#{window_name} #{pane_current_path}")
    await waitUntil("it begins there", async () => (await paths()).includes(`mine ${join(home, "tool")}\n`))
    client.close()
  })

  it("is fetched once: not after a restart, and not after it was deleted", async () => {
    await start()
    order({ url: URL })
    await fetched("tool")
    await waitUntil("it is shown", async () => (await windows()).length === 2)
    await desk.close()
    await rm(join(home, "tool"), { recursive: true })
    const asked = host.asked.length
    await start()
    order({ url: URL })
    await fetched("tool")
    assert.deepEqual([host.asked.length, existsSync(join(home, "tool")), (await windows()).length], [asked, false, 2])
  })

  it("has the branch that was named, and is shown at the folder, unless that leads elsewhere", async () => {
    const bare = await host.make("ada/other", { main: { a: "1" }, "feature/x": { "packages/web/b": "2" } })
    assert.ok(bare)
    await start()
    order({ url: "git@github.com:ada/other.git", branch: "feature/x", folder: "packages/web" })
    await fetched("other")
    assert.equal(await host.git(join(home, "other"), "branch", "--show-current"), "feature/x")
    const shown = `other 1 ${join(home, "other/packages/web")}`
    await waitUntil("the folder is shown", async () => (await windows()).includes(shown))
    await desk.close()
    await rm(join(home, "other/packages"), { recursive: true })
    await symlink("/etc", join(home, "other/packages"))
    await rm(join(home, ".local"), { recursive: true })
    await start()
    order({ url: "git@github.com:ada/other.git", branch: "feature/x", folder: "packages" })
    await fetched("other")
    await waitUntil("its root is shown", async () => (await windows()).includes(`other 1 ${join(home, "other")}`))
  })

  it("gets another name where its own is taken, and none anew where it lies there already", async () => {
    await mkdir(join(home, "tool"))
    await symlink("/nowhere", join(home, "tool-2"))
    await start()
    order({ url: URL })
    await fetched("tool-3")
    assert.deepEqual(await readdir(join(home, "tool")), [])
    await desk.close()
    // As if the power had gone before it was written down.
    await rm(join(home, ".local"), { recursive: true })
    const asked = host.asked.length
    await start()
    order({ url: URL })
    await fetched("tool-3")
    assert.equal(host.asked.length, asked)
  })

  it("that was cut off in the middle is begun anew", async () => {
    host.stalls = true
    const clone = ["clone", "--", `${URL}.git`, ".foozol-fetching/tool"]
    const cut = spawn(SCRIPT, ["tool", `${URL}.git`, ...clone], { env: environment(), detached: true, stdio: "ignore" })
    await waitUntil("objects are on their way", () => host.asked.some(path => path.includes("/objects/")))
    process.kill(-(cut.pid as number), "SIGKILL")
    await once(cut, "exit")
    assert.ok(existsSync(join(home, ".foozol-fetching/tool")))
    host.stalls = false
    await start()
    order({ url: URL })
    await fetched("tool")
    assert.equal(await host.git(join(home, "tool"), "status", "--porcelain"), "")
    assert.equal(existsSync(join(home, ".foozol-fetching")), false)
  })

  it("that is not there is said, and asked for again only when the settings change", async () => {
    await start({ secrets: { GITHUB_TOKEN: "canary" } })
    order({ url: "https://github.com/ada/none" })
    await until("failed")
    assert.match(
      String(reported()?.reason),
      /^There is no such repository on github\.com, or it is private\..+GITHUB_TOKEN\.$/,
    )
    const asked = host.asked.length
    desk.service.push("settings", { secrets: { GITHUB_TOKEN: "canary" } })
    order({ url: "https://github.com/ada/none" })
    const reports = desk.service.reports.length
    await waitUntil("it went on", () => desk.service.reports.length > reports + 5)
    assert.deepEqual([host.asked.length, reported()?.state], [asked, "failed"])
    await host.make("ada/none", { main: { a: "1" } })
    desk.service.push("settings", { secrets: { GITHUB_TOKEN: "canary", MORE: "1" } })
    await fetched("none")
  })

  it("that is private is let in with the token of its host, which is kept nowhere", async () => {
    host.passwords.set("ada/tool", "x-access-token:canary-token")
    await start()
    order({ url: URL })
    await until("failed")
    assert.match(String(reported()?.reason), /If it is private, save a token .+ GITHUB_TOKEN\.$/)
    desk.service.push("settings", { secrets: { GITHUB_TOKEN: "wrong-canary" } })
    await waitUntil("that was no good", () => /does not take the token/.test(String(reported()?.reason)))
    desk.service.push("settings", { secrets: { GITHUB_TOKEN: "canary-token" } })
    await fetched("tool")
    const found = await promisify(execFile)("grep", ["-r", "canary", home]).catch(error => error)
    assert.equal(found.code, 1, found.stdout)
    assert.doesNotMatch(JSON.stringify([desk.logged, desk.service.reports]), /canary/)
  })

  it("is waited for while the network is away", async () => {
    host.away = true
    await start()
    order({ url: URL })
    await waitUntil("it is tried again", () => /could not be reached/.test(String(reported()?.reason)))
    assert.equal(reported()?.state, "fetching")
    host.away = false
    await fetched("tool")
  })

  it("follows no way elsewhere, and says what is wrong with a branch", async () => {
    host.moved.set("ada/tool", "https://github.com/eve")
    await start()
    order({ url: URL })
    await until("failed")
    assert.match(String(reported()?.reason), /another address by now/)
    assert.deepEqual(
      host.asked.filter(path => path.includes("eve")),
      [],
    )
    await desk.close()
    host.moved.clear()
    await start()
    order({ url: URL, branch: "gone" })
    await until("failed")
    assert.match(String(reported()?.reason), /^It has no branch gone/)
  })

  it("runs nothing of what it holds, whatever its files are called", async () => {
    const bare = await host.make("ada/evil", {
      main: { "hooks/post-checkout": "#!/bin/sh\ntouch ~/pwned\n", ".gitmodules": "" },
    })
    const blob = await host.git(bare, "rev-parse", "main:hooks/post-checkout")
    const tree = async (lines: string) => {
      const made = promisify(execFile)("git", ["mktree"], { cwd: bare })
      made.child.stdin?.end(lines)
      return (await made).stdout.trim()
    }
    const hooks = await tree(`100755 blob ${blob}\tpost-checkout\n`)
    const dotGit = await tree(`040000 tree ${hooks}\thooks\n`)
    const all = await tree(`040000 tree ${dotGit}\t.git\n100644 blob ${blob}\t#(touch pwned)\n`)
    const commit = await host.git(bare, "commit-tree", "-m", "evil", all)
    await host.git(bare, "update-ref", "refs/heads/evil", commit)
    await host.git(bare, "update-server-info")
    await start()
    order({ url: "https://github.com/ada/evil", branch: "evil" })
    await until("failed")
    assert.match(String(reported()?.reason), /^git has failed: .+\. Clone it yourself in a terminal\.$/)
    assert.deepEqual(await readdir(home), [])
    await desk.close()
    await start()
    order({ url: "https://github.com/ada/evil" })
    await fetched("evil")
    assert.equal(existsSync(join(home, "pwned")), false)
  })

  it("that is held is not begun, and neither is one once the home is being carried", async () => {
    await start()
    order({ url: URL }, true)
    const reports = desk.service.reports.length
    await waitUntil("it went on", () => desk.service.reports.length > reports + 3)
    assert.deepEqual([reported(), host.asked], [undefined, []])
    order({ url: URL })
    await fetched("tool")
    await desk.close()
    await rm(join(home, ".local"), { recursive: true })
    await rm(join(home, "tool"), { recursive: true })
    await start()
    desk.service.push("carry", { direction: "in", operation: "op-1", volume: "1" })
    order({ url: URL })
    const later = desk.service.reports.length
    await waitUntil("it went on", () => desk.service.reports.length > later + 3)
    assert.equal(existsSync(join(home, "tool")), false)
  })

  it("is told how far it is", async () => {
    const told: number[] = []
    const said = [
      "remote: Counting objects: 100% (9/9)\r",
      "Receiving objects:  40% (4/10)\rReceiving obj",
      "Resolving deltas: 100% (1/1), done.\n",
    ]
    const fetch = fetchBy("none", async (_, __, { hear }) => {
      for (const text of said) hear(text)
      return 0
    })
    await fetch(readRepository({ url: URL }), percent => told.push(percent), new AbortController().signal)
    assert.deepEqual(told, [34, 95])
  })

  describe("with a dev container", () => {
    const container = () => reported()?.container as Record<string, unknown> | undefined
    const startsUnit = () => begun.includes("systemctl start foozol-devcontainer.service")
    const says = (state: object) => writeFile(stateFile(), JSON.stringify(state))

    it("has it made by the unit of that name before it is shown, and tells how far that is", async () => {
      await host.make("ada/boxed", { main: { ".devcontainer/devcontainer.json": '{ "image": "tiny" }' } })
      await start({ secrets: { TOOL_KEY: "a-key-of-the-tool" } })
      order({ url: "https://github.com/ada/boxed" })
      await until("fetched")
      assert.ok(startsUnit())
      assert.deepEqual(JSON.parse(await readFile(join(desk.config.runtimeDirectory, "wanted"), "utf8")), {
        folder: join(home, "boxed"),
        config: ".devcontainer/devcontainer.json",
        fresh: false,
      })
      await says({ state: "building", config: ".devcontainer/devcontainer.json", folder: join(home, "boxed") })
      await writeFile(
        join(home, ".local/state/foozol/devcontainer.log"),
        "first\n\x1b[1mlogging in with a-key-of-the-tool\n---\n",
      )
      await waitUntil("it tells what is said", () => container()?.line !== undefined)
      assert.deepEqual(container(), {
        state: "building",
        config: ".devcontainer/devcontainer.json",
        line: "[1mlogging in with ***",
        log: "first\nlogging in with ***\n---",
      })
      await says({ state: "failed", reason: "It is as it is. a-key-of-the-tool" })
      await waitUntil("it has failed", () => container()?.state === "failed")
      const log = "first\nlogging in with ***\n---"
      assert.deepEqual(container(), { state: "failed", reason: "It is as it is. ***", log })
      await says({ state: "as you like it" })
      await waitUntil("what makes no sense is not told", () => reported() && container() === undefined)
    })

    const two = { ".devcontainer/a/devcontainer.json": "{}", ".devcontainer/b/devcontainer.json": "{}" }
    const [a, b] = Object.keys(two) as [string, string]
    const wanted = async () => JSON.parse(await readFile(join(desk.config.runtimeDirectory, "wanted"), "utf8"))
    const answered = async (config?: string) => {
      const id = `wish-${desk.service.devContainers.length}`
      desk.service.push("dev-container", { id, ...(config === undefined ? {} : { config }) })
      await waitUntil("it is answered", () => desk.service.devContainers.some(one => one.id === id))
      return desk.service.devContainers.find(one => one.id === id)?.refusal
    }
    const restarts = () => begun.filter(line => line === RESTART).length

    it("of several, begins none and tells which there are, until one is chosen; one without has none", async () => {
      await host.make("ada/several", { main: two })
      await start()
      assert.equal(await answered(a), "no-repository")
      order({ url: "https://github.com/ada/several" })
      await waitUntil("it tells", () => container() !== undefined)
      assert.deepEqual(container(), { state: "choose", choices: [a, b] })
      assert.equal(startsUnit(), false)
      assert.equal(await answered(), "unclear")
      assert.equal(await answered(".devcontainer/c/devcontainer.json"), "no-such")
      assert.deepEqual([restarts(), container()?.state], [0, "choose"])
      assert.equal(await answered(b), null)
      assert.deepEqual(await wanted(), { folder: join(home, "several"), config: b, fresh: true })
      assert.equal(container()?.state, "starting", "that is told before it is answered")
      assert.equal(restarts(), 1)
      // Without a name it is the same again.
      assert.equal(await answered(), null)
      assert.deepEqual([(await wanted()).config, restarts()], [b, 2])
      const before = desk.service.devContainers.length
      for (const config of ["../x", "/etc/passwd", "--help", 7])
        desk.service.push("dev-container", { id: "bad", config })
      await answered(a)
      assert.equal(desk.service.devContainers.length, before + 1, "what makes no sense is not answered")
      await desk.close()
      await start()
      order({ url: URL })
      await fetched("tool")
      assert.equal(startsUnit(), false)
    })

    it("that was named at the creation is begun, and said where the repository does not have it", async () => {
      await host.make("ada/several", { main: two })
      await start()
      order({ url: "https://github.com/ada/several", devcontainer: b })
      await until("fetched")
      assert.ok(startsUnit())
      assert.equal((await wanted()).config, b)
      await desk.close()
      await rm(join(home, ".local"), { recursive: true })
      await rm(join(home, "several"), { recursive: true })
      await start()
      const named = ".devcontainer/c/devcontainer.json"
      order({ url: "https://github.com/ada/several", devcontainer: named })
      await waitUntil("it tells", () => container() !== undefined)
      assert.deepEqual(container(), { state: "choose", config: named, choices: [a, b] })
      await desk.close()
      await start()
      order({ url: URL, devcontainer: named })
      await waitUntil("it tells", () => container()?.state === "failed")
      assert.match(String(container()?.reason), /has no .+c.devcontainer\.json, and no other/)
      assert.equal(startsUnit(), false)
    })

    it("that failed is told with the last of what was said of it", async () => {
      await host.make("ada/boxed", { main: { ".devcontainer.json": '{ "image": "tiny" }' } })
      await start({ secrets: { TOOL_KEY: "a-key-of-the-tool" } })
      order({ url: "https://github.com/ada/boxed" })
      await until("fetched")
      const many = Array.from({ length: 60 }, (_, at) => `line ${at}`).join("\n")
      const said = `${many}\n\x1b[31mno such image\x1b[0m for a-key-of-the-tool\n\n`
      await writeFile(join(home, ".local/state/foozol/devcontainer.log"), said)
      await says({ state: "failed", reason: "It is as it is.", choices: [a, "../evil", 7] })
      await waitUntil("it has failed", () => container()?.state === "failed")
      const { log, choices } = container() as { log: string; choices: string[] }
      const lines = log.split("\n")
      assert.deepEqual([lines.length, lines[0], lines.at(-1)], [25, "line 36", "no such image for ***"])
      assert.deepEqual(choices, [a])
    })
  })
})
