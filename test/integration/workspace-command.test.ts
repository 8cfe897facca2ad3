import assert from "node:assert/strict"
import { chmod, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { foozolCloud } from "../support/command-line.ts"
import { startCuttableProxy } from "../support/cuttable-proxy.ts"
import { startTestService, type TestService } from "../support/service.ts"
import { waitUntil } from "../support/wait-until.ts"

describe("foozol-cloud: workspaces and tokens through the API", () => {
  let test: TestService
  let env: Record<string, string>
  const cli = (args: string[], more: Record<string, string> = {}, input = "") =>
    foozolCloud(args, { ...env, ...more }, input)
  /** The command's JSON, which is all that is on standard output. */
  const json = async (args: string[], more: Record<string, string> = {}) => {
    const { code, stdout, stderr } = await cli([...args, "--json"], more)
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout)
  }
  /** One sentence on standard error, nothing else, and a failure. */
  const refuses = async (args: string[], sentence: RegExp, more: Record<string, string> = {}, input = "") => {
    const { code, stdout, stderr } = await cli(args, more, input)
    assert.match(stderr, sentence)
    assert.equal(stderr.trim().split("\n").length, 1, stderr)
    assert.doesNotMatch(stderr, /\.ts:\d|Error:|fzt_/)
    assert.equal(stdout, "")
    assert.equal(code, 1)
  }
  const create = (...args: string[]) => ["workspace", "create", "--size", "small", "--region", "nbg1", ...args]
  const LIST = ["workspace", "list"]

  before(async () => {
    test = await startTestService({
      FOOZOL_QUOTA_TOTAL: "5",
      FOOZOL_OFFERS: "everyone=hetzner/fsn1/small; user:ada=*",
    })
    env = { FOOZOL_API_URL: test.url, FOOZOL_API_TOKEN: await test.token(await test.signIn("ada")) }
  })
  after(() => test?.close())

  describe("without what it needs", () => {
    it("asks for the address", () => refuses(LIST, /FOOZOL_API_URL .* --url/, { FOOZOL_API_URL: "" }))
    it("refuses what is no address", () => refuses([...LIST, "--url", "cloud"], /"cloud" is no http or https URL/))
    it("sends no token over the net in the clear", () =>
      refuses([...LIST, "--url", "http://cloud.example.com"], /must be https/))
    it("says where the first token is made", () =>
      refuses(["token", "create", "--name", "x"], new RegExp(`${test.url}/account`), { FOOZOL_API_TOKEN: "" }))
    it("says that nothing answers", () =>
      refuses(LIST, /127\.0\.0\.1:9 could not be reached/, { FOOZOL_API_URL: "http://127.0.0.1:9" }))
    it("says that something else answers", () =>
      refuses(LIST, /is not this service/, { FOOZOL_API_URL: new URL(test.cloud.apiUrl).origin }))
    it("says that the token is not valid", () =>
      refuses(LIST, /token is not valid/, { FOOZOL_API_TOKEN: `fzt_${"x".repeat(43)}` }))
    it("tells the error's id and the request's with FOOZOL_DEBUG", async () => {
      const { stderr, code } = await cli(LIST, { FOOZOL_API_TOKEN: "fzt_wrong", FOOZOL_DEBUG: "1" })
      assert.equal(code, 1)
      assert.match(stderr, /^invalid-token: HTTP 401, request [0-9a-f-]{36}$/m)
    })
    it("has no way to take a token as an argument", async () => {
      for (const args of [LIST, ["workspace", "create"], ["token", "create"]]) {
        assert.doesNotMatch((await cli([...args, "--help"])).stdout, /--(api-)?token/)
      }
    })
    it("shows examples", async () => {
      assert.match((await cli(["workspace", "--help"])).stdout, /Examples:\n.*\n.*\n +foozol-cloud workspace create/)
      assert.match((await cli(["token", "--help"])).stdout, /Examples:\n.*foozol-cloud token create/)
    })
  })

  describe("workspace", () => {
    // First: the service remembers availability for a minute.
    it("says what there is instead of a size that is sold out", async () => {
      test.cloud.cloud.context.soldOut.add("cx43@fsn1")
      await refuses(
        ["workspace", "create", "--region", "fsn1"],
        /large is sold out in fsn1 .*the regions .*nbg1.* have it/,
      )
    })
    it("names the regions there are", () =>
      refuses(create("--region", "mars1"), /no region "mars1" at Hetzner Cloud here; there are/))
    it("lists none", async () => assert.deepEqual(await json(LIST), []))

    let id: string
    it("creates one, tells its steps, and ends when it is ready", async () => {
      const { code, stdout, stderr } = await cli(create("--name", "My desk", "--json"))
      assert.equal(code, 0, stderr)
      const { workspace, operation } = JSON.parse(stdout)
      assert.equal(workspace.state, "RUNNING")
      assert.equal(workspace.name, "My desk")
      assert.equal(operation.state, "succeeded")
      assert.deepEqual(stderr.trim().split("\n"), [
        "Step 1 of 4: Checking size, place and image",
        "Step 2 of 4: Making address, firewall and machine",
        "Step 3 of 4: Starting the machine",
        "Step 4 of 4: Getting the desktop ready",
      ])
      id = workspace.id
    })
    it("lists it", async () => {
      const { stdout } = await cli(LIST)
      assert.match(stdout, new RegExp(`^${id} +My desk +RUNNING +cx23 +nbg1 +\\d+\\.\\d\\d EUR$`, "m"))
      assert.equal((await json(LIST))[0].id, id)
    })
    it("shows it by id and by name", async () => {
      assert.match((await cli(["workspace", "show", id])).stdout, /^name +My desk$/m)
      assert.equal((await json(["workspace", "show", "My desk"])).id, id)
    })
    it("shows where the time of its creation went", async () => {
      const { stdout } = await cli(["workspace", "times", "My desk"])
      assert.match(stdout, /^create {2}succeeded {2}[0-9a-f-]{36} {2}trace [0-9a-f]{32}\n/)
      assert.match(stdout, /^what +seconds +usually +began after$/m)
      assert.match(stdout, /^Checking size, place and image +\d+\.\d\d +\d+\.\d\d\n {2}Waiting for the engine +\d/m)
      assert.match(stdout, /^ {2}The machine +\d+\.\d\d +\d+\.\d\d$/m)
      const { operation } = await json(["workspace", "show", id])
      const shown = await json(["workspace", "times", id, "--operation", operation])
      assert.equal(shown.spans[0].name, "queue")
      await refuses(["workspace", "times", id, "--operation", "nothing"], /no such operation is known/)
    })
    it("shows why it is on, keeps it on, and says no to what is no span", async () => {
      const { stdout } = await cli(["workspace", "show", id])
      assert.match(stdout, /^use +active$/m)
      assert.match(stdout, /It is on because its machine was (started|heard of again)/)
      assert.match(stdout, /^ {2}start +last 2.*, counts until 2/m)
      const before = Date.now()
      assert.match((await cli(["workspace", "keep", "My desk", "--for", "8h"])).stdout, /kept on until 2/)
      const { activity, keepOnUntil } = await json(["workspace", "show", id])
      assert.ok(Date.parse(keepOnUntil) >= before + 8 * 3_600_000)
      assert.equal(activity.because[0], "keepOn")
      const { autoStop } = await json(["workspace", "keep", id, "--for", "0", "--auto-stop", "no"])
      assert.equal(autoStop, false)
      assert.equal((await json(["workspace", "show", id])).keepOnUntil, null)
      await refuses(["workspace", "keep", id, "--for", "soon"], /"soon" is no span/)
      await refuses(["workspace", "keep", id], /--for 8h/)
    })
    it("prints its bookmark", async () => {
      const bookmark = `${test.url}/connect?workspace=${id}`
      assert.equal((await cli(["workspace", "open", "My desk"])).stdout, `${bookmark}\n`)
      assert.deepEqual(await json(["workspace", "open", id]), { url: bookmark })
      assert.deepEqual(await json(["workspace", "open", id, "--to", "agents"]), { url: `${bookmark}&to=agents` })
    })
    it("opens it where there is a display", async () => {
      const file = join(test.directory, "opened")
      const browser = join(test.directory, "xdg-open")
      await writeFile(browser, `#!/bin/sh\necho "$1" > ${file}.part && mv ${file}.part ${file}\n`)
      await chmod(browser, 0o755)
      const path = { PATH: `${test.directory}:${process.env.PATH}`, DISPLAY: ":7" }
      await cli(["workspace", "open", id], path)
      assert.equal(await waitUntil("it is opened", () => readFile(file, "utf8"), 60_000), await bookmarkLine(id))
    })
    const bookmarkLine = async (of: string) => (await cli(["workspace", "open", "--print", of])).stdout

    it("stops and starts it", async () => {
      assert.match((await cli(["workspace", "stop", "My desk"])).stdout, new RegExp(`^${id} +STOPPED$`, "m"))
      assert.equal((await json(["workspace", "start", id])).workspace.state, "RUNNING")
    })
    it("puts it to sleep, wakes it with another size, and says why it is on", async () => {
      const slept = await json(["workspace", "stop", id, "--mode", "hibernate"])
      assert.deepEqual([slept.workspace.state, slept.workspace.asleep], ["STOPPED", true])
      assert.match((await cli(["workspace", "activity", id])).stdout, /^Its machine does not run/)
      const woken = await json(["workspace", "start", id, "--size", "medium"])
      assert.deepEqual([woken.workspace.state, woken.workspace.sizeClass], ["RUNNING", "medium"])
      assert.match((await cli(["workspace", "activity", "My desk"])).stdout, /^use +active$/m)
      assert.equal((await json(["workspace", "activity", id])).verdict, "active")
      assert.match(
        (await cli(["workspace", "stop", id, "--mode", "off"])).stderr,
        /Allowed choices are power-off, hibernate/,
      )
    })
    it("backs it up, lists, restores and removes", async () => {
      const { backup } = await json(["workspace", "backup", id, "--name", "first"])
      assert.deepEqual([backup.name, backup.kind, backup.workspace], ["first", "backup", id])
      assert.match((await cli(["workspace", "backup", "My desk"])).stdout, /^\d+ +My desk, on demand$/m)
      const { stdout } = await cli(["workspace", "backups", id])
      assert.match(
        stdout,
        new RegExp(`^${backup.id} +${id} +backup +2.* you remove it +\\d+\\.\\d GB +not yet +first$`, "m"),
      )
      assert.equal((await json(["workspace", "backups", id])).length, 2)
      const typed = await cli(["workspace", "restore", id, "first"], {}, "my desk\n")
      assert.equal(typed.code, 1)
      assert.match(
        typed.stderr,
        /kept as a snapshot for 7 days\.\nType its name to go on: That is not its name: nothing was restored/,
      )
      const restored = await json(["workspace", "restore", id, "first", "--yes"])
      assert.equal(restored.workspace.state, "RUNNING")
      await refuses(["workspace", "restore", id, "second", "--yes"], /no backup "second"/)

      const all = await json(["backup", "list"])
      assert.deepEqual(all.map((one: { kind: string }) => one.kind).sort(), ["backup", "backup", "safety"])
      await refuses(["backup", "remove", "nothing", "--yes"], /no backup "nothing"/)
      assert.equal((await cli(["backup", "remove", "first"], {}, "first\n")).stdout, `${backup.id}  removed\n`)
      for (const one of all) if (one.id !== backup.id) await json(["backup", "remove", one.id, "--yes"])
      assert.deepEqual(await json(["backup", "list"]), [])
      assert.match((await cli(["backup", "--help"])).stdout, /Examples:\n.*foozol-cloud backup list/)
    })
    it("gives it another size and another region", async () => {
      const moved = await json(["workspace", "move", id, "--region", "hel1"])
      assert.deepEqual([moved.workspace.state, moved.workspace.region], ["RUNNING", "hel1"])
      const larger = await json(["workspace", "resize", id, "--size", "large"])
      assert.equal(larger.workspace.sizeClass, "large")
      await refuses(["workspace", "resize", id, "--size", "small"], /a disk cannot be made smaller/)
      await refuses(["workspace", "move", id, "--region", "mars1"], /no region "mars1"/)
    })
    it("calls it something else and back", async () => {
      assert.equal((await cli(["workspace", "rename", id, "Bench"])).stdout, `${id}  Bench\n`)
      assert.equal((await json(["workspace", "rename", "Bench", "My desk"])).name, "My desk")
      await refuses(["workspace", "rename", id, ""], /name: must not be empty/)
    })
    it("says why something cannot be done now", () =>
      refuses(["workspace", "start", id], /workspace that is RUNNING cannot be started/))
    it("says that there is no such workspace", async () => {
      for (const what of ["show", "open", "stop", "start", "delete", "backup", "backups", "activity"]) {
        await refuses(["workspace", what, "nothing"], /You have no workspace "nothing"/)
      }
    })
    it("knows nobody else's", async () => {
      const FOOZOL_API_TOKEN = await test.token(await test.signIn("eve"))
      assert.deepEqual(await json(LIST, { FOOZOL_API_TOKEN }), [])
      await refuses(["workspace", "delete", id, "--yes"], /You have no workspace/, { FOOZOL_API_TOKEN })
    })
    it("changes nothing with a token that may only read", async () => {
      const FOOZOL_API_TOKEN = await test.token(await test.signIn("ada"), "read")
      assert.equal((await json(LIST, { FOOZOL_API_TOKEN }))[0].state, "RUNNING")
      await refuses(create(), /may only read/, { FOOZOL_API_TOKEN })
      await refuses(["workspace", "delete", id, "--yes"], /may only read/, { FOOZOL_API_TOKEN })
    })

    it("takes secrets from the environment, to that workspace's machine", async () => {
      await refuses(create("--secret", "NO_SUCH_KEY"), /no variable NO_SUCH_KEY/)
      const made = await json(create("--name", "Second", "--secret", "MY_KEY"), { MY_KEY: "a secret value" })
      const told = test.machines.received.filter(one => one.type === "settings")
      const secretsOf = (workspace: string) => told.findLast(one => one.workspace === workspace)?.data.secrets
      assert.deepEqual(secretsOf(made.workspace.id), { MY_KEY: "a secret value" })
      assert.deepEqual(secretsOf(id), {})
    })
    it("makes one workspace of one key, however often it is asked", async () => {
      const first = await json(create("--name", "Third", "--idempotency-key", "k1"))
      const second = await json(create("--name", "Third", "--idempotency-key", "k1"))
      assert.equal(second.workspace.id, first.workspace.id)
      await refuses(create("--name", "Other", "--idempotency-key", "k1"), /used for another request/)
    })
    it("wants an id where a name is not enough", async () => {
      await json(create("--name", "Third"))
      await refuses(["workspace", "stop", "Third"], /Several workspaces are called "Third": name one by its id/)
    })

    it("follows an operation over a broken connection", async () => {
      const proxy = await startCuttableProxy(test.url)
      test.machines.setReady(false)
      try {
        const running = cli(create("--name", "Fifth", "--url", proxy.url))
        await waitUntil("its machine reports", async () => {
          const fifth = (await json(LIST)).find((one: { name: string }) => one.name === "Fifth")
          return fifth && (await test.service.services.reports.last(fifth.id)).reportedAt > 0
        })
        assert.ok(proxy.cut() > 0)
        test.machines.setReady(true)
        const { code, stdout, stderr } = await running
        assert.equal(code, 0, stderr)
        assert.match(stdout, / RUNNING /)
        assert.equal(stderr.trim().split("\n").length, 4, stderr)
      } finally {
        test.machines.setReady(true)
        await proxy.close()
      }
    })
    it("says that there are as many as there may be", () => refuses(create(), /as many workspaces as you may \(5 /))

    it("deletes nothing without the name typed", async () => {
      for (const typed of ["", "my desk\n", "yes\n"]) {
        const { code, stdout, stderr } = await cli(["workspace", "delete", id], {}, typed)
        assert.equal(code, 1)
        assert.equal(stdout, "")
        assert.match(stderr, /Type its name to go on: That is not its name: nothing was deleted/)
      }
      assert.equal((await json(["workspace", "show", id])).state, "RUNNING")
    })
    it("deletes it when its name is typed", async () => {
      const { code, stdout, stderr } = await cli(["workspace", "delete", id], {}, "My desk\n")
      assert.equal(code, 0, stderr)
      assert.equal(stdout, `${id}  deleted\n`)
      assert.match(stderr, /Step 3 of 3: Deleting machine, address and firewall/)
      await refuses(["workspace", "show", id], /You have no workspace/)
    })
    it("returns at once when told not to wait", async () => {
      const [second] = (await json(LIST)).filter((one: { name: string }) => one.name === "Second")
      const { workspace, operation } = await json(["workspace", "delete", "Second", "--yes", "--no-wait"])
      assert.equal(workspace.state, "TERMINATING")
      assert.equal(workspace.id, second.id)
      assert.equal((await test.finished(env.FOOZOL_API_TOKEN as string, operation.id)).state, "succeeded")
    })
    it("ends with the reason when the operation fails", async () => {
      const fault = { kind: "status", status: 403, code: "forbidden", message: "no" } as const
      await test.cloud.addFault({ match: { method: "POST", path: "/servers$" }, fault })
      const { code, stdout, stderr } = await cli(create("--name", "Doomed"))
      await test.cloud.clearFaults()
      assert.equal(code, 1)
      assert.equal(stdout, "")
      const shown = await json(["workspace", "show", "Doomed"])
      assert.equal(shown.state, "FAILED")
      assert.equal(stderr.trim().split("\n").at(-1), shown.failure.message)
    })
  })

  describe("token", () => {
    let made: { id: string; token: string; scope: string }
    it("makes one, which is all of standard output", async () => {
      const { code, stdout, stderr } = await cli(["token", "create", "--name", "ci", "--scope", "write", "--days", "7"])
      assert.equal(code, 0, stderr)
      assert.match(stdout, /^fzt_[A-Za-z0-9_-]{43}\n$/)
      assert.doesNotMatch(stderr, /fzt_/)
      assert.ok(Array.isArray(await json(LIST, { FOOZOL_API_TOKEN: stdout.trim() })))
    })
    it("makes one that only reads, unless told otherwise", async () => {
      made = await json(["token", "create", "--name", "looker"])
      assert.equal(made.scope, "read")
    })
    it("makes no stronger one than it has", () =>
      refuses(["token", "create", "--name", "x", "--scope", "write"], /may only read/, {
        FOOZOL_API_TOKEN: made.token,
      }))
    it("says what is wrong with a wish", () => refuses(["token", "create", "--name", "x", "--days", "0"], /days: /))
    it("lists them without their secrets", async () => {
      const { stdout } = await cli(["token", "list"])
      assert.match(stdout, new RegExp(`^${made.id} +looker +read +\\d{4}-`, "m"))
      assert.doesNotMatch(stdout + JSON.stringify(await json(["token", "list"])), /fzt_/)
    })
    it("revokes one by name, at once", async () => {
      assert.deepEqual(await json(["token", "revoke", "looker"]), { revoked: made.id })
      await refuses(LIST, /token is not valid/, { FOOZOL_API_TOKEN: made.token })
    })
    it("says that there is no such token", () => refuses(["token", "revoke", "looker"], /You have no token "looker"/))
  })

  describe("what is offered to somebody", () => {
    it("is listed, and nothing else is made, in one plain sentence", async () => {
      const bob = { FOOZOL_API_TOKEN: await test.token(await test.signIn("bob")) }
      const sizes = await json(["sizes", "--offered"], bob)
      assert.deepEqual(
        sizes.map((one: { class: string; regions: object }) => [one.class, Object.keys(one.regions)]),
        [["small", ["fsn1"]]],
      )
      assert.match((await cli(["sizes", "--offered"], bob)).stdout, /hetzner +fsn1 +small +cx23/)
      await refuses(create(), /size small in nbg1 are not offered to you; what is: small in fsn1/, bob)
      assert.ok((await json(["sizes", "--offered"])).length > 1)
    })
  })
})
