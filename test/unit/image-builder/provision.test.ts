import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { readdir, readFile } from "node:fs/promises"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { download } from "../../../image-builder/app.ts"
import { asRoot, inRoot } from "../../../image-builder/as-root.ts"
import { checkRoom } from "../../../image-builder/disk.ts"
import { buildLayers } from "../../../image-builder/layers.ts"
import { provision, type Step } from "../../../image-builder/provision.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"

describe("image provisioning", () => {
  let scratch: Awaited<ReturnType<typeof temporaryDirectory>>
  beforeEach(async () => {
    scratch = await temporaryDirectory("fc-")
  })
  afterEach(() => scratch.remove())

  const apply = async (root: string, steps: Step[]) =>
    provision(steps, {
      root,
      logDirectory: join(scratch.path, "logs"),
      environment: { PROFILE: "browser" },
      log: () => {},
      command: (directory, command) => ["env", "-C", directory, ...command],
    })
  const build = (steps: Step[]) =>
    buildLayers([{ name: "system", inputs: steps, keep: true, apply: root => apply(root, steps) }], {
      root: join(scratch.path, "root"),
      cacheDirectory: join(scratch.path, "cache"),
      log: () => {},
    })

  it("runs the steps in their order, with what they may ask for", async () => {
    await build([
      { name: "10-first", script: 'echo "$PROFILE" > profile' },
      { name: "20-second", script: "cat profile profile > twice" },
    ])
    assert.equal(await readFile(join(scratch.path, "root/twice"), "utf8"), "browser\nbrowser\n")
    assert.equal((await readdir(join(scratch.path, "cache"))).length, 1)
  })

  it("names the step that fails and its log, runs none after it, and keeps nothing of it", async () => {
    const steps = [
      { name: "10-first", script: "true" },
      { name: "20-broken", script: "echo about to break; false; echo never" },
      { name: "30-after", script: "touch after" },
    ]
    const log = join(scratch.path, "logs", "20-broken.log")
    await assert.rejects(build(steps), {
      name: "ImageError",
      id: "step-failed",
      log,
      message: /20-broken failed.*20-broken\.log/,
    })
    assert.equal(await readFile(log, "utf8"), "about to break\n")
    assert.equal(existsSync(join(scratch.path, "root/after")), false)
    assert.deepEqual(await readdir(join(scratch.path, "cache")), [])
  })

  it("takes up a kept layer instead of making it again", async () => {
    const steps = [{ name: "10-count", script: "echo run >> ../runs; touch made" }]
    const root = join(scratch.path, "root")
    await build(steps)
    await assert.rejects(build(steps), "a root directory is made, never used again")
    const again = { root: `${root}-2`, cacheDirectory: join(scratch.path, "cache"), log: () => {} }
    await buildLayers([{ name: "system", inputs: steps, keep: true, apply: () => assert.fail("made again") }], again)
    assert.deepEqual(await readdir(again.root), ["made"])
  })

  it("says how much room is missing before anything begins", async () => {
    await assert.rejects(checkRoom(scratch.path, 1e18), { id: "no-room", message: /GB free.*1000000000\.0 GB/ })
    await checkRoom(scratch.path, 1)
  })

  it("gives the steps nothing of the builder to write to", () => {
    const command = inRoot("/root-of-image", ["true"], true).join(" ")
    assert.match(command, /remount,bind,ro "\$root\/proc"/)
    assert.doesNotMatch(command, /resolv\.conf|--rbind/)
    assert.match(command, /unshare --mount --net /)
    assert.deepEqual(asRoot(["true"], true), ["true"])
    assert.deepEqual(asRoot(["true"], false), ["unshare", "--user", "--map-root-user", "--map-auto", "true"])
  })

  describe("#download()", () => {
    const content = Buffer.from("the app")
    const sha256 = createHash("sha256").update(content).digest("hex")
    const server = createServer((request, response) => {
      response.statusCode = request.url === "/app" ? 200 : 404
      response.end(content)
    })
    let url = ""
    before(async () => {
      await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    })
    after(() => server.close())

    it("fetches the app that was named", async () => {
      const file = await download({ url: `${url}/app`, sha256 }, scratch.path)
      assert.deepEqual(await readFile(file), content)
    })
    it("refuses another checksum, and says which was found", async () => {
      const wrong = "0".repeat(64)
      const message = new RegExp(`${sha256}, not ${wrong}`)
      await assert.rejects(download({ url: `${url}/app`, sha256: wrong }, scratch.path), {
        id: "wrong-checksum",
        message,
      })
    })
    it("says when there is no app", async () => {
      await assert.rejects(download({ url: `${url}/none`, sha256 }, scratch.path), {
        id: "app-missing",
        message: /404/,
      })
    })
  })
})
