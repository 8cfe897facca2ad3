import assert from "node:assert/strict"
import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { readdir } from "node:fs/promises"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { createEnginePool, type EnginePool } from "../../infra/engine-pool.ts"
import { startTestCloud, type TestCloud } from "../support/local-cloud.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import { testEngineConfig, testSpec } from "../support/workspace.ts"

const SECRETS = { workspaceKey: "a-key-for-a-test-that-is-long-enough" }

describe("engine: a killed run", () => {
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

  it("leaves a lock that the next run breaks, which finishes what was begun with one machine", async () => {
    const config = testEngineConfig(directory.path, cloud)
    const spec = testSpec({ image: cloud.imageId })
    const run = { action: "apply" as const, spec, secrets: SECRETS }
    let group = 0
    let plugins: string[] = []
    const first = pool.run(config, run, {
      onEvent: event => {
        if (event.type === "process") group = event.pgid
        // In the middle of it: something is made, and not all of it.
        if (event.type === "resource" && event.name === "ipv4" && event.state === "done") {
          plugins = pluginsOf(group)
          process.kill(-group, "SIGKILL")
        }
      },
    })
    await assert.rejects(first)
    const files = await readdir(new URL(config.backendUrl), { recursive: true })
    assert.equal(files.filter(name => /locks.*\.json$/.test(name)).length, 1, "the killed engine has left its lock")
    const { outputs } = await pool.run<{ outputs: Record<string, unknown> }>(config, run)
    assert.ok(outputs.machineId)
    assert.ok(plugins.length > 0)
    assert.deepEqual(plugins.filter(isPlugin), [], "its plugins have ended too")
    assert.equal(cloud.ledger().alive.filter(one => one.event === "created").length, 1)
  })
  it("and everything the state does not know is taken in as it is, the DNS records too", async () => {
    const spec = testSpec({ image: cloud.imageId, workspace: "lost-heron" })
    const run = { action: "apply" as const, spec, secrets: SECRETS }
    const made = () => cloud.ledger().alive.filter(one => one.event === "created").length
    const config = testEngineConfig(directory.path, cloud)
    const first = await pool.run<{ outputs: Record<string, unknown> }>(config, run)
    const before = made()
    // Another backend: of what there is under this name nothing is recorded.
    const elsewhere = { ...config, backendUrl: pathToFileURL(join(directory.path, "elsewhere")).href }
    const second = await pool.run<{ outputs: Record<string, unknown> }>(elsewhere, run)
    assert.deepEqual(second.outputs, first.outputs)
    assert.equal(made(), before)
    await pool.run(elsewhere, { action: "destroy", workspace: spec.workspace })
  })
})

/** Process ids of the plugins an engine has started; the kernel keeps them by the thread that did. */
function pluginsOf(engine: number): string[] {
  return readdirSync(`/proc/${engine}/task`)
    .flatMap(thread => readFileSync(`/proc/${engine}/task/${thread}/children`, "utf8").trim().split(" "))
    .filter(isPlugin)
}

function isPlugin(pid: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/exe`).includes("/plugins/resource-hcloud-")
  } catch {
    return false
  }
}
