import assert from "node:assert/strict"
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { createMachineRecords, type MachineRecord } from "../../../local-cloud/machines/qemu/records.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"

const record: MachineRecord = {
  version: 1,
  id: 7,
  imageId: 1,
  diskBytes: 5e9,
  fresh: true,
  config: null,
  process: null,
}

describe("a folder that takes the place of a machine's", () => {
  let scratch: Awaited<ReturnType<typeof temporaryDirectory>>
  const machines = () => createMachineRecords(join(scratch.path, "machines"))
  const here = (...names: string[]) => join(scratch.path, ...names)
  const disk = () => readFile(here("machines", "7", "disk"), "utf8")

  beforeEach(async () => {
    scratch = await temporaryDirectory("fc-")
    await machines().open()
    await machines().put(record)
    await writeFile(here("machines", "7", "disk"), "its own")
    await mkdir(here("ready"))
    await writeFile(here("ready", "disk"), "made ahead")
  })
  afterEach(() => scratch.remove())

  it("brings its files and the new record; what was there goes when all is well", async () => {
    const { done } = await machines().replace({ ...record, imageId: 2 }, here("ready"))
    await done()
    assert.equal(await disk(), "made ahead")
    assert.equal((await machines().get(7))?.imageId, 2)
    assert.deepEqual(await readdir(here("machines")), ["7"])
  })

  it("goes again when it did not go well", async () => {
    const { undo } = await machines().replace({ ...record, imageId: 2 }, here("ready"))
    await undo()
    assert.equal(await disk(), "its own")
    assert.deepEqual(await machines().get(7), record)
    assert.deepEqual(await readdir(here("machines")), ["7"])
  })

  it("that was cut off halfway is undone, and one that was there is kept, at the next start", async () => {
    await machines().replace({ ...record, imageId: 2 }, here("ready"))
    await machines().open()
    assert.deepEqual([await disk(), await readdir(here("machines"))], ["made ahead", ["7"]])
    await mkdir(here("machines", "8.aside"))
    await writeFile(here("machines", "8.aside", "disk"), "8's own")
    await machines().open()
    assert.equal(await readFile(here("machines", "8", "disk"), "utf8"), "8's own")
  })
})
