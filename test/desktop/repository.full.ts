import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { HOST_FROM_MACHINES } from "../../local-cloud/host-address.ts"
import { type GitHost, startGitHost } from "../support/git-host.ts"
import { type GoldenDesk, startGoldenDesk } from "../support/golden-desk.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import { waitUntil } from "../support/wait-until.ts"

const TOKEN = "a-token-for-the-tool-and-nothing-else"

/**
 * A workspace made from a private repository, on a real machine. The host is this computer, found through the workspace's
 * proxy; it is trusted as one in a company's network is, by a certificate that the user puts in place.
 */
describe("a workspace from a repository on a real machine", function () {
  this.timeout(1_800_000)
  let scratch: Awaited<ReturnType<typeof temporaryDirectory>>
  let host: GitHost
  let desk: GoldenDesk

  before(async function () {
    scratch = await temporaryDirectory()
    host = await startGitHost(scratch.path)
    await host.make("ada/tool", { main: { "README.md": "the tool\n", "packages/web/index.html": "<p>\n" } })
    host.passwords.set("ada/tool", `x-access-token:${TOKEN}`)
    const proxy = new URL(host.environment.https_proxy ?? "")
    desk = await startGoldenDesk(this, { FOOZOL_AUTO_STOP: "false" }, undefined, {
      proxy: `http://${HOST_FROM_MACHINES}:${proxy.port}`,
      repository: { url: "https://github.com/ada/tool", folder: "packages/web" },
    })
  })
  after(async () => {
    await desk?.close()
    await host?.close()
    await scratch?.remove()
  })

  const repository = async () => (await desk.api("GET", `/workspaces/${desk.workspace}`)).repository
  const secret = (name: string, value: string) => desk.api("PUT", `/secrets/${name}`, { value })

  it("has a desktop all the same while its host is not trusted, and says why it was not fetched", async () => {
    await desk.open()
    const { state, reason } = await waitUntil("it says why", async () => {
      const now = await repository()
      return now.reason ? now : null
    })
    assert.match(state, /failed|fetching/)
    assert.match(reason, /^github\.com could not be reached/)
  })

  it("is fetched as soon as the machine trusts the host and knows the token", async () => {
    const { GIT_SSL_CAINFO: trust = "" } = host.environment
    await desk.shell(`cat > ~/trust.pem <<'END'\n${await readFile(trust, "utf8")}END`)
    await secret("GIT_SSL_CAINFO", "/home/user/trust.pem")
    await waitUntil("the host asks who it is", async () =>
      /token|sign|private/i.test((await repository()).reason ?? ""),
    )
    await secret("GITHUB_TOKEN", TOKEN)
    await waitUntil("it is fetched", async () => (await repository()).state === "fetched")
    const said = await desk.shell(
      "cat ~/tool/README.md; git -C ~/tool status --short --branch; tmux list-windows -a -F '#{window_name} #{pane_current_path}'",
    )
    assert.match(said, /^the tool$/m)
    assert.match(said, /^## main\.\.\.origin\/main$/m)
    assert.match(said, /^tool \/home\/user\/tool\/packages\/web$/m, "a window stands open in its folder")
  })

  it("keeps the token out of what was fetched", async () => {
    const found = await desk.shell(`grep -rlF ${TOKEN.slice(2)} ~ /etc /var 2> /dev/null | wc -l`)
    assert.equal(found.trim(), "0")
  })
})
