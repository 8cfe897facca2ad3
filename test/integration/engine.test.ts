import assert from "node:assert/strict"
import { existsSync } from "node:fs"
import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { openMachines } from "../../infra/cloud-config.ts"
import type { RunResult, StackSummary } from "../../infra/engine.ts"
import type { EngineEvent } from "../../infra/engine-events.ts"
import { createEnginePool, type EnginePool } from "../../infra/engine-pool.ts"
import { machinesOf } from "../../infra/workspace-stack.ts"
import type { TestCloud } from "../support/local-cloud.ts"
import { startTestEngine, type TestEngine } from "../support/test-engine.ts"
import { type HetznerConfig, testSecrets, testSpec } from "../support/workspace.ts"

/** Real engine, real provider plugin, the local cloud without machines. */
describe("engine: a workspace's stack, without machines", () => {
  let test: TestEngine
  let cloud: TestCloud
  let pool: EnginePool
  let config: HetznerConfig
  const spec = (given: Parameters<typeof testSpec>[0] = {}) => testSpec({ image: cloud.imageId, ...given })
  const apply = (given: Parameters<typeof testSpec>[0] = {}, onEvent?: (event: EngineEvent) => void) =>
    pool.run<RunResult>(
      config,
      { action: "apply", spec: spec(given), secrets: testSecrets },
      onEvent ? { onEvent } : {},
    )

  before(async () => {
    test = await startTestEngine()
    ;({ cloud, pool, config } = test)
  })
  after(() => test?.close())

  it("creates machine, addresses, firewall and records, and tells of each as it goes", async () => {
    const events: EngineEvent[] = []
    const result = await apply({}, event => events.push(event))
    assert.equal(result.changes.create, 8)
    const done = events.flatMap(event => (event.type === "resource" && event.state === "done" ? [event.name] : []))
    assert.deepEqual(done.sort(), ["firewall", "ipv4", "ipv6", "machine", "record-A", "record-AAAA", "record-CNAME"])
    assert.match(String(result.outputs.ipv4), /^127\.77\./)
    assert.deepEqual(result.outputs.spec, spec())
    const [machine] = await machinesOf(openMachines(config), "blue-otter")
    assert.equal(machine?.state, "running")
    assert.equal(machine?.deleteProtection, true)
    assert.deepEqual(machine?.labels, {
      "managed-by": "foozol-cloud",
      "foozol-workspace": "blue-otter",
      "foozol-owner": "gh-1001",
      "foozol-epoch": "1",
    })
    assert.equal(machine?.id, String(result.outputs.machineId))
  })

  it("changes nothing the second time", async () => {
    assert.deepEqual((await apply()).changes, { same: 8 })
  })

  it("never replaces the machine for a new image, new settings or a new epoch", async () => {
    const before = (await machinesOf(openMachines(config), "blue-otter"))[0]?.id
    const { changes } = await apply({ epoch: 2, image: cloud.imageId + 1, service: "https://elsewhere.example" })
    assert.deepEqual(changes, { same: 7, update: 1 })
    const after = (await machinesOf(openMachines(config), "blue-otter"))[0]
    assert.equal(after?.id, before)
    assert.equal(after?.labels["foozol-epoch"], "2")
  })

  it("shows a change made by hand in a refresh, and mends it", async () => {
    const firewall = await cloud.api<{ firewalls: { id: number }[] }>(
      "GET",
      "/firewalls?label_selector=foozol-workspace==blue-otter",
    )
    await cloud.api("POST", `/firewalls/${firewall.firewalls[0]?.id}/actions/set_rules`, { rules: [] })
    const refreshed = await pool.run<RunResult>(config, { action: "refresh", workspace: "blue-otter" })
    assert.equal(refreshed.changes.update, 1)
    const preview = await pool.run<RunResult>(config, {
      action: "preview",
      spec: spec({ epoch: 2 }),
      secrets: testSecrets,
    })
    assert.equal(preview.changes.update, 1)
    assert.equal((await apply({ epoch: 2 })).changes.update, 1)
  })

  it("keeps secrets out of state in clear text, and the state folder closed to others", async () => {
    const state = join(test.path, "state")
    assert.equal((await stat(state)).mode & 0o777, 0o700)
    for (const name of await readdir(test.path, { recursive: true })) {
      const text = await readFile(join(test.path, name), "utf8").catch(() => "")
      assert.ok(!text.includes(testSecrets.workspaceKey), `the workspace key stands in ${name}`)
      assert.ok(!text.includes(config.hetzner.token), `the API token stands in ${name}`)
      assert.ok(!text.includes(config.passphrase), `the passphrase stands in ${name}`)
    }
  })

  it("gives the machine no credential of the cloud", async () => {
    const [machine] = await machinesOf(openMachines(config), "blue-otter")
    const told = await cloud.userData(Number(machine?.id))
    assert.match(told, /workspaceKey/)
    assert.ok(!told.includes(config.hetzner.token))
  })

  it("keeps no log of runs in its home, and few where there is a folder of them already", async () => {
    const home = join(test.path, "home")
    await mkdir(home)
    await symlink(join(config.home, "plugins"), join(home, "plugins"))
    await pool.run({ ...config, home }, { action: "list" })
    assert.equal((await stat(join(home, "logs"))).size, 0)
    const other = join(test.path, "other")
    const today = new Date().toISOString().slice(0, 10).replaceAll("-", "")
    const old = Array.from({ length: 12 }, (_, at) => join(other, "logs", `pulumi-${today}T0000${10 + at}-1.log`))
    await mkdir(join(other, "logs"), { recursive: true })
    for (const path of old) await writeFile(path, Buffer.alloc(1_000_000))
    await symlink(join(config.home, "plugins"), join(other, "plugins"))
    await pool.run({ ...config, home: other }, { action: "list" })
    assert.ok(old.filter(existsSync).length < 5)
  })

  it("lists stacks", async () => {
    const stacks = await pool.run<StackSummary[]>(config, { action: "list" })
    assert.deepEqual(
      stacks.map(one => one.name),
      ["blue-otter"],
    )
  })

  it("destroys what is protected, and leaves no stack and nothing at the provider", async () => {
    await pool.run(config, { action: "destroy", workspace: "blue-otter" })
    assert.deepEqual(await pool.run(config, { action: "list" }), [])
    for (const kind of ["servers", "firewalls", "primary_ips"]) {
      assert.deepEqual((await cloud.api<Record<string, unknown[]>>("GET", `/${kind}`))[kind], [], kind)
    }
    assert.deepEqual(cloud.ledger().alive, [])
  })

  it("succeeds in destroying what is gone already", async () => {
    await pool.run(config, { action: "destroy", workspace: "blue-otter" })
  })

  it("keeps several at once apart", async () => {
    const many = createEnginePool({ size: 2 })
    const names = ["one", "two", "three", "four"]
    try {
      await Promise.all(
        names.map(workspace =>
          many.run(config, {
            action: "apply",
            spec: spec({ workspace, dns: { name: workspace, zone: "desk.example", ttl: 60 } }),
            secrets: testSecrets,
          }),
        ),
      )
      assert.equal(cloud.ledger().alive.length, 4)
      await Promise.all(names.map(workspace => many.run(config, { action: "destroy", workspace })))
      assert.deepEqual(cloud.ledger().alive, [])
    } finally {
      await many.close()
    }
  })
})
