import assert from "node:assert/strict"
import { openProjects } from "../../infra/cloud-config.ts"
import { createEnginePool, type EnginePool } from "../../infra/engine-pool.ts"
import { startTestCloud, type TestCloud } from "../support/local-cloud.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import { type HetznerConfig, testSecrets as secrets, testEngineConfig, testSpec } from "../support/workspace.ts"

const TWO = "2".repeat(64)
/** Of the same project. */
const OTHER = "3".repeat(64)

describe("engine: a workspace in a further project", () => {
  let cloud: TestCloud
  let config: HetznerConfig
  let alone: HetznerConfig
  let pool: EnginePool
  let remove: () => Promise<void>
  before(async () => {
    const directory = await temporaryDirectory("fc-")
    remove = directory.remove
    cloud = await startTestCloud({ machines: "none", projects: { [TWO]: "two", [OTHER]: "two" } })
    alone = testEngineConfig(directory.path, cloud)
    config = { ...alone, hetzner: { ...alone.hetzner, further: { two: TWO } } }
    pool = createEnginePool({ size: 1 })
  })
  after(async () => {
    await pool?.close()
    await cloud?.close()
    await remove?.()
  })
  const spec = () => testSpec({ image: cloud.imageId, project: "two" })
  const held = async () =>
    (await openProjects(config).all.heldResources()).map(one => `${one.project} ${one.name}`).sort()
  const all = [
    ...["main record-A", "main record-AAAA", "main record-CNAME"],
    ...["two firewall", "two ipv4", "two ipv6", "two machine"],
  ]

  it("is made there with its names in the main one, found so again, and not changed by a second run", async () => {
    await pool.run(config, { action: "apply", spec: spec(), secrets })
    assert.deepEqual(await held(), all)
    const again = await pool.run<{ changes: Record<string, number> }>(config, {
      action: "apply",
      spec: spec(),
      secrets,
    })
    assert.deepEqual(again.changes, { same: 9 })
    const refreshed = await pool.run<{ changes: Record<string, number> }>(config, {
      ...{ action: "refresh", workspace: "blue-otter" },
    })
    assert.deepEqual(Object.keys(refreshed.changes), ["same"])
  })

  it("a run without that project's token is refused before anything is forgotten", async () => {
    for (const run of [
      { action: "apply" as const, spec: spec(), secrets },
      { action: "refresh" as const, workspace: "blue-otter" },
      { action: "destroy" as const, workspace: "blue-otter" },
      // It would take everything for missing.
      { action: "drift" as const, workspace: "blue-otter", power: null },
    ])
      await assert.rejects(pool.run(alone, run), { id: "unknown-project", message: /"two".*FOOZOL_PROJECTS/ })
    assert.deepEqual(await held(), all)
  })

  it("another token of the project does as well as the one it was made with", async () => {
    const renewed = { ...config, hetzner: { ...config.hetzner, further: { two: OTHER } } }
    const refreshed = await pool.run<{ changes: Record<string, number> }>(renewed, {
      ...{ action: "refresh", workspace: "blue-otter" },
    })
    assert.deepEqual(Object.keys(refreshed.changes), ["same"])
  })

  it("is destroyed by whoever does not know where it is, what is not recorded too", async () => {
    const labels = { "managed-by": "foozol-cloud", "foozol-workspace": "blue-otter" }
    const stray = { name: "stray", labels, rules: [] }
    await cloud.call("POST", "/firewalls", stray, { authorization: `Bearer ${TWO}` })
    await pool.run(config, { action: "destroy", workspace: "blue-otter" })
    assert.deepEqual(await held(), [])
  })
})
