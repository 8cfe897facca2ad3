import assert from "node:assert/strict"
import { mkdir, rm, symlink } from "node:fs/promises"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { checkStacks } from "../../../cli/service-check.ts"
import { type StateBackend, stateBackend } from "../../../infra/state-backend.ts"
import type { StateFiles } from "../../../infra/state-files/contract.ts"
import { openStateFiles } from "../../../infra/state-files/open.ts"
import { type Bucket, startBucket } from "../../support/bucket.ts"
import { skipSuite } from "../../support/skip.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"
import { testSpec } from "../../support/workspace.ts"

const STACKS = ".pulumi/stacks/foozol-cloud"
const state = (name: string, latest: object = { secrets_providers: { state: { salt: "s" } } }) =>
  JSON.stringify({ version: 3, checkpoint: { stack: `organization/foozol-cloud/${name}`, latest } })

/** The same of every place state may lie in. */
function behaves(open: () => Promise<{ files: StateFiles; close: () => Promise<void> }>): void {
  let files: StateFiles
  let backend: StateBackend
  let close: () => Promise<void>

  beforeEach(async () => {
    const opened = await open()
    files = opened.files
    close = opened.close
    backend = stateBackend(files, "1.2.3")
  })
  afterEach(() => close?.())

  const write = (name: string, text: string) => files.replace(`${STACKS}/${name}`, text)
  const read = (name: string) => files.read(`${STACKS}/${name}`)

  it("makes nothing without a template", async () => assert.equal(await backend.createFromTemplate("a"), false))
  it("copies the first stack under the new name", async () => {
    await write("first.json", state("first"))
    await backend.keepAsTemplate("first")
    assert.equal(await backend.createFromTemplate("second"), true)
    assert.equal(await read("second.json"), state("second"))
    assert.deepEqual((await backend.names()).sort(), ["first", "second"])
  })
  it("never overwrites a stack, whoever comes first", async () => {
    await write("first.json", state("first"))
    await backend.keepAsTemplate("first")
    await write("taken.json", "precious")
    await Promise.all([backend.createFromTemplate("taken"), backend.createFromTemplate("taken")])
    assert.equal(await read("taken.json"), "precious")
    assert.deepEqual((await files.list(STACKS)).sort(), [`${STACKS}/first.json`, `${STACKS}/taken.json`])
  })
  it("takes no stack with resources for a template", async () => {
    await write("full.json", state("full", { resources: [{}] }))
    await backend.keepAsTemplate("full")
    assert.equal(await backend.createFromTemplate("next"), false)
  })
  it("reads the state of a run that was cut off: what is not made has no outputs", async () => {
    const resource = { urn: "urn:pulumi:a::foozol-cloud::x:y:Z::machine", type: "x:y:Z" }
    const latest = { resources: [resource], pending_operations: [{ resource, type: "creating" }] }
    await write("a.json", state("a", latest))
    assert.deepEqual((await backend.read("a"))?.pending, [{ name: "machine", type: "x:y:Z", operation: "creating" }])
    assert.equal(await backend.putBack("a"), "nothing")
  })
  it("takes a lost file for a state that cannot be read, where it is noted as wanted", async () => {
    await backend.noteSpec(testSpec())
    await write("blue-otter.json.bak", state("blue-otter"))
    assert.equal(await backend.putBack("blue-otter"), "put-back")
    assert.equal(await read("blue-otter.json"), state("blue-otter"))
    await files.remove(`${STACKS}/blue-otter.json`)
    await backend.forgetSpec("blue-otter")
    assert.equal(await backend.putBack("blue-otter"), "nothing")
  })
  it("knows what was to be made where no run has come to its end", async () => {
    await backend.noteSpec(testSpec())
    const found = async () => (await backend.records()).map(({ spec, isUnfinished }) => [spec, isUnfinished])
    assert.deepEqual(await found(), [[testSpec(), true]])
    await write("blue-otter.json", state("blue-otter"))
    assert.deepEqual(await found(), [[testSpec(), true]])
    await write("blue-otter.json", "")
    assert.deepEqual(await found(), [[testSpec(), false]])
  })
  it("puts the newest good backup in the place of what cannot be read, and keeps that aside", async () => {
    const at = (time: string) => state("one", { manifest: { time } })
    await write("one.json", at("2026-01-03T00:00:00Z").slice(0, 40))
    await write("one.json.bak", at("2026-01-02T00:00:00Z").slice(0, 50))
    for (const day of ["01", "02"]) {
      await files.replace(`.pulumi/backups/foozol-cloud/one/one.${day}.json`, at(`2026-01-${day}T00:00:00Z`))
    }
    await assert.rejects(backend.read("one"), { id: "state-unreadable" })
    assert.equal(await backend.putBack("one"), "put-back")
    assert.equal(await read("one.json"), at("2026-01-02T00:00:00Z"))
    assert.equal(await backend.putBack("one"), "nothing")
    assert.equal((await files.list(".foozol/unreadable")).length, 1)
  })
  it("says that a state is lost of which there is no backup, and leaves no stack", async () => {
    await write("one.json", "")
    assert.equal(await backend.putBack("one"), "lost")
    assert.equal(await backend.exists("one"), false)
  })
  it("of writers of one file one is first, and nobody else has written", async () => {
    const wrote = await Promise.all(["a", "b", "c"].map(text => files.writeNew("some/where", text)))
    assert.equal(wrote.filter(Boolean).length, 1)
    assert.equal(await files.read("some/where"), ["a", "b", "c"][wrote.indexOf(true)])
    await files.remove("some/where")
    await files.remove("some/where")
    assert.equal(await files.read("some/where"), null)
  })
}

describe("state-backend", () => {
  it("is not for what the engine alone can read", () => assert.equal(openStateFiles("gs://bucket", {}), null))

  describe("in a folder", () =>
    behaves(async () => {
      const { path, remove } = await temporaryDirectory()
      const files = openStateFiles(pathToFileURL(path).href, {})
      assert.ok(files)
      return { files, close: remove }
    }))

  it("takes a folder and a link to nothing in a state's place for a state that cannot be read", async () => {
    const { path, remove } = await temporaryDirectory()
    const files = openStateFiles(pathToFileURL(path).href, {})
    assert.ok(files)
    const backend = stateBackend(files, "1.2.3")
    const file = join(path, STACKS, "one.json")
    await files.replace(`${STACKS}/one.json.bak`, state("one"))
    for (const damage of [() => mkdir(file), () => symlink(file, file)]) {
      await damage()
      await assert.rejects(backend.read("one"), { id: "state-unreadable" })
      assert.equal(await backend.putBack("one"), "put-back")
      assert.equal(await files.read(`${STACKS}/one.json`), state("one"))
      await rm(file)
    }
    await remove()
  })

  describe("in a bucket", function () {
    this.timeout(300_000)
    let bucket: Bucket
    let opened = 0
    before(async function () {
      const started = await startBucket()
      if ("reason" in started) return skipSuite(this, started.reason)
      bucket = started
    })
    after(() => bucket?.close())

    behaves(async () => {
      const url = bucket.url.replace("/foozol?", `/foozol/${opened++}?`)
      const files = openStateFiles(url, bucket.env)
      assert.ok(files)
      return { files, close: async () => {} }
    })

    it("that keeps no versions is wrong for stacks, one that does is right, and one that does not tell is neither", async () => {
      const look = async (url: string) => (await checkStacks(url, bucket.env)).state
      assert.equal(await look(bucket.url), "wrong")
      await bucket.keepVersions()
      assert.equal(await look(bucket.url), "ok")
      assert.equal(await look(bucket.url.replace("s3://state", "s3://nowhere")), "unknown")
      assert.deepEqual([await look("gs://elsewhere"), await look("file:///state")], ["unknown", "ok"])
    })

    it("one that is not there is said in one sentence, with what to do", async () => {
      const files = openStateFiles(bucket.url.replace("s3://state", "s3://nowhere"), bucket.env)
      await assert.rejects(async () => files?.writeNew("a", "b"), {
        id: "state-unreachable",
        message: /^The storage of the engine's state \(bucket "nowhere"\) .*FOOZOL_BACKEND_URL/,
      })
    })
  })
})
