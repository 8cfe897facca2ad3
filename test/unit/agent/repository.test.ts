import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { addressOf, asUserBySystemd, nameOf } from "../../../image-builder/agent/repository/fetch.ts"
import { parseRepository } from "../../../image-builder/agent/repository/order.ts"
import { percentOf } from "../../../image-builder/agent/repository/progress.ts"
import { TOKENS, verdictOf } from "../../../image-builder/agent/repository/verdict.ts"
import { COMMON_HOSTS, readRepository } from "../../../infra/repositories/repository.ts"
import { PROJECT_ROOT } from "../../../tools/setup/paths.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"

const HELPER = join(PROJECT_ROOT, "image-builder/rootfs/usr/lib/foozol/git-credential")

describe("a repository on the machine", () => {
  it("is read as strictly as it was entered, with whatever host the service allows", () => {
    const repository = readRepository({ url: "https://git.example.com/a/b.git", branch: "x" }, ["git.example.com"])
    assert.deepEqual(parseRepository({ ...repository, isHeld: true }), { repository, isHeld: true })
    const wrong = [
      ...[{ url: "https://eve.example/a/b" }, { url: "file:///etc" }, { url: 1 }, { branch: "--upload-pack=x" }],
      ...[{ folder: "../.." }, { host: "" }, { branch: {} }],
    ]
    for (const one of wrong) assert.throws(() => parseRepository({ ...repository, ...one }), JSON.stringify(one))
  })

  it("is fetched by https where a token lets git in, and its folder has its name", () => {
    const of = (url: string) => readRepository({ url }, [...COMMON_HOSTS, "git.example.com"])
    assert.equal(addressOf(of("git@github.com:a/b")), "https://github.com/a/b.git")
    assert.equal(addressOf(of("git@git.example.com:a/b")), "ssh://git@git.example.com/a/b")
    assert.deepEqual(
      ["https://github.com/a/b.c", "git@git.example.com:a/b.git"].map(url => nameOf(of(url))),
      ["b.c", "b"],
    )
  })

  it("is as far as git has said last", () => {
    assert.equal(percentOf("Cloning into 'x'...\nremote: Compressing objects: 100% (3/3)"), null)
    assert.equal(percentOf("Receiving objects:   0% (1/900)"), 0)
    assert.equal(percentOf("Receiving objects: 100% (9/9), done.\nResolving deltas:  50% (1/2)\r"), 90)
    assert.equal(percentOf("Updating files: 100% (9/9), done."), 99)
  })

  it("says what to do about what is refused, tries again what passes, and repeats nothing of the remote's", () => {
    const about = { host: "github.com", branch: "x" }
    const passes = [
      "fatal: unable to access 'https://github.com/a/b.git/': Could not resolve host: github.com",
      "fatal: unable to access 'https://github.com/a/b.git/': The requested URL returned error: 503",
      "error: RPC failed; curl 92 HTTP/2 stream 5 was not closed cleanly\nfatal: early EOF\nfatal: fetch-pack: invalid index-pack output",
      "ssh: connect to host git.example.com port 22: Connection timed out\nfatal: Could not read from remote repository.",
      "Timeout, server git.example.com not responding.\nfatal: Could not read from remote repository.",
      "Failed to start transient service unit: Unit foozol-repository.service already exists.",
    ]
    for (const said of passes) assert.equal(verdictOf(said, about).isRefusal, false, said)
    const refused: [string, RegExp][] = [
      [
        "remote: Repository not found.\nfatal: repository 'https://github.com/a/b.git/' not found",
        /private, save .+ GITHUB_TOKEN\.$/,
      ],
      ["fatal: could not read Username for 'https://github.com': terminal prompts disabled", /GITHUB_TOKEN\.$/],
      [
        "fatal: unable to access 'https://github.com/a/b.git/': The requested URL returned error: 403",
        /GITHUB_TOKEN\.$/,
      ],
      [
        "fatal: Authentication failed for 'https://github.com/a/b.git/'",
        /does not take the token in the key GITHUB_TOKEN/,
      ],
      ["fatal: Remote branch x not found in upstream origin", /no branch x/],
      ["git@github.com: Permission denied (publickey).\nfatal: Could not read from remote repository.", /by SSH/],
      ["fatal: cannot create directory at 'a': No space left on device", /disk is full/],
      ["fatal: unable to access 'x': The requested URL returned error: 301", /another address/],
      [
        "remote: error: canary\nerror: invalid path '.git/a\u001b'\nwarning: x",
        /^git has failed: invalid path '\.git\/a '\./,
      ],
      ["remote: fatal: canary", /^git has failed: it ended without a word\./],
    ]
    for (const [said, words] of refused) {
      const { isRefusal, reason } = verdictOf(said, about)
      assert.match(reason, words)
      assert.equal(isRefusal, true, said)
      assert.doesNotMatch(reason, /canary/)
    }
  })

  it("is fetched as the user in a unit of its own, and what an earlier agent has begun is ended", async () => {
    const ran: string[][] = []
    const asUser = asUserBySystemd(async (program, args) => {
      ran.push([program, ...args])
      return { code: 0, stdout: "", stderr: "" }
    }, "/run/foozol")
    const { path, remove } = await temporaryDirectory()
    const before = process.env.PATH
    try {
      // It only says what it was given.
      await writeFile(join(path, "systemd-run"), "#!/bin/sh\nprintf '%s\\n' \"$@\" >&2\nexit 3\n", { mode: 0o755 })
      process.env.PATH = `${path}:${before}`
      let heard = ""
      const hear = (text: string) => (heard += text)
      const how = { environment: { A: "x y" }, hear, signal: new AbortController().signal }
      assert.equal(await asUser("/usr/lib/program", ["one two"], how), 3)
      assert.deepEqual(ran, [["systemctl", "stop", "foozol-repository.service"]])
      const given = heard.trim().split("\n")
      assert.deepEqual(given.slice(given.indexOf("/usr/bin/env")), [
        "/usr/bin/env",
        "A=x y",
        "/usr/lib/program",
        "one two",
      ])
      for (const one of ["--pipe", "--wait", "--collect", "--uid=user", "--unit=foozol-repository"])
        assert.ok(given.includes(one), one)
      assert.ok(given.includes("--property=EnvironmentFile=-/run/foozol/secrets.env"))
    } finally {
      process.env.PATH = before
      await remove()
    }
  })
})

describe("the credential helper of git", () => {
  const tokens = Object.fromEntries(Object.values(TOKENS).map(name => [name, `value-of-${name}`]))
  async function ask(
    asked: string,
    { verb = "get", env = tokens }: { verb?: string; env?: Record<string, string> } = {},
  ) {
    const running = promisify(execFile)(HELPER, [verb], { env: { PATH: process.env.PATH, ...env } })
    // It may leave before it was asked, which git takes as it comes.
    running.child.stdin?.on("error", () => {}).end(`${asked}\n\n`)
    return (await running).stdout
  }
  const https = (host: string) => `capability[]=authtype\nprotocol=https\nhost=${host}`

  it("gives to each host the token of its own", async () => {
    assert.deepEqual(Object.keys(TOKENS).sort(), [...COMMON_HOSTS].sort())
    for (const [host, name] of Object.entries(TOKENS)) {
      assert.match(await ask(https(host)), new RegExp(`^username=[a-z0-9-]+\npassword=value-of-${name}\n$`))
      assert.equal(await ask(https(host), { env: {} }), "")
    }
    const ofPerson = await ask(https("bitbucket.org"), { env: { BITBUCKET_TOKEN: "ATATTx=y" } })
    assert.equal(ofPerson, "username=x-bitbucket-api-token-auth\npassword=ATATTx=y\n")
  })

  it("gives nothing to anybody else, nor unencrypted, nor for another login, and keeps nothing", async () => {
    const others = ["github.com.eve.example", "evegithub.com", "github.com:8443", "gist.github.com", "GITHUB.COM", ""]
    for (const host of others) assert.equal(await ask(https(host)), "", host)
    assert.equal(await ask("protocol=http\nhost=github.com"), "")
    assert.equal(await ask("protocol=https\nhost=github.com\nusername=ada"), "")
    for (const verb of ["store", "erase"]) assert.equal(await ask(https("github.com"), { verb }), "")
  })
})
