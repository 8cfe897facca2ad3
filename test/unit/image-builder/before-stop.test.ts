import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { chmod, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { temporaryDirectory } from "../../support/temporary-directory.ts"

const SCRIPT = fileURLToPath(new URL("../../../image-builder/rootfs/usr/lib/foozol/before-stop", import.meta.url))

/** The machine's own script, over a folder of a test's own. */
describe("scripts before a stop", () => {
  let folder: { path: string; remove: () => Promise<void> }
  beforeEach(async () => {
    folder = await temporaryDirectory()
  })
  afterEach(() => folder.remove())

  const put = async (name: string, body: string, mode = 0o755) => {
    await writeFile(join(folder.path, name), `#!/bin/sh\n${body}\n`)
    await chmod(join(folder.path, name), mode)
  }
  const run = async (env: Record<string, string> = {}) => {
    const { stdout } = await promisify(execFile)(SCRIPT, [folder.path], { env: { PATH: process.env.PATH, ...env } })
    return stdout.trim().split("\n")
  }

  it("run in the order of their names, with what they print, and what is not executable is no script", async () => {
    await put("20-second", "echo second")
    await put("10-first", "echo first; exit 3")
    await put("README", "echo never", 0o644)
    assert.deepEqual(await run(), [
      ...["10-first: begins", "first", "10-first: failed with 3"],
      ...["20-second: begins", "second", "20-second: done"],
    ])
  })
  it("that hang are ended, also where they do not want to, and the next has its turn", async () => {
    await put("10-hang", "exec sleep 600")
    await put("20-stubborn", "trap '' TERM; while :; do sleep 1; done")
    await put("30-after", "echo after")
    const said = await run({ EACH: "5", ALL: "600" })
    assert.deepEqual(
      said.filter(line => !line.endsWith("begins")),
      ["10-hang: ended after 5 s", "20-stubborn: ended after 5 s", "after", "30-after: done"],
    )
  })
  it("that come when the time for all is over are not run", async () => {
    await put("10-hang", "exec sleep 600")
    await put("20-late", "echo late")
    assert.equal((await run({ EACH: "60", ALL: "1" })).at(-1), "20-late: not run, the time for all scripts is over")
  })
  it("need not be there", async () => {
    assert.deepEqual(await run(), [""])
    await folder.remove()
    assert.deepEqual(await run(), [""])
  })
})
