import assert from "node:assert/strict"
import { readdir, readFile, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { CloudConfig } from "../../infra/cloud-config.ts"
import type { EnginePool } from "../../infra/engine-pool.ts"
import { startTestEngine, type TestEngine } from "../support/test-engine.ts"

describe("engine: runs side by side", () => {
  let test: TestEngine
  let pool: EnginePool
  let config: CloudConfig

  before(async () => {
    test = await startTestEngine(2)
    ;({ pool, config } = test)
  })
  after(() => test?.close())

  it("leave the project's file alone: another run may be reading it", async () => {
    const file = join(config.workDirectory, "Pulumi.yaml")
    await Promise.all([pool.run(config, { action: "list" }), pool.run(config, { action: "list" })])
    const before = await stat(file)
    await pool.run(config, { action: "list" })
    const after = await stat(file)
    assert.deepEqual([after.ino, after.mtimeMs], [before.ino, before.mtimeMs])
  })

  it("put a wrong one right in one step, and leave nothing beside it", async () => {
    const file = join(config.workDirectory, "Pulumi.yaml")
    await writeFile(file, "")
    const before = await stat(file)
    await pool.run(config, { action: "list" })
    assert.match(await readFile(file, "utf8"), /^name: \S+\nruntime: nodejs\n$/)
    // Another file under its name: whoever had opened the old one still has that.
    assert.notEqual((await stat(file)).ino, before.ino)
    assert.deepEqual(
      (await readdir(config.workDirectory)).filter(name => name.startsWith("Pulumi.yaml")),
      ["Pulumi.yaml"],
    )
  })
})
