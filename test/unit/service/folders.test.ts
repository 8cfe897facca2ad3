import assert from "node:assert/strict"
import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { protectFolders } from "../../../service/folders.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"

describe("the service's folders", () => {
  let data: Awaited<ReturnType<typeof temporaryDirectory>>
  let folder: string
  const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8)

  before(async () => {
    data = await temporaryDirectory("fc-")
    folder = join(data.path, "usage")
    await mkdir(join(folder, "below"), { recursive: true })
    await writeFile(join(folder, "below", "file"), "x")
    await chmod(folder, 0o755)
    await chmod(join(folder, "below"), 0o777)
    await chmod(join(folder, "below", "file"), 0o644)
  })
  after(() => data?.remove())

  it("are looked at without a change", async () => {
    const { warnings, mended } = await protectFolders({ FOOZOL_USAGE_DIRECTORY: folder }, { mend: false })
    assert.equal(mended, 0)
    assert.equal(warnings.filter(one => one.includes(`${folder} and 2 more (FOOZOL_USAGE_DIRECTORY)`)).length, 1)
  })
  it("are closed to everybody else, once", async () => {
    assert.equal((await protectFolders({ FOOZOL_USAGE_DIRECTORY: folder })).mended, 3)
    assert.deepEqual(
      [await mode(folder), await mode(join(folder, "below")), await mode(join(folder, "below", "file"))],
      ["700", "700", "600"],
    )
    assert.equal((await protectFolders({ FOOZOL_USAGE_DIRECTORY: folder })).mended, 0)
  })
  it("are not there yet on a new host, which is no fault", async () => {
    const none = await protectFolders({ FOOZOL_USAGE_DIRECTORY: join(data.path, "none") })
    assert.deepEqual(none, { mended: 0, warnings: [] })
  })
  it("are not to lie in memory", async () => {
    // Where Linux has one, which is everywhere this is run.
    const path = await mkdtemp("/dev/shm/fc-")
    const { warnings } = await protectFolders({ FOOZOL_BACKEND_URL: path })
    await rm(path, { recursive: true })
    assert.match(warnings.join(), /lies in memory and is gone when this machine restarts/)
  })
})
