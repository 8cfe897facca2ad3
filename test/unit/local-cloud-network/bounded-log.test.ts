import assert from "node:assert/strict"
import { open, readFile, stat } from "node:fs/promises"
import { join } from "node:path"
import { boundLog } from "../../../local-cloud/machines/qemu/bounded-log.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"

describe("boundLog()", () => {
  it("moves a long log's last part aside and lets its writer go on at the new beginning", async () => {
    const directory = await temporaryDirectory()
    const path = join(directory.path, "console.log")
    await boundLog(path, 10)
    const writer = await open(path, "a")
    await writer.write("0123456789")
    await boundLog(path, 10)
    assert.equal((await stat(path)).size, 10)
    await writer.write("abcdef")
    await boundLog(path, 10)
    assert.equal(await readFile(`${path}.1`, "utf8"), "6789abcdef")
    await writer.write("new")
    assert.equal(await readFile(path, "utf8"), "new")
    await writer.close()
    await directory.remove()
  })
})
