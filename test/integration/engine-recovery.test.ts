import assert from "node:assert/strict"
import { copyFile, readdir, readFile, rm, stat, truncate } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import type { CloudConfig } from "../../infra/cloud-config.ts"
import type { EnginePool } from "../../infra/engine-pool.ts"
import type { Recovery } from "../../infra/recover-stack.ts"
import type { TestCloud } from "../support/local-cloud.ts"
import { startTestEngine, type TestEngine } from "../support/test-engine.ts"
import { testSecrets as secrets, testSpec } from "../support/workspace.ts"

type Applied = { outputs: Record<string, unknown>; changes: Record<string, number> }

describe("engine: a state that is wrong", () => {
  let test: TestEngine
  let cloud: TestCloud
  let pool: EnginePool
  let config: CloudConfig
  let backend: string

  before(async () => {
    test = await startTestEngine()
    ;({ cloud, pool } = test)
  })
  beforeEach(async () => {
    config = test.config
    backend = fileURLToPath(config.backendUrl)
  })
  after(() => test?.close())

  const spec = (workspace: string) => testSpec({ image: cloud.imageId, workspace })
  const apply = (workspace: string) => pool.run<Applied>(config, { action: "apply", spec: spec(workspace), secrets })
  const recover = (workspace: string) => pool.run<Recovery>(config, { action: "recover", workspace })
  /** What a recovery would mend; nothing is changed by asking. */
  async function foresee(workspace: string): Promise<Recovery> {
    const before = await readFile(file(workspace), "utf8").catch(() => null)
    const found = await pool.run<Recovery>(config, { action: "recover", workspace, dryRun: true })
    assert.equal(await readFile(file(workspace), "utf8").catch(() => null), before)
    return found
  }
  const file = (workspace: string) => join(backend, ".pulumi", "stacks", "foozol-cloud", `${workspace}.json`)
  const serversMade = () => cloud.ledger().created.length
  async function deleteByHand({ outputs }: Applied) {
    const server = `/servers/${outputs.machineId}`
    await cloud.api("POST", `${server}/actions/change_protection`, { delete: false, rebuild: false })
    await cloud.api("DELETE", server)
  }
  /** The workspace's machine is the one it had, and nobody has made another. */
  async function isWhole(workspace: string, before: Applied, made: number) {
    assert.deepEqual((await apply(workspace)).outputs, before.outputs)
    assert.equal(serversMade(), made)
  }

  it("cut short: its newest backup takes its place, and it is kept", async () => {
    const before = await apply("cut-wren")
    const made = serversMade()
    // Each time another length: a time of day is written without the zeros at its end.
    for (const rest of [() => 0, () => 1, (length: number) => Math.floor(length / 2), (length: number) => length - 1]) {
      await truncate(file("cut-wren"), rest((await stat(file("cut-wren"))).size))
      await isWhole("cut-wren", before, made)
    }
    assert.equal((await readdir(join(backend, ".foozol", "unreadable"))).length, 4)
    await truncate(file("cut-wren"), 100)
    assert.equal((await foresee("cut-wren")).state, "put-back")
    await pool.run(config, { action: "destroy", workspace: "cut-wren" })
    assert.deepEqual(cloud.ledger().alive, [])
  })

  it("lost with its backups: made again out of what carries the workspace's label", async () => {
    const before = await apply("lost-heron")
    const made = serversMade()
    await truncate(file("lost-heron"), 10)
    await rm(`${file("lost-heron")}.bak`)
    await rm(join(backend, ".pulumi", "backups", "foozol-cloud", "lost-heron"), { recursive: true })
    const lost = await foresee("lost-heron")
    assert.deepEqual([lost.state, lost.plan.adopt.machine], ["lost", before.outputs.machineId])
    await isWhole("lost-heron", before, made)
    // Another backend, where nothing of this name was ever heard of.
    config = { ...config, backendUrl: pathToFileURL(join(test.path, "elsewhere")).href }
    await isWhole("lost-heron", before, made)
    assert.deepEqual((await apply("lost-heron")).changes, { same: 8 })
  })

  it("an old one: what it knows of and is gone is read anew, what came since is taken in", async () => {
    const first = await apply("old-finch")
    await copyFile(file("old-finch"), join(test.path, "old.json"))
    await deleteByHand(first)
    const second = await apply("old-finch")
    assert.notEqual(second.outputs.machineId, first.outputs.machineId)
    const made = serversMade()
    await copyFile(join(test.path, "old.json"), file("old-finch"))
    assert.equal((await foresee("old-finch")).refreshed, true)
    const found = await recover("old-finch")
    assert.equal(found.refreshed, true)
    assert.deepEqual(found.plan.adopt, { machine: second.outputs.machineId })
    await isWhole("old-finch", second, made)
  })

  it("right, and the machine was deleted by hand: there is a new one", async () => {
    const before = await apply("hand-robin")
    await deleteByHand(before)
    const { outputs } = await apply("hand-robin")
    assert.notEqual(outputs.machineId, before.outputs.machineId)
    assert.equal(outputs.ipv4, before.outputs.ipv4)
  })

  it("of a workspace nobody knows: nothing is made", async () => {
    assert.equal((await foresee("no-magpie")).exists, false)
    const { exists, plan } = await recover("no-magpie")
    assert.equal(exists, false)
    assert.deepEqual(plan.adopt, {})
    await assert.rejects(readFile(file("no-magpie")))
  })
})
