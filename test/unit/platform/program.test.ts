import assert from "node:assert/strict"
import { platformProgram, platformResources } from "../../../infra/platform/program.ts"
import { type PlatformSpec, parsePlatformSpec } from "../../../infra/platform/spec.ts"
import { type Registered, runMocked, SECRET } from "../../support/mocked-program.ts"

const birth = "b".repeat(43)
const given = {
  ...{ version: 1, name: "main", region: "fsn1", size: "cx23", image: 7, volumeGb: 20 },
  dns: { host: "cloud.desk.example.com", zone: "desk.example.com", makeZone: true },
  ...{ caa: ["letsencrypt.org", "pki.goog"], contact: "operator@example.com", operatorKey: "k".repeat(43) },
}
const states = {
  "hcloud:index/primaryIp:PrimaryIp": { ipAddress: "198.51.100.4", ipNetwork: "2001:db8:1::/64" },
  "hcloud:index/zone:Zone": { authoritativeNameservers: { assigneds: ["one.ns.example", "two.ns.example"] } },
}

const run = (change: Partial<PlatformSpec> & { dns?: object } = {}) =>
  runMocked(platformProgram(parsePlatformSpec({ ...given, ...change }), { birth }), states)
const brief = (resources: Registered[]) =>
  resources
    .filter(({ type }) => type.startsWith("hcloud:"))
    .map(({ type, name }) => `${type.split(":").at(-1)} ${name}`)
    .sort()

describe("platform program", () => {
  it("is this graph and nothing else", async () => {
    const { resources } = await run()
    assert.deepEqual(brief(resources), [
      "Firewall firewall",
      "PrimaryIp ipv4",
      "PrimaryIp ipv6",
      "Server server",
      "Volume volume",
      "VolumeAttachment attachment",
      "Zone zone",
      "ZoneRrset record-A",
      "ZoneRrset record-AAAA",
      "ZoneRrset record-CAA",
    ])
    const of = (name: string) => {
      const found = resources.find(one => `${one.type.split(":").at(-1)} ${one.name}` === name)
      assert.ok(found, name)
      return found
    }
    const labels = { "managed-by": "foozol-cloud", "foozol-platform": "main" }
    assert.deepEqual(of("Firewall firewall").inputs, {
      name: "foozol-main",
      labels,
      rules: [
        {
          ...{ direction: "in", protocol: "tcp", port: "443", description: "HTTPS" },
          sourceIps: ["0.0.0.0/0", "::/0"],
        },
      ],
    })
    for (const type of ["ipv4", "ipv6"]) {
      assert.deepEqual(of(`PrimaryIp ${type}`).inputs, {
        ...{ name: `foozol-main-${type}`, labels, type, location: "fsn1", assigneeType: "server" },
        ...{ autoDelete: false, deleteProtection: true },
      })
    }
    assert.deepEqual(of("Volume volume").inputs, {
      ...{ name: "foozol-main-data", labels, size: 20, location: "fsn1", format: "ext4", deleteProtection: true },
    })
    const server = of("Server server")
    assert.deepEqual(server.inputs, {
      ...{ name: "foozol-main", labels, serverType: "cx23", image: "7", location: "fsn1", keepDisk: true },
      ...{ deleteProtection: true, rebuildProtection: true, userData: SECRET },
      firewallIds: server.inputs.firewallIds,
      publicNets: server.inputs.publicNets,
    })
    const needs = (name: string) => new Set(of(name).after.map(one => one.replace(/^.*:(\w+)::/, "$1 ")))
    assert.deepEqual(
      needs("Server server"),
      new Set(["Firewall firewall", "PrimaryIp ipv4", "PrimaryIp ipv6", "Volume volume"]),
    )
    assert.deepEqual(needs("VolumeAttachment attachment"), new Set(["Volume volume", "Server server"]))
    const record = (name: string) => {
      const { inputs } = of(`ZoneRrset ${name}`)
      return [
        inputs.zone,
        inputs.name,
        inputs.type,
        inputs.ttl,
        (inputs.records as { value: string }[]).map(r => r.value),
      ]
    }
    assert.deepEqual(record("record-A"), ["desk.example.com", "cloud", "A", 300, ["198.51.100.4"]])
    assert.deepEqual(record("record-AAAA"), ["desk.example.com", "cloud", "AAAA", 300, ["2001:db8:1::1"]])
    assert.deepEqual(record("record-CAA"), [
      ...["desk.example.com", "@", "CAA", 300],
      ['0 issue "letsencrypt.org"', '0 issue "pki.goog"', '0 issuewild ";"', '0 iodef "mailto:operator@example.com"'],
    ])
    assert.ok(needs("ZoneRrset record-CAA").has("Zone zone"), "a record waits for its zone")
  })

  it("tells its addresses and where the zone is to be delegated to, and no secret", async () => {
    const { outputs } = await run()
    assert.equal(outputs.ipv4, "198.51.100.4")
    assert.equal(outputs.ipv6, "2001:db8:1::1")
    assert.deepEqual(outputs.nameServers, ["one.ns.example", "two.ns.example"])
    assert.ok(!JSON.stringify(outputs).includes(birth))
  })

  it("what is to be made at first is what it makes", async () => {
    for (const change of [{}, { caa: [] }, { dns: { ...given.dns, makeZone: false } as PlatformSpec["dns"] }]) {
      const { resources } = await run(change)
      const made = resources.filter(({ type }) => type.startsWith("hcloud:")).map(({ name }) => name)
      assert.deepEqual(platformResources(parsePlatformSpec({ ...given, ...change })).sort(), made.sort())
    }
  })

  it("leaves a zone that is there alone, and makes no CAA record where no authority is named", async () => {
    const { resources, outputs } = await run({ caa: [], dns: { ...given.dns, makeZone: false } as PlatformSpec["dns"] })
    assert.ok(!brief(resources).some(one => one.startsWith("Zone ") || one.includes("CAA")))
    assert.equal(outputs.nameServers, null)
  })

  it("has the service at the zone itself where its host is the zone", async () => {
    const { resources } = await run({ dns: { ...given.dns, host: "desk.example.com" } as PlatformSpec["dns"] })
    const names = resources.filter(({ type }) => type.endsWith("ZoneRrset")).map(({ inputs }) => inputs.name)
    assert.deepEqual(names, ["@", "@", "@"])
  })

  it("protects nothing when that is lifted, so that it can be destroyed", async () => {
    const { resources } = await run({ deleteProtection: false })
    for (const { inputs } of resources) assert.notEqual(inputs.deleteProtection, true)
  })

  it("refuses a host outside of the zone, a name that is none, and a key that is none, naming each", () => {
    const wrong = { ...given, operatorKey: "short", size: "CX 23", dns: { ...given.dns, host: "cloud.example.org" } }
    assert.throws(
      () => parsePlatformSpec(wrong),
      (error: Error) => /size/.test(error.message) && /operatorKey/.test(error.message),
    )
    assert.throws(() => parsePlatformSpec({ ...given, dns: wrong.dns }), /dns\.host: must be the zone/)
  })
})
