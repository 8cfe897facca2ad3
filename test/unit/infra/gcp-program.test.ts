import assert from "node:assert/strict"
import fc from "fast-check"
import type { Adoptions, Untouched } from "../../../infra/programs/contract.ts"
import { gcpProgram } from "../../../infra/programs/gcp.ts"
import { userData } from "../../../infra/user-data.ts"
import type { WorkspaceSpec } from "../../../infra/workspace-spec.ts"
import { gcpSpec } from "../../support/gcp-spec.ts"
import { type Registered, runMocked, SECRET } from "../../support/mocked-program.ts"
import { testSecrets } from "../../support/workspace.ts"

const STATES = {
  "gcp:compute/address:Address": { address: "203.0.113.9" },
  "gcp:compute/resourcePolicy:ResourcePolicy": { selfLink: "https://google/policy" },
}

const run = (spec: WorkspaceSpec, adopt: Adoptions = {}, untouched: Untouched = {}) =>
  runMocked(gcpProgram(spec, testSecrets, adopt, untouched), STATES)

const named = (resources: Registered[], name: string) => {
  const found = resources.filter(one => one.name === name)
  assert.equal(found.length, 1, name)
  return found[0] as Registered
}

const LABELS = { "managed-by": "foozol-cloud", "foozol-workspace": "blue-otter", "foozol-owner": "gh-1001" }

describe("program of Google Cloud", () => {
  it("declares exactly this", async () => {
    const { resources, outputs } = await run(gcpSpec())
    const graph = Object.fromEntries(
      resources
        .filter(({ type }) => type.startsWith("gcp:"))
        .map(({ type, name, inputs }) => [`${type.split(":")[2]} ${name}`, inputs]),
    )
    const rule = (family: string, range: string) => ({
      name: `foozol-blue-otter-${family}`,
      description: "foozol-cloud: HTTPS into blue-otter",
      network: "foozol",
      direction: "INGRESS",
      sourceRanges: [range],
      allows: [{ protocol: "tcp", ports: ["443"] }],
      targetTags: ["foozol-blue-otter"],
    })
    const address = { region: "us-central1", labels: LABELS, addressType: "EXTERNAL", networkTier: "PREMIUM" }
    const record = { managedZone: "desk-example", name: "blue-otter.desk.example.", ttl: 60, rrdatas: ["203.0.113.9"] }
    assert.deepEqual(graph, {
      "Firewall firewall-ipv4": rule("ipv4", "0.0.0.0/0"),
      "Firewall firewall-ipv6": rule("ipv6", "::/0"),
      "Address ipv4": { ...address, name: "foozol-blue-otter-ipv4" },
      "Address ipv6": {
        ...{ ...address, name: "foozol-blue-otter-ipv6" },
        ...{ ipVersion: "IPV6", ipv6EndpointType: "VM", subnetwork: "foozol" },
      },
      "ResourcePolicy schedule": {
        ...{ name: "foozol-blue-otter", region: "us-central1" },
        description: "foozol-cloud: daily snapshots of blue-otter",
        snapshotSchedulePolicy: {
          schedule: { dailySchedule: { daysInCycle: 1, startTime: "01:00" } },
          retentionPolicy: { maxRetentionDays: 7, onSourceDiskDelete: "APPLY_RETENTION_POLICY" },
          snapshotProperties: { labels: LABELS, storageLocations: "us-central1" },
        },
      },
      "Instance machine": {
        ...{ name: "foozol-blue-otter", zone: "us-central1-a", machineType: "e2-highmem-2" },
        labels: { ...LABELS, "foozol-epoch": "1" },
        tags: ["foozol-blue-otter"],
        bootDisk: {
          ...{ autoDelete: true, deviceName: "boot" },
          initializeParams: {
            ...{ image: "global/images/foozol-image-browser", size: 64, type: "pd-balanced" },
            labels: { ...LABELS, "foozol-disk": "boot" },
            resourcePolicies: "https://google/policy",
          },
        },
        scheduling: {
          ...{ provisioningModel: "STANDARD", preemptible: false },
          ...{ automaticRestart: true, onHostMaintenance: "MIGRATE" },
        },
        shieldedInstanceConfig: { enableSecureBoot: true, enableVtpm: true, enableIntegrityMonitoring: true },
        networkInterfaces: [
          {
            ...{ subnetwork: "foozol", stackType: "IPV4_IPV6" },
            accessConfigs: [{ natIp: "203.0.113.9", networkTier: "PREMIUM" }],
            ipv6AccessConfigs: [
              {
                ...{ name: "external-ipv6", networkTier: "PREMIUM" },
                ...{ externalIpv6: "203.0.113.9", externalIpv6PrefixLength: "96" },
              },
            ],
          },
        ],
        metadata: SECRET,
        desiredStatus: "RUNNING",
        deletionProtection: true,
        canIpForward: false,
        allowStoppingForUpdate: true,
      },
      "RecordSet record-A": { ...record, type: "A" },
      "RecordSet record-AAAA": { ...record, type: "AAAA" },
      "RecordSet record-CNAME": {
        ...{ ...record, name: "*.blue-otter.desk.example.", type: "CNAME" },
        rrdatas: ["blue-otter.desk.example."],
      },
    })
    assert.equal(outputs.machineId, "machine-id")
    assert.equal(outputs.hostname, "blue-otter.desk.example")
  })

  it("opens the door before there is a machine, and the machine has its disk's schedule and its addresses", async () => {
    const { resources } = await run(gcpSpec())
    assert.deepEqual(named(resources, "machine").after.toSorted(), [
      "gcp:compute/address:Address::ipv4",
      "gcp:compute/address:Address::ipv6",
      "gcp:compute/firewall:Firewall::firewall-ipv4",
      "gcp:compute/firewall:Firewall::firewall-ipv6",
      "gcp:compute/resourcePolicy:ResourcePolicy::schedule",
    ])
    assert.deepEqual(named(resources, "record-A").after, ["gcp:compute/address:Address::ipv4"])
    assert.deepEqual(named(resources, "record-AAAA").after, ["gcp:compute/address:Address::ipv6"])
  })

  it("a spot machine is switched off where Google takes it away, and never by Google put on again", async () => {
    const { resources } = await run(gcpSpec({ market: "spot" }))
    assert.deepEqual(named(resources, "machine").inputs.scheduling, {
      ...{ provisioningModel: "SPOT", preemptible: true, automaticRestart: false },
      ...{ onHostMaintenance: "TERMINATE", instanceTerminationAction: "STOP" },
    })
  })

  it("power is the program's where the spec says it, else the API's", async () => {
    const machine = async (given: Partial<WorkspaceSpec>) => named((await run(gcpSpec(given))).resources, "machine")
    const off = await machine({ power: "off" })
    assert.equal(off.inputs.desiredStatus, "TERMINATED")
    assert.ok(!off.ignoreChanges.includes("desiredStatus"))
    const on = await machine({ power: "on" })
    assert.equal(on.inputs.desiredStatus, "RUNNING")
    assert.ok((await machine({})).ignoreChanges.includes("desiredStatus"))
  })

  it("starts from a snapshot where the spec says one, on the disk it says", async () => {
    const { resources } = await run(gcpSpec({ image: "snapshot-blue-otter-1", diskGb: 100 }))
    const { initializeParams } = named(resources, "machine").inputs.bootDisk as { initializeParams: object }
    assert.partialDeepStrictEqual(initializeParams, { snapshot: "global/snapshots/snapshot-blue-otter-1", size: 100 })
    assert.ok(!("image" in initializeParams))
  })

  it("a machine that is put away, or lost, is not made; all else stays", async () => {
    const all = (await run(gcpSpec())).resources.map(({ name }) => name)
    for (const { resources } of [
      await run(gcpSpec({ asleep: true })),
      await run(gcpSpec(), {}, { isMachineLost: true }),
    ])
      assert.deepEqual(
        resources.map(({ name }) => name),
        all.filter(name => name !== "machine"),
      )
  })

  it("takes in what an earlier run has made", async () => {
    const ids = { machine: "projects/p/zones/us-central1-a/instances/foozol-blue-otter", "record-A": "projects/p/x" }
    const { resources } = await run(gcpSpec(), ids)
    for (const { name, imports, ignoreChanges } of resources) {
      assert.equal(imports, ids[name as keyof typeof ids] ?? "", name)
      if (imports) assert.deepEqual(ignoreChanges, ["*"])
    }
  })

  it("a further project is Google's project of that name; the records stay in the main one", async () => {
    const { resources } = await run(gcpSpec({ project: "desks-two" }))
    for (const { type, name, inputs } of resources.filter(one => one.type.startsWith("gcp:")))
      assert.equal(inputs.project, type.includes(":dns/") ? undefined : "desks-two", name)
  })

  it("changes neither image, place nor settings of a machine in passing", async () => {
    const { resources } = await run(gcpSpec())
    for (const property of ["metadata", "bootDisk", "zone", "networkInterfaces"])
      assert.ok(named(resources, "machine").ignoreChanges.includes(property), property)
  })
})

describe("program of Google Cloud, whatever the spec", () => {
  const word = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/)
  const specs = fc
    .record({
      workspace: word,
      owner: fc.stringMatching(/^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,18}[A-Za-z0-9])?$/),
      epoch: fc.nat(),
      profile: fc.constantFrom("desktop" as const, "browser" as const, "repo" as const),
      region: fc.stringMatching(/^[a-z]{2,8}-[a-z]{4,9}[1-9]-[a-f]$/),
      size: fc.stringMatching(/^[a-z][a-z0-9-]{1,20}$/),
      image: fc.stringMatching(/^(snapshot-)?[a-z][a-z0-9]{0,30}$/),
      label: word,
      ttl: fc.integer({ min: 60, max: 86_400 }),
      deleteProtection: fc.boolean(),
      market: fc.constantFrom("on-demand" as const, "spot" as const, undefined),
      power: fc.constantFrom("on" as const, "off" as const, undefined),
    })
    .map(({ label, ttl, market, power, ...given }) =>
      gcpSpec({
        ...given,
        ...(market ? { market } : {}),
        ...(power ? { power } : {}),
        dns: { name: label, zone: "desk.example", ttl },
      }),
    )

  it("makes one machine, one rule for each family that lets in 443 and nothing else, and leaves no credential on it", async () => {
    await fc.assert(
      fc.asyncProperty(specs, async spec => {
        const { resources } = await run(spec)
        const of = (part: string) => resources.filter(({ type }) => type.endsWith(`:${part}`))
        const [machine, ...others] = of("Instance")
        assert.ok(machine && others.length === 0)
        const rules = of("Firewall")
        assert.deepEqual(
          rules.map(({ inputs }) => inputs.sourceRanges),
          [["0.0.0.0/0"], ["::/0"]],
        )
        for (const { inputs } of rules) {
          assert.equal(inputs.direction, "INGRESS")
          assert.deepEqual(inputs.allows, [{ protocol: "tcp", ports: ["443"] }])
          // For this machine alone.
          assert.deepEqual(inputs.targetTags, machine.inputs.tags)
        }
        assert.equal(machine.inputs.serviceAccount, undefined)
        // A machine that runs on a network with other rules would be open by those.
        assert.deepEqual([...new Set(rules.map(({ inputs }) => inputs.network))], ["foozol"])
        assert.deepEqual(
          (machine.inputs.networkInterfaces as { subnetwork: string }[]).map(one => one.subnetwork),
          ["foozol"],
        )
        assert.equal(machine.inputs.deletionProtection, spec.deleteProtection)
        assert.equal((machine.inputs.scheduling as { preemptible: boolean }).preemptible, spec.market === "spot")
        assert.equal(machine.inputs.metadata, SECRET)
        assert.ok(!JSON.stringify(resources).includes(testSecrets.workspaceKey))
        for (const { inputs } of resources) {
          if (typeof inputs.name === "string" && !inputs.name.endsWith("."))
            assert.match(inputs.name, /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/)
          for (const label of Object.entries(inputs.labels ?? {}).flat())
            assert.match(String(label), /^[a-z0-9_-]{1,63}$/)
        }
      }),
      { numRuns: 30 },
    )
  })

  it("tells the machine what any machine is told", () => {
    const told = JSON.parse(userData(gcpSpec(), testSecrets))
    assert.equal(told.workspace, "blue-otter")
    assert.ok(!JSON.stringify(told).includes("us-central1"))
  })
})
