import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { Resolver } from "node:dns/promises"
import { readdir } from "node:fs/promises"
import { connect } from "node:net"
import { join } from "node:path"
import { type CloudConfig, openMachines } from "../../infra/cloud-config.ts"
import type { RunResult } from "../../infra/engine.ts"
import { createEnginePool, type EnginePool } from "../../infra/engine-pool.ts"
import type { Machines } from "../../infra/machines/contract.ts"
import { userData } from "../../infra/user-data.ts"
import { hostPort } from "../../local-cloud/machines/qemu/forwards.ts"
import { findQemu } from "../../local-cloud/machines/qemu/processes.ts"
import { createNames } from "../../local-cloud/names.ts"
import { startDns } from "../../local-cloud/network/dns.ts"
import { startTestCloud, type TestCloud } from "../support/local-cloud.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import type { MachineState } from "../support/test-machine.ts"
import { waitUntil } from "../support/wait-until.ts"
import { TEST_ZONE, testEngineConfig, testSecrets, testSpec } from "../support/workspace.ts"

/** The production program, engine and plugin, and a real machine: one workspace from its creation to its end. */
describe("a workspace on a real machine", () => {
  let scratch: Awaited<ReturnType<typeof temporaryDirectory>>
  let cloud: TestCloud
  let pool: EnginePool
  let config: CloudConfig
  let machines: Machines
  let ipv4: string
  let machineId: string
  let firstBoot: MachineState

  const spec = (given: Parameters<typeof testSpec>[0] = {}) =>
    testSpec({ image: cloud.imageId, size: "cx23", ...given })
  const apply = (given: Parameters<typeof testSpec>[0] = {}) =>
    pool.run<RunResult>(config, { action: "apply", spec: spec(given), secrets: testSecrets })
  const state = () =>
    waitUntil("the machine answers at port 443", async () => {
      const url = `http://${ipv4}:${hostPort(443)}/state.json`
      const answer = await fetch(url, { signal: AbortSignal.timeout(5_000), headers: { connection: "close" } })
      return (await answer.json()) as MachineState
    })
  const connects = (port: number) =>
    new Promise<boolean>(resolve => {
      const socket = connect(hostPort(port), ipv4)
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false))
      socket.once("close", () => socket.destroy())
    })
  const processes = () => [...findQemu()].filter(([path]) => path.startsWith(cloud.directory))

  before(async () => {
    scratch = await temporaryDirectory("fc-")
    cloud = await startTestCloud({ machines: "qemu" })
    config = testEngineConfig(scratch.path, cloud)
    pool = createEnginePool({ size: 1 })
    machines = openMachines(config)
  })
  after(async () => {
    await pool?.close()
    await cloud?.close()
    await scratch?.remove()
  })

  it("boots and answers at its open port", async () => {
    const { changes, outputs } = await apply()
    assert.equal(changes.create, 8)
    ipv4 = String(outputs.ipv4)
    machineId = String(outputs.machineId)
    firstBoot = await state()
    assert.equal(firstBoot.boots, 1)
    assert.equal(firstBoot.userDataSha256, createHash("sha256").update(userData(spec(), testSecrets)).digest("hex"))
  })

  it("cannot be reached at the ports behind which it listens too", async () => {
    assert.equal(await connects(443), true)
    assert.equal(await connects(6080), false)
    assert.equal(await connects(5900), false)
  })

  it("has its name in the DNS", async () => {
    const dns = await startDns({ port: 0, ...createNames(cloud.cloud.context.store) })
    try {
      const resolver = new Resolver()
      resolver.setServers([`127.0.0.1:${dns.port}`])
      assert.deepEqual(await resolver.resolve4(`blue-otter.${TEST_ZONE}`), [ipv4])
      assert.equal((await resolver.resolve6(`blue-otter.${TEST_ZONE}`)).length, 1)
    } finally {
      await dns.close()
    }
  })

  it("is the same after a refresh", async () => {
    const { changes } = await pool.run<RunResult>(config, { action: "refresh", workspace: "blue-otter" })
    assert.equal(changes.update, undefined)
    assert.equal(changes.delete, undefined)
  })

  it("takes a change without being touched", async () => {
    assert.equal((await apply({ epoch: 2 })).changes.update, 1)
    assert.equal((await state()).bootId, firstBoot.bootId)
  })

  it("is found again by a local cloud that was restarted, and goes on running meanwhile", async () => {
    await cloud.restart()
    const machine = await machines.get(machineId)
    assert.equal(machine?.state, "running")
    assert.equal((await state()).bootId, firstBoot.bootId)
    // Ports and all: the second start rules them as the first did.
    assert.equal(await connects(6080), false)
  })

  it("shuts down when asked and wakes with its disk", async () => {
    const { forced } = await machines.shutDown(machineId)
    assert.equal(forced, false)
    assert.equal((await machines.get(machineId))?.state, "off")
    assert.equal(await connects(443), false)
    await machines.powerOn(machineId)
    const woken = await state()
    assert.equal(woken.boots, 2)
    assert.notEqual(woken.bootId, firstBoot.bootId)
  })

  it("leaves a snapshot from which another workspace starts", async () => {
    const labels = { "foozol-workspace": "blue-otter" }
    const snapshot = await machines.createSnapshot(machineId, { description: "daily", labels })
    assert.equal(snapshot.state, "available")
    assert.ok((snapshot.bytes ?? 0) > 0)
    assert.deepEqual(
      (await machines.listSnapshots(labels)).map(one => one.id),
      [snapshot.id],
    )
    const workspace = "red-otter"
    const dns = { name: workspace, zone: TEST_ZONE, ttl: 60 }
    const { outputs } = await apply({ workspace, dns, image: Number(snapshot.id) })
    const first = ipv4
    ipv4 = String(outputs.ipv4)
    assert.notEqual(ipv4, first)
    assert.equal((await state()).boots, 3, "its disk is the first one's after two boots")
    await pool.run(config, { action: "destroy", workspace })
    ipv4 = first
    await machines.removeSnapshot(snapshot.id)
  })

  it("is destroyed, and nothing of it is left", async () => {
    await pool.run(config, { action: "destroy", workspace: "blue-otter" })
    assert.equal(await connects(443), false)
    assert.deepEqual(cloud.ledger().alive, [])
    assert.equal(cloud.ledger().created.length, 2)
    assert.deepEqual(processes(), [])
    assert.deepEqual(await readdir(join(cloud.directory, "m", "machines")), [])
    assert.deepEqual(await pool.run(config, { action: "list" }), [])
    for (const kind of ["servers", "firewalls", "primary_ips"]) {
      assert.deepEqual((await cloud.api<Record<string, unknown[]>>("GET", `/${kind}`))[kind], [], kind)
    }
  })
})
