import assert from "node:assert/strict"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type CloudConfig, openMachines } from "../../infra/cloud-config.ts"
import { createEnginePool, type EnginePool } from "../../infra/engine-pool.ts"
import { InfraError } from "../../infra/errors.ts"
import { machinesOf } from "../../infra/workspace-stack.ts"
import type { TestCloud, TestFault } from "../support/local-cloud.ts"
import { startTestEngine, type TestEngine } from "../support/test-engine.ts"
import { testSecrets, testSpec } from "../support/workspace.ts"

/** The real provider plugin against a provider that misbehaves. */
describe("engine: provider faults", () => {
  let test: TestEngine
  let cloud: TestCloud
  let pool: EnginePool
  let config: CloudConfig
  let serial = 0

  before(async () => {
    test = await startTestEngine()
    ;({ cloud, pool, config } = test)
  })
  after(() => test?.close())
  afterEach(() => cloud.clearFaults())

  /**
   * A create under a fault ends in success or in a clear error, and every machine the ledger knows is found by our
   * label; then the same create without the fault, or a destroy, ends with nothing unknown.
   */
  const survives = (title: string, fault: TestFault) =>
    it(title, async () => {
      const workspace = `faulty-${++serial}`
      const spec = testSpec({
        workspace,
        image: cloud.imageId,
        dns: { name: workspace, zone: "desk.example", ttl: 60 },
      })
      await cloud.addFault(fault)
      let failure: unknown = null
      try {
        await pool.run(config, { action: "apply", spec, secrets: testSecrets })
      } catch (error) {
        failure = error
      }
      if (failure) {
        assert.ok(failure instanceof InfraError)
        assert.notEqual(failure.id, "internal", failure.detail ?? "")
        assert.notEqual(failure.id, "engine-failed", failure.detail ?? "")
      }
      const alive = cloud.ledger().alive.filter(one => one.labels["foozol-workspace"] === workspace)
      const known = await machinesOf(openMachines(config), workspace)
      assert.deepEqual(
        known.map(one => Number(one.id)),
        alive.map(one => one.id),
        "every machine that lives is found by its label",
      )
      assert.ok(alive.length <= 1, "never two machines")
      await cloud.clearFaults()
      // Whatever happened, one more run brings it to the end that was wanted.
      await pool.run(config, { action: "apply", spec, secrets: testSecrets })
      assert.equal((await machinesOf(openMachines(config), workspace)).length, 1)
      await pool.run(config, { action: "destroy", workspace })
      assert.deepEqual(cloud.ledger().alive, [])
    })

  const create = { method: "POST", path: "^/v1/servers$" } as const
  survives("429 on creating the server", {
    match: create,
    times: 2,
    fault: { kind: "status", status: 429, code: "rate_limit_exceeded" },
  })
  survives("503 on creating the server", {
    match: create,
    times: 1,
    fault: { kind: "status", status: 503, code: "unavailable" },
  })
  survives("500 on every look at an action", {
    match: { method: "GET", path: "^/v1/actions" },
    times: 3,
    fault: { kind: "status", status: 500, code: "server_error" },
  })
  survives("the answer to creating the server is lost after it was made", {
    match: create,
    times: 1,
    fault: { kind: "drop_after" },
  })
  survives("the connection breaks before the server is made", {
    match: create,
    times: 1,
    fault: { kind: "drop_before" },
  })
  survives("the answer to creating the firewall is lost", {
    match: { method: "POST", path: "^/v1/firewalls$" },
    times: 1,
    fault: { kind: "drop_after" },
  })
  survives("the answer to creating an address is lost", {
    match: { method: "POST", path: "^/v1/primary_ips$" },
    times: 1,
    fault: { kind: "drop_after" },
  })
  survives("the action that makes the server fails", { match: create, times: 1, fault: { kind: "fail_action" } })
  survives("answers take their time", { match: { path: "^/v1/" }, times: 50, fault: { kind: "delay", ms: 50 } })

  it("a provider that hangs is given up on when the caller says so, and nothing is forgotten", async () => {
    const workspace = "hanging"
    const spec = testSpec({ workspace, image: cloud.imageId, dns: { name: workspace, zone: "desk.example", ttl: 60 } })
    await cloud.addFault({ match: create, times: 1, fault: { kind: "hang" } })
    const abort = new AbortController()
    const running = pool.run(
      config,
      { action: "apply", spec, secrets: testSecrets },
      {
        signal: abort.signal,
        // The firewall and the addresses are there; the server is the one that hangs.
        onEvent: event =>
          event.type === "resource" && event.name === "machine" && event.state === "begun" && abort.abort(),
      },
    )
    await assert.rejects(running, { id: "cancelled" })
    await cloud.clearFaults()
    await pool.run(config, { action: "destroy", workspace })
    assert.deepEqual(cloud.ledger().alive, [])
  })

  it("a run that was held up ends the stack under the hands of the next: both have done what they were for", async () => {
    const workspace = "held-up"
    const spec = testSpec({ workspace, image: cloud.imageId, dns: { name: workspace, zone: "desk.example", ttl: 60 } })
    await pool.run(config, { action: "apply", spec, secrets: testSecrets })
    // The one before comes to its end after this one has looked, and before its engine has.
    const overtaken = join(test.path, "overtaken")
    const { pulumi } = config
    const script = `#!/bin/sh\n[ "$1" = destroy ] && "${pulumi}" "$@" > /dev/null && echo over >> "${overtaken}.said"\nexec "${pulumi}" "$@"\n`
    writeFileSync(overtaken, script, { mode: 0o700 })
    const late = { ...config, pulumi: overtaken }
    assert.deepEqual(await pool.run(late, { action: "destroy", workspace }), { changes: {}, outputs: {} })
    assert.equal(readFileSync(`${overtaken}.said`, "utf8"), "over\n")
    assert.deepEqual(cloud.ledger().alive, [])
  })

  it("a request that is never answered ends a run that says nothing any more; the next one goes on", async () => {
    const workspace = "forgotten"
    const spec = testSpec({ workspace, image: cloud.imageId, dns: { name: workspace, zone: "desk.example", ttl: 60 } })
    await cloud.addFault({ match: create, times: 1, fault: { kind: "hang" } })
    const apply = { action: "apply" as const, spec, secrets: testSecrets }
    const impatient = createEnginePool({ size: 1, silenceMs: 20_000 })
    try {
      await assert.rejects(impatient.run(config, apply), { id: "provider-silent", next: "retry" })
    } finally {
      await impatient.close()
    }
    await cloud.clearFaults()
    await pool.run(config, apply)
    assert.equal((await machinesOf(openMachines(config), workspace)).length, 1)
    await pool.run(config, { action: "destroy", workspace })
    assert.deepEqual(cloud.ledger().alive, [])
  })
})
