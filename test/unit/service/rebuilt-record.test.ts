import assert from "node:assert/strict"
import type { Machine, Size } from "../../../infra/machines/contract.ts"
import type { SnapshotFacts } from "../../../infra/machines/snapshots.ts"
import { type Remains, rebuiltRecord } from "../../../service/sweeps/rebuilt-record.ts"
import { testSpec } from "../../support/workspace.ts"

const NOW = Date.parse("2026-03-04T05:06:07Z")
const price = { currency: "EUR", hourly: 0.01, monthly: 5 }
const size: Size = {
  ...{ name: "cx33", cores: 4, memoryGb: 8, diskGb: 80, architecture: "x86", orderable: true },
  regions: { fsn1: { price, available: true } },
}
const machine = {
  ...{ id: "7", state: "running", ipv4: "192.0.2.1", labels: { "foozol-epoch": "9" } },
  createdAt: new Date(NOW - 1000),
} as unknown as Machine
const snapshot = (given: Partial<SnapshotFacts>) =>
  ({ id: "12", kind: "sleep", createdAt: NOW - 500, available: true, madeOf: null, ...given }) as SnapshotFacts
const sleep = snapshot({})
const remains = (given: Partial<Remains> = {}): Remains => ({
  stack: { spec: testSpec({ size: "cx33", epoch: 4 }), isUnfinished: false },
  ...{ machine: null, snapshots: [], carriedBy: new Set(), sizes: [size], golden: null },
  ...given,
})

describe("the record of a workspace out of what is left of it", () => {
  it("runs where its machine does", () => {
    const found = rebuiltRecord(remains({ machine }), NOW)
    assert.deepEqual([found?.state, found?.machineId, found?.ipv4], ["RUNNING", "7", "192.0.2.1"])
    assert.deepEqual([found?.info.sizeClass, found?.info.price, found?.info.createdAt], ["medium", price, NOW - 1000])
  })
  it("has an epoch above all that were ever given", () => {
    const early = 1_000
    assert.equal(rebuiltRecord(remains({ machine }), early)?.epoch, 10)
    assert.equal(rebuiltRecord(remains(), early)?.epoch, 5)
    // Operations raise it twice; what the spec says is that of the last change of resources.
    assert.ok((rebuiltRecord(remains({ machine }), NOW)?.epoch ?? 0) > 1_000_000)
  })
  it("is stopped where its machine is off, or put away", () => {
    const off = rebuiltRecord(remains({ machine: { ...machine, state: "off" }, snapshots: [sleep] }), NOW)
    assert.deepEqual([off?.state, off?.stopMode, off?.snapshot], ["STOPPED", "power-off", null])
    const away = rebuiltRecord(remains({ snapshots: [snapshot({ kind: "backup" }), sleep] }), NOW)
    assert.deepEqual([away?.state, away?.stopMode, away?.snapshot], ["STOPPED", "hibernate", "12"])
  })
  it("says so where there is neither", () => {
    const found = rebuiltRecord(remains(), NOW)
    assert.deepEqual([found?.state, found?.failure?.id], ["FAILED", "machine-missing"])
  })
  it("is of the golden image, not of the snapshot it was made from", () => {
    const madeOf = snapshot({ kind: "backup", madeOf: "77" })
    assert.equal(rebuiltRecord(remains({ machine, snapshots: [madeOf], golden: 88 }), NOW)?.info.image, 77)
    assert.equal(rebuiltRecord(remains({ machine, golden: 88 }), NOW)?.info.image, 88)
    assert.equal(rebuiltRecord(remains({ machine }), NOW)?.info.image, 1)
  })
  it("does not take a machine for whole whose data is on its way", () => {
    const [carriedBy, safety] = [new Set(["op-1"]), snapshot({ kind: "safety", operation: "op-1" })]
    const found = rebuiltRecord(remains({ machine, carriedBy, snapshots: [safety] }), NOW)
    assert.deepEqual([found?.state, found?.failure?.id, found?.machineId], ["FAILED", "upgrade-interrupted", "7"])
    // Its disk is replaced after that snapshot only.
    assert.equal(rebuiltRecord(remains({ machine, carriedBy }), NOW)?.state, "RUNNING")
    const other = snapshot({ kind: "safety", operation: "op-0" })
    assert.equal(rebuiltRecord(remains({ machine, carriedBy, snapshots: [other] }), NOW)?.state, "RUNNING")
  })
  it("sleeps in the snapshot for safety where its machine was put away to be replaced", () => {
    const stack = { ...remains().stack, spec: testSpec({ asleep: true }), machineId: null }
    const safety = snapshot({ kind: "safety" })
    const found = rebuiltRecord(remains({ stack, snapshots: [safety] }), NOW)
    assert.deepEqual([found?.state, found?.snapshot], ["STOPPED", "12"])
    // What had a machine a moment ago may have newer data than that.
    assert.equal(rebuiltRecord(remains({ snapshots: [safety] }), NOW)?.state, "FAILED")
  })
  it("says that its creation was cut off where no run ever ended", () => {
    const stack = { ...remains().stack, machineId: null, isUnfinished: true }
    assert.equal(rebuiltRecord(remains({ stack, machine }), NOW)?.failure?.id, "creation-interrupted")
  })
  it("does without prices of a type that is sold no more", () => {
    const { info } = rebuiltRecord(remains({ machine, sizes: [] }), NOW) ?? {}
    assert.deepEqual([info?.price, info?.sizeClass, info?.size], [null, "small", "cx33"])
  })
  it("is a spare machine's only while no label says whose it is, and then it is given to nobody", () => {
    const stack = { ...remains().stack, spec: testSpec({ owner: "warm-pool", size: "cx33" }) }
    const labelled = (owner: string) => ({ ...machine, labels: { ...machine.labels, "foozol-owner": owner } })
    const found = rebuiltRecord(remains({ stack, machine: labelled("warm-pool") }), NOW)
    assert.deepEqual([found?.info.owner, found?.state, found?.failure?.id], ["warm-pool", "FAILED", "spare-unknown"])
    // The stack is older than what its owner has done since.
    const taken = rebuiltRecord(remains({ stack, machine: labelled("42") }), NOW)
    assert.deepEqual([taken?.info.owner, taken?.state], ["42", "RUNNING"])
    const asleep = rebuiltRecord(remains({ stack, snapshots: [snapshot({ owner: "42" })] }), NOW)
    assert.deepEqual([asleep?.info.owner, asleep?.state], ["42", "STOPPED"])
    const other = { ...remains().stack, spec: testSpec({ owner: "7" }) }
    assert.equal(rebuiltRecord(remains({ stack: other, machine: labelled("42") }), NOW)?.info.owner, "7")
  })
  it("is none for a profile that this service does not know", () => {
    const stack = { workspace: "a", spec: testSpec({ profile: "repo" }), machineId: null, isUnfinished: false }
    assert.equal(rebuiltRecord(remains({ stack }), NOW), null)
  })
})
