import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import {
  applySettings,
  formatEnvironment,
  parseSettings,
  proxyConfiguration,
  writePrivately,
} from "../../../image-builder/agent/settings.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"

describe("agent/settings", () => {
  let root: { path: string; remove: () => Promise<void> }
  const mode = async (name: string) => ((await stat(join(root.path, name))).mode & 0o777).toString(8)
  beforeEach(async () => {
    root = await temporaryDirectory()
  })
  afterEach(() => root.remove())

  it("writes values so that a shell gets them as they were", async () => {
    const value = `it's "$HOME" \`id\` \\ and\na line !`
    await writePrivately(join(root.path, "env"), formatEnvironment({ VALUE: value }), 0o600)
    const script = `set -a; . ${join(root.path, "env")}; printf %s "$VALUE"`
    assert.equal(execFileSync("sh", ["-c", script], { encoding: "utf8" }), value)
  })
  it("keeps secrets and credentials out of what it need not be in, with the right modes", async () => {
    const settings = parseSettings({
      env: { A: "1" },
      secrets: { TOKEN: "s3cret" },
      proxy: "http://me:pw%21@proxy.example:8888",
    })
    const where = { directory: root.path, sessionId: "blue-otter", home: "/home/user", gid: process.getgid?.() }
    assert.deepEqual(await applySettings(settings, where), { proxyChanged: true })
    assert.deepEqual(await applySettings(settings, where), { proxyChanged: false })
    assert.deepEqual((await readdir(root.path)).sort(), ["env", "proxy.conf", "secrets.env"])
    assert.deepEqual([await mode("env"), await mode("secrets.env"), await mode("proxy.conf")], ["640", "640", "600"])
    const env = await readFile(join(root.path, "env"), "utf8")
    assert.match(env, /^A="1"$/m)
    assert.match(env, /^SESSION_ID="blue-otter"$/m)
    assert.match(env, /^HTTPS_PROXY="http:\/\/127\.0\.0\.1:3128"$/m)
    assert.doesNotMatch(env, /pw|s3cret/)
    assert.match(env, /^CLAUDE_CONFIG_DIR="\/home\/user\/\.claude"$/m)
    assert.match(env, /^CODEX_HOME="\/home\/user\/\.codex"$/m)
    assert.match(await readFile(join(root.path, "proxy.conf"), "utf8"), /^Upstream http me:pw!@proxy\.example:8888$/m)
    assert.deepEqual(await applySettings({ ...settings, proxy: null }, where), { proxyChanged: true })
    assert.deepEqual((await readdir(root.path)).sort(), ["env", "secrets.env"])
    assert.doesNotMatch(await readFile(join(root.path, "env"), "utf8"), /proxy/i)
  })
  it("Claude Code finds its account where its folder is named, and nothing there is overwritten", async () => {
    const where = { directory: root.path, sessionId: "blue-otter", home: root.path }
    await applySettings(parseSettings({}), where)
    const profile = await readFile("image-builder/rootfs/etc/profile.d/foozol.sh", "utf8")
    const script = join(root.path, "profile.sh")
    await writeFile(script, profile.replaceAll("/run/foozol", root.path))
    const shell = () => {
      const names = "$CLAUDE_CONFIG_DIR $CODEX_HOME $GEMINI_CLI_HOME"
      return execFileSync("sh", ["-c", `. ${script}; printf %s "${names}"`], {
        ...{ encoding: "utf8", env: { HOME: root.path, PATH: process.env.PATH } as NodeJS.ProcessEnv },
        stdio: ["ignore", "pipe", "inherit"],
      })
    }
    assert.equal(shell(), `${root.path}/.claude ${root.path}/.codex ${root.path}`)
    await writeFile(join(root.path, ".claude.json"), "before")
    shell()
    const account = join(root.path, ".claude/.claude.json")
    assert.equal(await readFile(account, "utf8"), "before")
    await writeFile(account, "newer")
    shell()
    assert.equal(await readFile(account, "utf8"), "newer")
    await applySettings(parseSettings({ env: { CLAUDE_CONFIG_DIR: "/elsewhere" } }), where)
    assert.match(await readFile(join(root.path, "env"), "utf8"), /^CLAUDE_CONFIG_DIR="\/elsewhere"$/m)
  })
  it("new shells have what is given now: a changed secret, and none that was taken back", async () => {
    const where = { directory: root.path, sessionId: "blue-otter", home: "/home/user" }
    const [profile, script] = ["image-builder/rootfs/etc/profile.d/foozol.sh", join(root.path, "profile.sh")]
    await writeFile(script, (await readFile(profile, "utf8")).replaceAll("/run/foozol", root.path))
    // As a terminal that was started earlier: what it was given then is inherited.
    const terminal = (inherited: NodeJS.ProcessEnv, shell: string): NodeJS.ProcessEnv => {
      const said = execFileSync(shell, ["-c", `. ${script}; env -0`], {
        ...{ encoding: "utf8", env: inherited },
        // A bash whose standard input is a socket takes itself for a remote one, and reads ~/.bashrc.
        stdio: ["ignore", "pipe", "inherit"],
      })
      return Object.fromEntries(said.split("\0").flatMap(line => (line === "" ? [] : [line.split(/=(.*)/s)])))
    }
    const give = (secrets: Record<string, string>, proxy: string | null = null) =>
      applySettings(parseSettings({ secrets, proxy }), where)
    for (const shell of ["sh", "bash"]) {
      await rm(join(root.path, "secrets.env"), { force: true })
      const early = terminal({ PATH: process.env.PATH, A: "inherited", FOOZOL_GIVEN: "A" }, shell)
      assert.equal(early.A, "inherited", "nothing is taken back before anything is given")
      await give({ KEPT: "1", CHANGED: "before", BACK: "hush", given: "too" }, "http://proxy.example:3128")
      const earlier = terminal({ PATH: process.env.PATH, OWN: "mine" }, shell)
      assert.deepEqual(
        [earlier.KEPT, earlier.CHANGED, earlier.BACK, earlier.given, earlier.OWN, earlier.SESSION_ID],
        ["1", "before", "hush", "too", "mine", "blue-otter"],
      )
      assert.equal(earlier.http_proxy, "http://127.0.0.1:3128")
      await give({ KEPT: "1", CHANGED: "after\nthe change", NEW: "2" })
      const later = terminal(earlier, shell)
      assert.deepEqual(
        [later.KEPT, later.CHANGED, later.BACK, later.given, later.NEW, later.OWN, later.SESSION_ID],
        ["1", "after\nthe change", undefined, undefined, "2", "mine", "blue-otter"],
      )
      assert.equal(later.http_proxy, undefined, "nor a proxy that is no more")
      await give({})
      const last = terminal(later, shell)
      assert.deepEqual([last.KEPT, last.CHANGED, last.NEW, last.OWN], [undefined, undefined, undefined, "mine"])
    }
  })
  it("refuses what is no settings, without repeating a value", () => {
    for (const wrong of [
      null,
      { env: { "A B": "hush" } },
      { secrets: { A: ["hush"] } },
      { env: { A: "hush\0" } },
      { env: ["hush"] },
      { proxy: { hush: 1 } },
    ]) {
      assert.throws(
        () => parseSettings(wrong),
        (error: Error) => !error.message.includes("hush"),
      )
    }
  })
  it("refuses a proxy that would break its configuration", () => {
    for (const wrong of [
      "hush",
      "ftp://hush",
      "http://a:hu%0Ash@b",
      "http://a%3Ab:hush@c",
      "http://a:hu%40sh@b",
      "http://[::1]:1",
    ]) {
      assert.throws(
        () => proxyConfiguration(wrong),
        (error: Error) => !error.message.includes("hush"),
      )
    }
    assert.match(proxyConfiguration("socks5://p.example"), /^Upstream socks5 p\.example:1080$/m)
  })
  it("leaves no half file when it cannot write", async () => {
    await mkdir(join(root.path, "env"))
    await assert.rejects(writePrivately(join(root.path, "env"), "x", 0o640))
    assert.deepEqual(await readdir(root.path), ["env"])
  })
})
