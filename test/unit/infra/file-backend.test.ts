import assert from "node:assert/strict"
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { type FileBackend, fileBackend } from "../../../infra/file-backend.ts"

describe("file-backend", () => {
  let directory: string
  let stacks: string
  let backend: FileBackend
  const state = (name: string, latest: object = { secrets_providers: { state: { salt: "s" } } }) =>
    JSON.stringify({ version: 3, checkpoint: { stack: `organization/foozol-cloud/${name}`, latest } })

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "foozol-stacks-"))
    stacks = join(directory, ".pulumi", "stacks", "foozol-cloud")
    await mkdir(stacks, { recursive: true })
    const opened = fileBackend(pathToFileURL(directory).href, "1.2.3")
    assert.ok(opened)
    backend = opened
  })
  afterEach(() => rm(directory, { recursive: true }))

  it("is only for folders of this machine", () => assert.equal(fileBackend("s3://bucket", "1.2.3"), null))
  it("makes nothing without a template", async () => assert.equal(await backend.createFromTemplate("a"), false))
  it("copies the first stack under the new name", async () => {
    await writeFile(join(stacks, "first.json"), state("first"))
    await backend.keepAsTemplate("first")
    assert.equal(await backend.createFromTemplate("second"), true)
    assert.equal(await readFile(join(stacks, "second.json"), "utf8"), state("second"))
  })
  it("never overwrites a stack, whoever comes first", async () => {
    await writeFile(join(stacks, "first.json"), state("first"))
    await backend.keepAsTemplate("first")
    await writeFile(join(stacks, "taken.json"), "precious")
    await Promise.all([backend.createFromTemplate("taken"), backend.createFromTemplate("taken")])
    assert.equal(await readFile(join(stacks, "taken.json"), "utf8"), "precious")
    assert.deepEqual((await readdir(stacks)).sort(), ["first.json", "taken.json"])
  })
  it("takes no stack with resources for a template", async () => {
    await writeFile(join(stacks, "full.json"), state("full", { resources: [{}] }))
    await backend.keepAsTemplate("full")
    assert.equal(await backend.createFromTemplate("next"), false)
  })
})
