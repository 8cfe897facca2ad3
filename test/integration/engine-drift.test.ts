import assert from "node:assert/strict"
import { readdir, readFile, rm, writeFile } from "node:fs/promises"
import { hostname } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Accepted, AcceptedChange } from "../../infra/accepted.ts"
import type { CloudConfig } from "../../infra/cloud-config.ts"
import type { Difference } from "../../infra/drift/difference.ts"
import type { Drift } from "../../infra/drift/look.ts"
import type { Power } from "../../infra/drift/machine.ts"
import type { Repaired } from "../../infra/drift/repair.ts"
import type { RunResult } from "../../infra/engine.ts"
import type { EnginePool } from "../../infra/engine-pool.ts"
import type { WorkspaceSpec } from "../../infra/workspace-spec.ts"
import { byHand, type Hand } from "../support/by-hand.ts"
import type { TestCloud } from "../support/local-cloud.ts"
import { startTestEngine, type TestEngine } from "../support/test-engine.ts"
import { testSecrets as secrets, testSpec } from "../support/workspace.ts"

const NAME = "blue-otter"

describe("engine: what somebody has changed at the provider by hand", () => {
  let test: TestEngine
  let cloud: TestCloud
  let pool: EnginePool
  let config: CloudConfig
  let hand: Hand
  let wanted: Partial<WorkspaceSpec> = {}

  const spec = (given: Partial<WorkspaceSpec> = {}) => testSpec({ image: cloud.imageId, ...wanted, ...given })
  const apply = (given: Partial<WorkspaceSpec> = {}) =>
    pool.run<RunResult>(config, { action: "apply", spec: spec(given), secrets })
  const repair = () => pool.run<Repaired>(config, { action: "repair", spec: spec(), secrets })
  const look = async (power: Power | null = "on") =>
    (await pool.run<Drift>(config, { action: "drift", workspace: NAME, power })).differences
  const words = (found: Difference[]) => found.map(one => `${one.id} [${one.mends}] ${one.words}`)
  const state = () =>
    readFile(join(fileURLToPath(config.backendUrl), ".pulumi", "stacks", "foozol-cloud", `${NAME}.json`), "utf8")

  before(async () => {
    test = await startTestEngine()
    ;({ cloud, pool, config } = test)
    await apply()
    // Another workspace, that nothing may happen to.
    await apply({ workspace: "red-fox", dns: { name: "red-fox", zone: "desk.example", ttl: 60 } })
    hand = byHand(cloud, NAME)
  })
  after(() => test?.close())

  it("nothing: a look finds nothing, asks twelve questions, writes nothing and needs no lock", async () => {
    const before = await state()
    const asked = await cloud.requests()
    const from = performance.now()
    assert.deepEqual(await look(), [])
    const seconds = (performance.now() - from) / 1000
    const now = await cloud.requests()
    const changed = Object.keys(now).filter(route => now[route] !== asked[route])
    assert.ok(
      changed.every(route => route.startsWith("GET ")),
      changed.join(),
    )
    const count = changed.reduce((sum, route) => sum + (now[route] ?? 0) - (asked[route] ?? 0), 0)
    assert.equal(count, 12, `${count} requests, ${seconds.toFixed(1)} s`)
    assert.equal(await state(), before)
  })

  it("a stack that somebody holds is looked at all the same, and nobody is waited for", async () => {
    const locks = join(fileURLToPath(config.backendUrl), ".pulumi", "locks", "organization", "foozol-cloud", NAME)
    const lock = { pid: process.pid, hostname: hostname(), timestamp: new Date().toISOString() }
    await writeFile(join(locks, "a-run-that-lives.json"), JSON.stringify(lock))
    try {
      assert.deepEqual(await look(), [])
      assert.deepEqual(await readdir(locks), ["a-run-that-lives.json"])
    } finally {
      await rm(join(locks, "a-run-that-lives.json"))
    }
  })

  it("a look that gives way ends when somebody needs the engine, and stands behind them in the queue", async () => {
    const drift = { action: "drift", workspace: NAME, power: "on" } as const
    const begun = Promise.withResolvers<void>()
    const first = pool.run(config, drift, { yields: true, onEvent: () => begun.resolve() })
    const ended = assert.rejects(first, { id: "engine-wanted" })
    await begun.promise
    const order: string[] = []
    const second = pool.run(config, drift, { yields: true }).then(() => order.push("look"))
    const person = pool.run(config, { action: "names" }).then(() => order.push("person"))
    await Promise.all([ended, second, person])
    assert.deepEqual(order, ["person", "look"])
  })

  it("rules, labels, records and protection, in words; all of it repaired, and nothing of others touched", async () => {
    const others = await hand.others()
    await hand.addRule("22")
    await hand.point("A", "203.0.113.7")
    await hand.ttl("AAAA", 600)
    await hand.protect(false)
    await hand.label({ team: "blue" }, ["foozol-owner"])
    await hand.renameAddress("ipv4", "mine")
    const found = words(await look())
    const { ipv4 } = await hand.addresses()
    assert.deepEqual(found, [
      "firewall.rules.in-tcp-22-0.0.0.0-0-0 [repair] A firewall rule was added by hand: TCP 22 from 0.0.0.0/0, ::/0 (ssh).",
      `ipv4.name [repair] The IPv4 address (${ipv4}) was renamed by hand to "mine".`,
      "machine.protection [repair] Delete protection of the machine was lifted by hand.",
      "machine.labels.foozol-owner [repair] The label foozol-owner=gh-1001 of the machine was taken away by hand.",
      "machine.labels.team [repair] A label was added to the machine by hand: team=blue.",
      `record-A.records [repair] The DNS record for IPv4 points to 203.0.113.7 instead of ${ipv4}.`,
      "record-AAAA.ttl [repair] The DNS record for IPv6 may be kept for 600 s instead of 60 s.",
    ])
    const before = await hand.machine()
    await repair()
    assert.deepEqual(await look(), [])
    assert.equal((await hand.machine()).id, before.id)
    assert.deepEqual(await hand.others(), others)
  })

  it("what a refresh has read into the state is no less a difference", async () => {
    await hand.addRule("5900")
    await pool.run(config, { action: "refresh", workspace: NAME })
    assert.equal((await look()).length, 1)
    await repair()
    assert.deepEqual(await look(), [])
  })

  it("records, the firewall and an unused address that are gone are made again", async () => {
    await hand.removeRecord("AAAA")
    await hand.removeFirewall()
    const found = words(await look())
    assert.match(found[0] as string, /^firewall.there \[repair\] The firewall was deleted by hand: everything/)
    assert.match(found.at(-1) as string, /^record-AAAA.there \[repair\] The DNS record for IPv6 was deleted by hand\.$/)
    assert.equal(found.length, 2, found.join("\n"))
    await repair()
    assert.deepEqual(await look(), [])
  })

  it("a machine that is off or on, and its type, which is left alone while it is on", async () => {
    await hand.powerOff()
    // As at Hetzner it is on afterwards.
    await hand.changeType("cx33")
    await hand.powerOff()
    assert.deepEqual(words(await look("on")), [
      "machine.power [repair] The machine is off though the workspace runs: it was switched off by hand, or from inside.",
      "machine.size [repair] The machine is of type cx33, not cx23.",
    ])
    await hand.powerOn()
    assert.deepEqual(words(await look("off")), [
      "machine.power [repair] The machine is on though the workspace is stopped: it was switched on by hand.",
      "machine.size [operator] The machine is of type cx33, not cx23.",
    ])
    await hand.addRule("22")
    await repair()
    assert.deepEqual(
      (await look()).map(one => one.id),
      ["machine.size"],
    )
    assert.equal((await hand.machine()).status, "running")
    await hand.powerOff()
    await repair()
    assert.deepEqual(await look("on"), [])
  })

  it("the provider's own backups are neither switched off nor on, since that deletes them", async () => {
    await hand.backups(true)
    const [found] = await look()
    assert.deepEqual([found?.id, found?.mends], ["machine.backups", "operator"])
    await hand.addRule("22")
    await repair()
    assert.deepEqual(
      (await look()).map(one => one.id),
      ["machine.backups"],
    )
    await hand.backups(false)
  })

  it("what is accepted is declared from then on: no run takes it back, and no look tells of it", async () => {
    await hand.addRule("22")
    await hand.removeRecord("AAAA")
    await hand.ttl("A", 3600)
    await hand.protect(false)
    const found = await look()
    assert.equal(found.length, 4)
    const accepted: Accepted[] = found.map(({ id, accept, words }) => ({
      ...{ id, words, change: accept as AcceptedChange, reason: "on purpose", by: "root", at: 1 },
    }))
    await pool.run(config, { action: "accept", workspace: NAME, accepted })
    const drift = await pool.run<Drift>(config, { action: "drift", workspace: NAME, power: "on" })
    assert.deepEqual(drift, { differences: [], accepted })
    wanted = { accepted }
    // A new epoch changes the machine, asleep and awake it is another one.
    await apply({ epoch: 5 })
    assert.deepEqual(await look(), [])
    await hand.protect(false)
    await apply({ epoch: 6, asleep: true })
    await apply({ epoch: 7 })
    assert.deepEqual(await look(), [])
    // Another change of the same kind is one again.
    await hand.addRule("5900")
    assert.deepEqual(
      (await look()).map(one => one.words.slice(0, 50)),
      ["A firewall rule was added by hand: TCP 5900 from 0"],
    )
    await repair()
    assert.deepEqual(await look(), [])
    assert.deepEqual((await hand.rules()).sort(), ["22", "443"])

    wanted = {}
    await pool.run(config, { action: "accept", workspace: NAME, accepted: [] })
    assert.equal((await look()).length, 4)
    await repair()
    assert.deepEqual(await look(), [])
  })

  it("a machine that was deleted needs a restore: a repair makes no empty one in its place", async () => {
    await hand.addRule("22")
    await hand.removeMachine()
    assert.deepEqual(words(await look()), [
      "firewall.rules.in-tcp-22-0.0.0.0-0-0 [repair] A firewall rule was added by hand: TCP 22 from 0.0.0.0/0, ::/0 (ssh).",
      "machine.there [restore] The machine was deleted by hand, and its disk with it.",
    ])
    for (let twice = 0; twice < 2; twice++) assert.equal((await repair()).isMachineLost, true)
    assert.deepEqual(
      (await look()).map(one => one.id),
      ["machine.there"],
    )
    assert.equal(cloud.ledger().alive.length, 1)
  })

  it("what carries the label beside is left to a person; in the place of what is gone it is taken in", async () => {
    const labels = { "managed-by": "foozol-cloud", "foozol-workspace": NAME }
    const other = await hand.makeMachine("stray", labels)
    const [taken] = await look()
    assert.deepEqual([taken?.id, taken?.mends], [`machine.other.${other}`, "repair"])
    await apply({ asleep: true })
    const again = await hand.makeMachine("stray", labels)
    const [left] = (await look("off")).filter(one => one.resource === "machine")
    assert.deepEqual([left?.id, left?.mends], [`machine.other.${again}`, "operator"])
    await pool.run(config, { action: "repair", spec: spec({ asleep: true }), secrets })
    assert.equal((await hand.machine()).id, again)
  })
})
