/// <reference lib="dom" />
import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { HOST_FROM_MACHINES } from "../../local-cloud/host-address.ts"
import { PROJECT_ROOT } from "../../tools/setup/paths.ts"
import { type GitHost, startGitHost } from "../support/git-host.ts"
import { type GoldenDesk, startGoldenDesk } from "../support/golden-desk.ts"
import { type HomeStorage, startHomeStorage } from "../support/home-storage.ts"
import { shootPage } from "../support/machine-page.ts"
import { skipSuite } from "../support/skip.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import { waitUntil } from "../support/wait-until.ts"

/** A file of several uploaded pieces, whose bytes are not all the same. */
const UPLOAD = Buffer.from(Array.from({ length: 3_000_000 }, (_, at) => `${at},`).join("")).subarray(0, 18_000_000)

/** Names of terminals, and the content of all files that somebody works on. */
const TERMINALS = `tmux -u list-windows -a -F '#S #{?automatic-rename,-,#W}' | sort`
const FILES =
  "cd ~ && find tool docs upload.bin .claude/.credentials.json -type f -not -path '*/.git/*' | sort | xargs sha256sum; git -C tool log --oneline"

/** A site on the machine that somebody signs in to at `/in`; who they are is written to `~/who` when they look at `/who`. */
const SITE = `cat > ~/site.py <<'END'
import http.server

class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        if self.path == "/in":
            self.send_header("Set-Cookie", "login=ada; Max-Age=31536000; HttpOnly; SameSite=Lax")
        self.end_headers()
        if self.path == "/who":
            with open("/home/user/who", "w") as who:
                who.write(self.headers.get("Cookie") or "nobody")

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", 8200), Site).serve_forever()
END`
/** Opens a page of that site in the desktop's browser. */
const browse = (path: string) =>
  `(pgrep -f '[s]ite.py' || nohup python3 ~/site.py &) > /dev/null 2>&1; sleep 2; ($BROWSER http://127.0.0.1:8200${path} > /dev/null 2>&1 &)`
const WHO = `rm -f ~/who; ${browse("/who")}; for n in $(seq 120); do [ -s ~/who ] && break; sleep 1; done; cat ~/who`

/** A conversation as its owner sees it, without how it is just now. */
interface Conversation {
  id: string
  title: string
  folder: string
  last: string
  state: string
}

/**
 * A workspace from a repository on real machines, from its first terminal on: what is in it, its terminals' names and its
 * conversations with agents are the same after every way in which its machine goes and comes.
 */
describe("what is in a workspace", function () {
  this.timeout(1_800_000)
  let scratch: Awaited<ReturnType<typeof temporaryDirectory>>
  let git: GitHost
  let storage: HomeStorage
  let desk: GoldenDesk
  let was: { terminals: string; files: string; talks: Omit<Conversation, "state">[] }

  before(async function () {
    scratch = await temporaryDirectory()
    git = await startGitHost(scratch.path)
    await git.make("ada/tool", { main: { "README.md": "the tool\n", "src/main.js": "console.log('tool')\n" } })
    const found = await startHomeStorage()
    if ("reason" in found) return skipSuite(this, found.reason)
    storage = found
    const proxy = new URL(git.environment.https_proxy ?? "")
    const settings = {
      ...{ FOOZOL_AUTO_STOP: "false", FOOZOL_BACKUPS: "false", FOOZOL_QUOTA_TOTAL: "5", FOOZOL_READY_SECONDS: "300" },
      ...storage.settings,
      ...storage.forMachines,
    }
    desk = await startGoldenDesk(this, settings, undefined, {
      proxy: `http://${HOST_FROM_MACHINES}:${proxy.port}`,
      repository: { url: "https://github.com/ada/tool" },
    })
  })
  afterEach(function () {
    if (this.currentTest?.state !== "failed") return
    const lines = desk?.world.logged().split("\n") ?? []
    console.error(
      lines
        .filter(line => !line.includes('"msg":"request"'))
        .slice(-60)
        .join("\n"),
    )
  })
  after(async () => {
    await desk?.close()
    await storage?.close()
    await git?.close()
    await scratch?.remove()
  })

  const at = (path = "", workspace = desk.workspace) => `/workspaces/${workspace}${path}`
  const talks = async (workspace = desk.workspace): Promise<Conversation[]> =>
    (await desk.api("GET", at("/conversations", workspace))).conversations
  /** All but how it is: a conversation whose program was ended with its machine is done. */
  const lasting = (all: Conversation[]) =>
    all.map(({ id, title, folder, last }) => ({ id, title, folder, last })).sort((a, b) => (a.id < b.id ? -1 : 1))
  const look = async () => ({
    ...{ terminals: await desk.shell(TERMINALS), files: await desk.shell(FILES), talks: lasting(await talks()) },
  })
  const finished = async (operation: { id: string }) => {
    const end = await waitUntil(
      "it is over",
      async () => {
        const now = await desk.api("GET", `/operations/${operation.id}`)
        return now.finishedAt !== null && now
      },
      900_000,
    )
    assert.equal(end.state, "succeeded", JSON.stringify(end.failure))
  }
  async function isTheSame(): Promise<void> {
    assert.equal(await desk.shell(WHO), "login=ada", "the browser is signed in")
    await waitUntil("its machine tells of the conversations", async () => (await talks()).length === was.talks.length)
    assert.deepEqual(await look(), was)
  }
  const page = (path: string) => desk.page().goto(new URL(path, desk.page().url()).href)

  it("is a repository, files that were uploaded, terminals with names, and two conversations", async () => {
    await desk.open()
    await desk.shell(`cat > ~/trust.pem <<'END'\n${await readFile(git.environment.GIT_SSL_CAINFO ?? "", "utf8")}END`)
    await desk.api("PUT", "/secrets/GIT_SSL_CAINFO", { value: "/home/user/trust.pem" })
    await waitUntil("it is fetched", async () => (await desk.api("GET", at())).repository.state === "fetched")
    const program = await readFile(join(PROJECT_ROOT, "test/support/agent-program.mjs"), "utf8")
    const url = desk.scripts.add("claude", program)
    await desk.shell(`mkdir -p ~/.local/bin ~/docs ~/.claude
echo '{"claudeAiOauth":{"accessToken":"canary"}}' > ~/.claude/.credentials.json; chmod 600 ~/.claude/.credentials.json
curl -s ${url} > ~/.local/bin/claude && chmod +x ~/.local/bin/claude
echo 'of yesterday' > ~/docs/notes.txt; echo "console.log('changed')" >> ~/tool/src/main.js
tmux new-window -d -n notes -c ~/docs; tmux new-window -d -n 'build & run' -c ~/tool`)
    for (const text of ["read the notes", "ask whether it may run"]) {
      assert.equal(await desk.api("POST", at("/prompts"), { text, tool: "claude" }), null)
      await waitUntil(`a conversation began with "${text}"`, async () =>
        (await talks()).some(one => one.title === text),
      )
    }
    const states = async () => (await talks()).map(one => `${one.title}: ${one.state}`).sort()
    await waitUntil(
      "one waits, one asks",
      async () => /notes: waiting/.test(`${await states()}`) && /: asks/.test(`${await states()}`),
    )
  })

  it("is signed in to a site, in the desktop's browser", async () => {
    await desk.shell(SITE)
    assert.equal(await desk.shell(WHO), "nobody")
    await desk.shell(browse("/in"))
    await waitUntil("it is signed in", async () => (await desk.shell(WHO)) === "login=ada")
  })

  it("takes files in the browser and gives them back", async () => {
    await page("/files")
    await desk.page().waitForSelector('html[data-state="connected"]')
    const file = { name: "upload.bin", mimeType: "application/octet-stream", buffer: UPLOAD }
    await desk.page().setInputFiles("#field-files", file)
    await desk.page().waitForSelector('tr[data-name="upload.bin"]', { timeout: 180_000 })
    await shootPage(desk.page(), "machine-files")
    const [download] = await Promise.all([
      desk.page().waitForEvent("download"),
      desk.page().click('tr[data-name="upload.bin"] td.name button'),
    ])
    assert.ok(UPLOAD.equals(await readFile(await download.path())))
  })

  it("shows a web server of its user at an address of its own", async () => {
    await desk.open()
    await desk.shell("cd ~/docs && (nohup python3 -m http.server 8123 > /dev/null 2>&1 &)")
    await desk.page().goto(`${desk.world.url}/connect?workspace=${desk.workspace}&to=port-8123`)
    await desk.page().waitForURL(/\/\/8123\./)
    await desk.page().getByRole("link", { name: "notes.txt" }).click()
    assert.match(await desk.page().locator("body").innerText(), /of yesterday/)
  })

  it("is shown by its terminals and agents in the browser", async () => {
    await desk.open()
    await page("/terminal")
    await desk.page().waitForSelector('html[data-state="connected"]')
    await desk.page().getByText("notes").first().waitFor()
    await shootPage(desk.page(), "machine-terminal")
    await page("/agents")
    await desk.page().getByText("read the notes").first().waitFor()
    await shootPage(desk.page(), "machine-agents")
    await desk.open()
    was = await look()
    assert.match(was.terminals, /build & run/)
    assert.match(was.files, /upload\.bin/)
    assert.equal(was.talks.length, 2)
  })

  it("is the same after it was stopped and started", async () => {
    await finished((await desk.api("POST", at("/stop?mode=power-off"))).operation)
    await desk.open()
    await isTheSame()
  })

  it("conversations go on where they were", async () => {
    const one = (await talks()).find(({ title }) => title === "read the notes")
    assert.equal(one?.state, "done")
    await desk.api("POST", at("/prompts"), { text: "and now the rest", conversation: one.id })
    await waitUntil("it has answered", async () =>
      (await talks()).some(({ id, last }) => id === one.id && last === "I have read: and now the rest"),
    )
    was = await look()
  })

  it("is the same after it has hibernated and was woken", async () => {
    await finished((await desk.api("POST", at("/stop?mode=hibernate"))).operation)
    await desk.open()
    await isTheSame()
  })

  it("is the same on a machine of a newer image", async () => {
    const image = await desk.world.register(desk.world.directory)
    await desk.world.restart({ FOOZOL_IMAGE_BROWSER: String(image) })
    await finished((await desk.api("POST", at("/upgrade"))).operation)
    await desk.open()
    await isTheSame()
  })

  it("is what it was when a backup of it was made, on the machine that is made from it", async () => {
    await finished((await desk.api("POST", at("/backups"), {})).operation)
    const { backups } = await desk.api("GET", at("/backups"))
    await desk.shell("rm -rf ~/docs ~/upload.bin ~/.claude/projects; tmux kill-window -t notes")
    await finished((await desk.api("POST", at("/restore"), { backup: backups[0].id })).operation)
    await desk.open()
    await isTheSame()
  })

  it("comes to another workspace with an encrypted backup of its home", async () => {
    await desk.api("POST", at("/home-backups"))
    const shown = await waitUntil("its home is backed up", async () => {
      const now = await desk.api("GET", at("/home-backups"))
      return now.underWay === null && now
    })
    assert.equal(shown.failure, null)
    const { workspace } = await desk.api("POST", "/workspaces", {
      name: "Elsewhere",
      home: { workspace: desk.workspace },
    })
    await desk.isIn("RUNNING", workspace.id)
    await waitUntil("its home is there", async () => {
      const now = await desk.api("GET", at("/home-backups", workspace.id))
      assert.equal(now.failure, null)
      return now.restoredAt !== null
    })
    await desk.open(workspace.id)
    assert.equal(await desk.shell(FILES), was.files)
    assert.equal(await desk.shell(WHO), "login=ada", "the browser is signed in")
    await waitUntil("its machine tells of the conversations", async () => (await talks(workspace.id)).length === 2)
    assert.deepEqual(lasting(await talks(workspace.id)), was.talks)
  })
})
