import assert from "node:assert/strict"
import fc from "fast-check"
import { InfraError } from "../../../infra/errors.ts"
import { userData } from "../../../infra/user-data.ts"
import {
  machineLabels,
  parseWorkspaceSpec,
  RESERVED,
  resourceNames,
  workspaceLabels,
} from "../../../infra/workspace-spec.ts"
import { SOME_IMAGE } from "../../support/scaleway-spec.ts"
import { testSecrets, testSpec } from "../../support/workspace.ts"

const refused = (change: object, fragment: RegExp) =>
  assert.throws(
    () => parseWorkspaceSpec({ ...testSpec(), ...change }),
    (error: unknown) => error instanceof InfraError && error.id === "invalid-spec" && fragment.test(error.message),
  )

describe("workspace-spec/parseWorkspaceSpec", () => {
  it("takes a valid spec and fills in defaults", () => {
    const { dns, deleteProtection: _, ...rest } = testSpec()
    const spec = parseWorkspaceSpec({ ...rest, dns: { name: dns.name, zone: dns.zone } })
    assert.equal(spec.dns.ttl, 60)
    assert.equal(spec.deleteProtection, true)
  })
  it("names the field and what it must be", () => {
    refused({ workspace: "Not A Name" }, /workspace: must be 1 to 40 lower-case letters/)
    refused({ size: "" }, /size: must be a machine type/)
    refused({ image: "golden" }, /image: /)
    refused({ provider: "gcp", image: 7 }, /image: must be the name/)
    refused({ market: "spot" }, /market: is nothing that Hetzner has/)
    refused({ provider: "scaleway", image: 7 }, /image: must be the UUID/)
    refused({ provider: "scaleway", image: SOME_IMAGE, project: "two" }, /project: is nothing that Scaleway has/)
    assert.equal(testSpec({ provider: "scaleway", image: SOME_IMAGE, size: "PRO2-XS" }).size, "PRO2-XS")
    refused({ dns: { name: "a", zone: "nodots" } }, /dns\.zone: must be a domain/)
    refused({ service: "ftp://x" }, /service: must be an http or https URL/)
    refused({ provider: "aws" }, /provider: /)
    refused({ colour: "blue" }, /colour/)
  })
  it("names every wrong field at once", () => refused({ workspace: "-", size: "!" }, /workspace: .*; size: /))
  it("refuses names that would be options, paths or other hosts", () => {
    for (const workspace of ["-rf", "a/b", "a.b", "a--", "ü", "a b", "x".repeat(41), "a\nb"])
      refused({ workspace }, /workspace/)
  })
})

describe("workspace-spec/names and labels", () => {
  it("depend on the workspace alone, so that a lost answer can be looked up", () => {
    assert.deepEqual(
      resourceNames(testSpec({ epoch: 1, size: "cx23" })),
      resourceNames(testSpec({ epoch: 9, size: "cx43" })),
    )
  })
  it("keep to what Hetzner accepts for every valid spec", () => {
    const name = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/).filter(one => !RESERVED.has(one))
    fc.assert(
      fc.property(name, workspace => {
        const spec = testSpec({ workspace, dns: { name: workspace, zone: "desk.example", ttl: 60 } })
        for (const one of Object.values(resourceNames(spec))) assert.match(one, /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
        for (const value of Object.values(machineLabels(spec)))
          assert.match(value, /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/)
      }),
    )
  })
  it("carry the epoch on the machine only", () => {
    assert.equal(machineLabels(testSpec({ epoch: 7 }))["foozol-epoch"], "7")
    assert.equal(workspaceLabels(testSpec({ epoch: 7 }))["foozol-epoch"], undefined)
  })
})

describe("user-data/userData", () => {
  it("tells the machine who it is and holds no credential of the cloud", () => {
    const told = JSON.parse(userData(testSpec(), testSecrets))
    assert.deepEqual(Object.keys(told).sort(), [
      "foozol",
      "fqdn",
      "hostname",
      "profile",
      "service",
      "site",
      "workspace",
      "workspaceKey",
    ])
    assert.equal(told.fqdn, "blue-otter.desk.example")
  })
  it("stays the same when epoch, size or region change", () => {
    const before = userData(testSpec(), testSecrets)
    assert.equal(userData(testSpec({ epoch: 5, size: "cx43", region: "nbg1" }), testSecrets), before)
  })
  it("refuses what is longer than the provider takes", () => {
    assert.throws(() => userData(testSpec(), { workspaceKey: "k".repeat(40_000) }), { id: "user-data-too-long" })
  })
})
