import assert from "node:assert/strict"
import fc from "fast-check"
import type { Adoptions, Untouched } from "../../../infra/programs/contract.ts"
import { scalewayProgram } from "../../../infra/programs/scaleway.ts"
import type { WorkspaceSpec } from "../../../infra/workspace-spec.ts"
import { type Registered, runMocked, SECRET } from "../../support/mocked-program.ts"
import { SOME_IMAGE, scalewaySpec } from "../../support/scaleway-spec.ts"
import { testSecrets } from "../../support/workspace.ts"

const SIX = "2001:bc8:710:1:dc00:1ff:fe27:16c9"
const STATES = {
  "scaleway:instance/ip:Ip": { address: "203.0.113.9" },
  "scaleway:instance/server:Server": {
    publicIps: [
      { family: "inet", address: "203.0.113.9" },
      { family: "inet6", address: SIX },
    ],
  },
}

const run = (spec: WorkspaceSpec, adopt: Adoptions = {}, untouched: Untouched = {}) =>
  runMocked(scalewayProgram(spec, testSecrets, adopt, untouched), STATES)

const named = (resources: Registered[], name: string) => {
  const found = resources.filter(one => one.name === name)
  assert.equal(found.length, 1, name)
  return found[0] as Registered
}

const TAGS = ["managed-by=foozol-cloud", "foozol-workspace=blue-otter", "foozol-owner=gh-1001"]

describe("program of Scaleway", () => {
  it("declares exactly this", async () => {
    const { resources, outputs } = await run(scalewaySpec())
    const graph = Object.fromEntries(
      resources
        .filter(({ type }) => type.startsWith("scaleway:"))
        .map(({ type, name, inputs }) => [`${type.split(":")[2]} ${name}`, inputs]),
    )
    const rule = (ipRange: string) => ({ action: "accept", protocol: "TCP", port: 443, ipRange })
    const record = { dnsZone: "desk.example", name: "blue-otter", ttl: 60 }
    assert.deepEqual(graph, {
      "SecurityGroup firewall": {
        ...{ name: "foozol-blue-otter", zone: "fr-par-1", tags: TAGS, stateful: true, enableDefaultSecurity: true },
        description: "foozol-cloud: HTTPS into blue-otter",
        ...{ inboundDefaultPolicy: "drop", outboundDefaultPolicy: "accept" },
        inboundRules: [rule("0.0.0.0/0"), rule("::/0")],
      },
      "Ip ipv4": { zone: "fr-par-1", type: "routed_ipv4", tags: TAGS },
      "Ip ipv6": { zone: "fr-par-1", type: "routed_ipv6", tags: TAGS },
      "Server machine": {
        ...{ name: "foozol-blue-otter", zone: "fr-par-1", type: "PRO2-XS", image: SOME_IMAGE },
        tags: [...TAGS, "foozol-epoch=1"],
        rootVolume: {
          ...{ name: "foozol-blue-otter", volumeType: "sbs_volume", sizeInGb: 64, deleteOnTermination: true },
        },
        ...{ securityGroupId: "firewall-id", ipIds: ["ipv4-id", "ipv6-id"], enableDynamicIp: false },
        ...{ userData: SECRET, bootType: "local", state: "started", protected: true },
      },
      "Record record-A": { ...record, type: "A", data: "203.0.113.9" },
      "Record record-AAAA": { ...record, type: "AAAA", data: SIX },
    })
    assert.equal(outputs.machineId, "machine-id")
    assert.equal(outputs.hostname, "blue-otter.desk.example")
    assert.deepEqual([outputs.ipv4, outputs.ipv6], ["203.0.113.9", SIX])
  })

  it("opens the door before there is a machine, and names it when its addresses are known", async () => {
    const { resources } = await run(scalewaySpec())
    assert.deepEqual(named(resources, "machine").after.toSorted(), [
      "scaleway:instance/ip:Ip::ipv4",
      "scaleway:instance/ip:Ip::ipv6",
      "scaleway:instance/securityGroup:SecurityGroup::firewall",
    ])
    assert.deepEqual(named(resources, "record-A").after, ["scaleway:instance/ip:Ip::ipv4"])
    assert.deepEqual(named(resources, "record-AAAA").after, ["scaleway:instance/server:Server::machine"])
  })

  it("power is the program's where the spec says it, else the API's", async () => {
    const machine = async (given: Partial<WorkspaceSpec>) =>
      named((await run(scalewaySpec(given))).resources, "machine")
    const off = await machine({ power: "off" })
    assert.equal(off.inputs.state, "stopped")
    assert.ok(!off.ignoreChanges.includes("state"))
    assert.equal((await machine({ power: "on" })).inputs.state, "started")
    assert.ok((await machine({})).ignoreChanges.includes("state"))
  })

  it("a machine that is put away, or lost, is not made; all else stays but the address that it had out of its network", async () => {
    const all = (await run(scalewaySpec())).resources.map(({ name }) => name)
    for (const { resources, outputs } of [
      await run(scalewaySpec({ asleep: true })),
      await run(scalewaySpec(), {}, { isMachineLost: true }),
    ]) {
      assert.deepEqual(
        resources.map(({ name }) => name),
        all.filter(name => name !== "machine" && name !== "record-AAAA"),
      )
      assert.deepEqual([outputs.machineId, outputs.ipv6], [null, null])
    }
  })

  it("takes in what an earlier run has made", async () => {
    const ids = { machine: `fr-par-1/${SOME_IMAGE}`, ipv4: "fr-par-1/ip", "record-A": "desk.example/record" }
    const { resources } = await run(scalewaySpec(), ids)
    for (const { name, imports, ignoreChanges } of resources) {
      assert.equal(imports, ids[name as keyof typeof ids] ?? "", name)
      if (imports) assert.deepEqual(ignoreChanges, ["*"])
    }
  })

  it("changes neither image, disk, place, addresses nor settings of a machine in passing", async () => {
    const { resources } = await run(scalewaySpec(), {}, { leave: ["type"] })
    assert.deepEqual(named(resources, "machine").ignoreChanges.toSorted(), [
      ...["image", "ipIds", "rootVolume", "state", "type", "userData", "zone"],
    ])
  })

  it("a rule that operators have accepted is declared as Scaleway has it", async () => {
    const accepted = (port: string | null, protocol: string) => ({
      ...{ id: `rule-${port}`, words: "", reason: "", by: "ada", at: 1 },
      change: {
        ...{ what: "rule" as const, there: true },
        rule: {
          ...{ direction: "in" as const, protocol, port, description: "" },
          ...{ sourceIps: ["10.0.0.0/8"], destinationIps: [] },
        },
      },
    })
    const spec = scalewaySpec({ accepted: [accepted("60000-60010", "udp"), accepted(null, "icmp")] })
    const { inboundRules } = named((await run(spec)).resources, "firewall").inputs
    assert.deepEqual((inboundRules as object[]).slice(2), [
      { action: "accept", protocol: "UDP", ipRange: "10.0.0.0/8", portRange: "60000-60010" },
      { action: "accept", protocol: "ICMP", ipRange: "10.0.0.0/8" },
    ])
  })
})

describe("program of Scaleway, whatever the spec", () => {
  const word = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/)
  const specs = fc
    .record({
      workspace: word,
      owner: fc.stringMatching(/^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,18}[A-Za-z0-9])?$/),
      epoch: fc.nat(),
      profile: fc.constantFrom("desktop" as const, "browser" as const, "repo" as const),
      region: fc.constantFrom("fr-par-1", "fr-par-2", "nl-ams-1", "pl-waw-3"),
      size: fc.stringMatching(/^[A-Z][A-Z0-9]{2,6}(-[A-Z0-9]{1,4}){1,2}$/),
      image: fc.uuid({ version: 4 }),
      label: word.map(text => `w-${text}`.slice(0, 40).replace(/-$/, "x")),
      ttl: fc.integer({ min: 60, max: 86_400 }),
      deleteProtection: fc.boolean(),
      diskGb: fc.integer({ min: 10, max: 10_000 }),
      power: fc.constantFrom("on" as const, "off" as const, undefined),
    })
    .map(({ label, ttl, power, ...given }) =>
      scalewaySpec({ ...given, ...(power ? { power } : {}), dns: { name: label, zone: "desk.example", ttl } }),
    )

  it("makes one machine behind one group that lets in 443 and nothing else, with addresses of its own, and no key on it", async () => {
    await fc.assert(
      fc.asyncProperty(specs, async spec => {
        const { resources } = await run(spec)
        const of = (part: string) => resources.filter(({ type }) => type.endsWith(`:${part}`))
        const [machine, ...others] = of("Server")
        const [group, ...groups] = of("SecurityGroup")
        assert.ok(machine && group && others.length === 0 && groups.length === 0)
        assert.equal(group.inputs.inboundDefaultPolicy, "drop")
        assert.deepEqual(
          group.inputs.inboundRules,
          ["0.0.0.0/0", "::/0"].map(ipRange => ({ action: "accept", protocol: "TCP", port: 443, ipRange })),
        )
        assert.equal(machine.inputs.securityGroupId, "firewall-id")
        assert.deepEqual(
          of("Ip").map(({ inputs }) => inputs.type),
          ["routed_ipv4", "routed_ipv6"],
        )
        assert.equal(machine.inputs.enableDynamicIp, false)
        assert.equal(machine.inputs.protected, spec.deleteProtection)
        assert.equal(machine.inputs.type, spec.size)
        assert.equal((machine.inputs.rootVolume as { sizeInGb: number }).sizeInGb, spec.diskGb)
        assert.equal(machine.inputs.userData, SECRET)
        assert.ok(!JSON.stringify(resources).includes(testSecrets.workspaceKey))
        for (const { type, inputs } of resources.filter(one => one.type.startsWith("scaleway:instance"))) {
          assert.equal(inputs.zone, spec.region, type)
          for (const tag of inputs.tags as string[]) assert.match(tag, /^[a-z-]+=[A-Za-z0-9_.-]{1,63}$/)
          assert.ok((inputs.tags as string[]).includes(`foozol-workspace=${spec.workspace}`))
        }
      }),
      { numRuns: 30 },
    )
  })
})
