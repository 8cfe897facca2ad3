import assert from "node:assert/strict"
import { execFile, spawnSync } from "node:child_process"
import { once } from "node:events"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import fc from "fast-check"
import { InfraError } from "../../../../infra/errors.ts"
import {
  COMMON_HOSTS,
  cloneArguments,
  GIT_ENVIRONMENT,
  readRepository,
} from "../../../../infra/repositories/repository.ts"
import { HOSTILE_BRANCHES, HOSTILE_FOLDERS, HOSTILE_URLS } from "./hostile.ts"

const refused = (entered: Parameters<typeof readRepository>[0]) => {
  try {
    return { read: readRepository(entered) }
  } catch (error) {
    assert.ok(error instanceof InfraError, String(error))
    return { error }
  }
}

describe("the repository of a workspace", () => {
  const known: [string, string, (string | null)?, (string | null)?][] = [
    ["https://github.com/owner/name", "https://github.com/owner/name.git"],
    [" https://GitHub.com/Owner/Name/ ", "https://github.com/Owner/Name.git"],
    ["https://gitlab.com/group/sub/name.git", "https://gitlab.com/group/sub/name.git"],
    ["git@github.com:owner/name.git", "ssh://git@github.com/owner/name.git"],
    ["ssh://git@codeberg.org/owner/name", "ssh://git@codeberg.org/owner/name.git"],
    ["https://github.com/owner/tree", "https://github.com/owner/tree.git"],
    ["https://github.com/owner/name/tree/main", "https://github.com/owner/name.git", "main"],
    [
      "https://github.com/owner/name/tree/main/packages/web",
      "https://github.com/owner/name.git",
      "main",
      "packages/web",
    ],
    ["https://gitlab.com/a/b/c/-/tree/v1.2/x", "https://gitlab.com/a/b/c.git", "v1.2", "x"],
    ["https://bitbucket.org/~own_er/na.me-2", "https://bitbucket.org/~own_er/na.me-2.git"],
  ]
  for (const [text, url, branch = null, folder = null] of known) {
    it(`is understood: ${text}`, () => {
      const read = readRepository({ url: text })
      assert.deepEqual([read.url, read.branch, read.folder], [url, branch, folder])
      assert.deepEqual(readRepository({ url: read.url }).url, read.url, "what was read is read the same")
    })
  }

  it("takes a branch and a folder that are named beside it, before those of the address", () => {
    const read = readRepository({
      ...{ url: "https://github.com/o/n/tree/main/a", branch: "feature/log-in", folder: "packages/web app/" },
    })
    assert.deepEqual([read.branch, read.folder], ["feature/log-in", "packages/web app"])
  })

  it("may be on the hosts that the operator names, there with its name as it was entered", () => {
    const hosts = ["git.example.org"]
    assert.equal(readRepository({ url: "https://git.example.org/team/x" }, hosts).url, "https://git.example.org/team/x")
    assert.throws(() => readRepository({ url: "https://github.com/o/n" }, hosts), {
      ...{ id: "unknown-host", message: "Repositories on github.com are not allowed here, only on: git.example.org." },
    })
  })

  it("says what is wrong where it is a usual mistake", () => {
    const saying = (url: string) => refused({ url }).error?.message ?? ""
    assert.match(saying("https://me:secret-word@github.com/o/n"), /leave it out, and give a token as a secret/)
    assert.doesNotMatch(saying("https://me:secret-word@github.com/o/n"), /secret-word/)
    assert.match(saying("https://github.com:8443/o/n"), /names a port/)
    assert.match(saying("http://github.com/o/n"), /says http/)
    assert.match(saying("file:///srv/x"), /over https or ssh only/)
    assert.match(saying("https://github.com/o/n/pull/7"), /a page of github.com: enter the address of the repository/)
    assert.match(saying("o/n"), /This is not the address of a repository/)
    assert.match(saying(""), /missing/)
  })

  it("is none of five hundred that mean something else", () => {
    assert.ok(HOSTILE_URLS.length >= 500, String(HOSTILE_URLS.length))
    const taken = HOSTILE_URLS.map(url => refused({ url }).read?.url && url).filter(Boolean)
    assert.deepEqual(taken, [])
  })

  it("has no branch and no folder that mean something else", () => {
    const url = "https://github.com/o/n"
    assert.deepEqual(
      HOSTILE_BRANCHES.filter(branch => refused({ url, branch }).read),
      [],
    )
    assert.deepEqual(
      HOSTILE_FOLDERS.filter(folder => refused({ url, folder }).read),
      [],
    )
  })

  it("is, whatever is entered, on a host that is allowed, for every reader of addresses", () => {
    const any = fc.constantFrom(
      ...["/", ":", "@", ".", "-", "..", "\\", "%2f", "?", "#", "\n", "é", " ", "evil.example", "22", "tree", "~", "a"],
    )
    const mostly = (...good: string[]) => fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...good) }, any)
    const scheme = mostly("https://", "ssh://git@", "git@", "HTTPS://")
    const host = mostly("github.com", "GitLab.com", "codeberg.org")
    const ends = [mostly("owner", "o"), mostly("/"), mostly("name", "n.git", "n/m"), mostly("", "", "/tree/main", "/")]
    const piece = fc.tuple(scheme, host, mostly("/", ":"), ...ends)
    let read = 0
    fc.assert(
      fc.property(piece, pieces => {
        const answer = refused({ url: pieces.join("") }).read
        if (!answer) return
        read++
        const url = new URL(answer.url)
        assert.ok((COMMON_HOSTS as readonly string[]).includes(url.hostname), answer.url)
        assert.ok(url.protocol === "https:" ? url.username === "" : url.username === "git", answer.url)
        assert.deepEqual([url.password, url.port, url.search, url.hash], ["", "", "", ""])
        assert.equal(url.href, answer.url)
      }),
      { numRuns: 20_000 },
    )
    assert.ok(read > 20, `${read} were read at all`)
  })

  it("has branches that git itself takes", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."abz09.-_/@{~^ "), maxLength: 8 }), branch => {
        if (!refused({ url: "https://github.com/o/n", branch }).read || branch === "") return
        assert.equal(spawnSync("git", ["check-ref-format", "--branch", branch]).status, 0, branch)
      }),
      { numRuns: 150 },
    )
  })

  it("is where git goes: to port 443 of the host, or to the host's ssh as git, and nowhere else", async () => {
    const asked: string[] = []
    const proxy = createServer(socket => {
      socket.on("error", () => {})
      socket.once("data", data => {
        asked.push(data.toString("latin1").split("\r\n")[0] ?? "")
        socket.end("HTTP/1.1 403 Forbidden\r\n\r\n")
      })
    }).listen(0, "127.0.0.1")
    await once(proxy, "listening")
    const into = join(tmpdir(), "foozol-nothing-is-fetched")
    const { port } = proxy.address() as { port: number }
    const env = {
      ...{
        ...process.env,
        ...GIT_ENVIRONMENT,
        https_proxy: `http://127.0.0.1:${port}`,
        GIT_CONFIG_GLOBAL: "/dev/null",
      },
      ...{ GIT_SSH_COMMAND: "echo >&2 asked:", GIT_SSH_VARIANT: "simple" },
    }
    try {
      for (const [text] of known) {
        const { url, host, branch } = readRepository({ url: text })
        asked.length = 0
        const ended = await promisify(execFile)("git", cloneArguments({ url, branch }, into), { env }).catch(
          error => error,
        )
        assert.notEqual(ended.code, undefined, "nothing is fetched")
        if (url.startsWith("https:")) assert.deepEqual([...new Set(asked)], [`CONNECT ${host}:443 HTTP/1.1`])
        else assert.match(ended.stderr, new RegExp(`asked: git@${host} git-upload-pack '/`))
      }
    } finally {
      proxy.close()
    }
  })
})
