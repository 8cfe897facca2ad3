import assert from "node:assert/strict"
import fc from "fast-check"
import {
  diskSource,
  fromGcpLabels,
  managedZone,
  regionOfZone,
  snapshotHour,
  toGcpLabels,
} from "../../../infra/gcp-names.ts"

describe("gcp-names", () => {
  it("labels come back as they were, and keep to what Google takes", () => {
    const text = fc.string({ unit: "binary", maxLength: 5 })
    fc.assert(
      fc.property(fc.dictionary(text, text), labels => {
        const there = toGcpLabels(labels)
        for (const word of Object.entries(there).flat()) assert.match(word, /^[a-z0-9_-]{0,63}$/)
        assert.deepEqual({ ...fromGcpLabels(there) }, { ...labels })
      }),
    )
  })
  it("ours are readable as they are", () => {
    const labels = { "managed-by": "foozol-cloud", "foozol-owner": "gh-1001" }
    assert.deepEqual(toGcpLabels(labels), labels)
  })
  it("a label that would be too long is refused, not cut", () => {
    assert.throws(() => toGcpLabels({ a: "X".repeat(22) }), { id: "invalid-spec" })
    assert.equal(toGcpLabels({ a: "x".repeat(63) }).a?.length, 63)
  })
  it("tells snapshots from images, zones from regions, and what zones of DNS are called", () => {
    assert.deepEqual(diskSource("snapshot-x-1"), { snapshot: "global/snapshots/snapshot-x-1" })
    assert.deepEqual(diskSource("foozol-image-browser"), { image: "global/images/foozol-image-browser" })
    assert.equal(regionOfZone("us-central1-a"), "us-central1")
    assert.equal(managedZone("desk.example.com"), "desk-example-com")
  })
  it("daily snapshots are spread over the day", () => {
    const hours = new Set(Array.from({ length: 500 }, (_, at) => snapshotHour(`blue-otter-${at}`)))
    assert.equal(hours.size, 24)
    for (const hour of hours) assert.match(hour, /^([01]\d|2[0-3]):00$/)
  })
})
