import assert from "node:assert/strict"
import { readdir } from "node:fs/promises"
import { createEnginePool, type EnginePool } from "../../infra/engine-pool.ts"
import { startTestCloud, type TestCloud } from "../support/local-cloud.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import { testEngineConfig, testSpec } from "../support/workspace.ts"

const SECRETS = { workspaceKey: "a-key-for-a-test-that-is-long-enough" }

describe("engine: a killed run's lock", () => {
  let cloud: TestCloud
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>
  let pool: EnginePool

  before(async () => {
    cloud = await startTestCloud({ machines: "none" })
    directory = await temporaryDirectory("fc-")
    pool = createEnginePool({ size: 1 })
  })
  after(async () => {
    await pool?.close()
    await cloud?.close()
    await directory?.remove()
  })

  it("is broken by the next run, which finishes what was begun with one machine", async () => {
    const config = testEngineConfig(directory.path, cloud)
    const spec = testSpec({ image: cloud.imageId })
    const run = { action: "apply" as const, spec, secrets: SECRETS }
    let group = 0
    const first = pool.run(config, run, {
      onEvent: event => {
        if (event.type === "process") group = event.pgid
        // In the middle of it: something is made, and not all of it.
        if (event.type === "resource" && event.name === "ipv4" && event.state === "done")
          process.kill(-group, "SIGKILL")
      },
    })
    await assert.rejects(first)
    const files = await readdir(new URL(config.backendUrl), { recursive: true })
    assert.equal(files.filter(name => /locks.*\.json$/.test(name)).length, 1, "the killed engine has left its lock")
    const { outputs } = await pool.run<{ outputs: Record<string, unknown> }>(config, run)
    assert.ok(outputs.machineId)
    assert.equal(cloud.ledger().alive.filter(one => one.event === "created").length, 1)
  })
})
