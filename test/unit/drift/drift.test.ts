import assert from "node:assert/strict"
import type { Accepted, AcceptedChange } from "../../../infra/accepted.ts"
import { driftOf } from "../../../infra/drift/drift.ts"
import type { SeenResource } from "../../../infra/engine-events.ts"
import { withAccepted } from "../../../infra/stack-state.ts"
import { wantedOf } from "../../../infra/wanted.ts"
import { parseWorkspaceSpec, type WorkspaceSpec, workspaceLabels } from "../../../infra/workspace-spec.ts"
import { testSpec } from "../../support/workspace.ts"

type Real = Record<string, unknown>
type Changes = Record<string, Real | null>

/** What a plugin tells of resources that are as they shall be, with some that are not. */
function seen(spec: WorkspaceSpec, changes: Changes = {}): SeenResource[] {
  const labels = workspaceLabels(spec)
  const address = (type: string, ipAddress: string) => ({
    ...{ name: `foozol-blue-otter-${type}`, labels, ipAddress, autoDelete: false, deleteProtection: false },
    assigneeId: 7,
  })
  const record = (value: string) => ({ labels, ttl: 60, records: [{ value }], changeProtection: false })
  const rule = { direction: "in", protocol: "tcp", port: "443", sourceIps: ["::/0", "0.0.0.0/0"], destinationIps: [] }
  const applyTos = changes.machine === null ? [] : [{ server: 7 }]
  const all: Record<string, [string, Real]> = {
    firewall: ["5", { name: "foozol-blue-otter", labels, rules: [{ ...rule, description: "HTTPS" }], applyTos }],
    ipv4: ["3", address("ipv4", "203.0.113.1")],
    ipv6: ["4", address("ipv6", "2001:db8:1::")],
    machine: [
      "7",
      {
        ...{ name: "foozol-blue-otter", labels: { ...labels, "foozol-epoch": "1" }, status: "running", iso: null },
        ...{ serverType: "cx23", deleteProtection: true, rebuildProtection: true, backups: false, firewallIds: [5] },
        networks: [],
      },
    ],
    "record-A": ["blue-otter/A", record("203.0.113.1")],
    "record-AAAA": ["blue-otter/AAAA", record("2001:db8:1::1")],
  }
  return Object.entries(all).map(([name, [id, real]]) => {
    const change = changes[name]
    return { name, type: "t", id, real: change === null ? null : { ...real, ...change } }
  })
}

const look = (changes: Changes = {}, given: Partial<WorkspaceSpec> = {}, power: "on" | "off" | null = "on") => {
  const spec = testSpec(given)
  return driftOf({ spec, seen: seen(spec, changes), unknown: [], power })
}
const rule = (port: string, more: Real = {}) => ({
  ...{ direction: "in", protocol: "tcp", port, sourceIps: ["0.0.0.0/0"], destinationIps: [], description: "" },
  ...more,
})
const https = rule("443", { sourceIps: ["0.0.0.0/0", "::/0"], description: "HTTPS" })
const labels = workspaceLabels(testSpec())

describe("drift: what is otherwise, in words", () => {
  it("says nothing where everything is as it shall be, in whatever order", () => assert.deepEqual(look(), []))

  const table: [Changes, string, "repair" | "restore" | "operator", boolean][] = [
    [
      { firewall: { rules: [https, rule("22")] } },
      "A firewall rule was added by hand: TCP 22 from 0.0.0.0/0.",
      "repair",
      true,
    ],
    [
      { firewall: { rules: [] } },
      "A firewall rule was taken away by hand: TCP 443 from 0.0.0.0/0, ::/0 (HTTPS).",
      "repair",
      true,
    ],
    [
      { firewall: { rules: [https, rule("", { protocol: "icmp" })] } },
      "A firewall rule was added by hand: ICMP from 0.0.0.0/0.",
      "repair",
      true,
    ],
    [
      {
        firewall: { rules: [https, rule("any", { direction: "out", sourceIps: [], destinationIps: ["10.0.0.0/8"] })] },
      },
      "A firewall rule was added by hand: TCP to 10.0.0.0/8.",
      "repair",
      true,
    ],
    [
      { firewall: { applyTos: [{ server: 7 }, { server: 9 }] } },
      "The firewall was put on machine 9 too, by hand.",
      "operator",
      false,
    ],
    [{ firewall: { name: "mine" } }, 'The firewall was renamed by hand to "mine".', "repair", false],
    [
      { ipv4: { autoDelete: true } },
      "The IPv4 address (203.0.113.1) was set by hand to be deleted with the machine; it belongs to the workspace.",
      "repair",
      false,
    ],
    [
      { ipv4: { assigneeId: 0 } },
      "The IPv4 address (203.0.113.1) was taken off the machine by hand.",
      "operator",
      false,
    ],
    [{ ipv6: { assigneeId: 9 } }, "The IPv6 address (2001:db8:1::) was given to machine 9 by hand.", "operator", false],
    [
      { ipv6: { deleteProtection: true } },
      "The IPv6 address (2001:db8:1::) was protected against deletion by hand: the workspace could not be deleted.",
      "repair",
      false,
    ],
    [
      { ipv6: { labels: { ...labels, team: "x" } } },
      "A label was added to the IPv6 address by hand: team=x.",
      "repair",
      true,
    ],
    [
      { machine: { status: "off" } },
      "The machine is off though the workspace runs: it was switched off by hand, or from inside.",
      "repair",
      false,
    ],
    [{ machine: { serverType: "cx53" } }, "The machine is of type cx53, not cx23.", "operator", false],
    [
      { machine: { deleteProtection: false, rebuildProtection: false } },
      "Delete protection of the machine was lifted by hand.",
      "repair",
      true,
    ],
    [
      { machine: { firewallIds: [] } },
      "The firewall was taken off the machine by hand: everything on it can be reached from outside.",
      "repair",
      false,
    ],
    [{ machine: { firewallIds: [5, 8] } }, "Another firewall (8) was put on the machine by hand.", "repair", true],
    [{ machine: { name: "x" } }, 'The machine was renamed by hand to "x".', "repair", false],
    [{ machine: { labels } }, "The label foozol-epoch=1 of the machine was taken away by hand.", "repair", false],
    [
      { machine: { backups: true } },
      "The provider's own daily backups were switched on, which costs a fifth of the machine's price.",
      "operator",
      true,
    ],
    [
      { machine: { iso: "debian.iso" } },
      'The medium "debian.iso" was put into the machine by hand.',
      "operator",
      false,
    ],
    [{ machine: { rescue: "linux64" } }, "The rescue system was switched on by hand.", "operator", false],
    [
      { machine: { networks: [{ networkId: 3 }] } },
      "The machine was attached to network 3 by hand.",
      "operator",
      false,
    ],
    [{ machine: null }, "The machine was deleted by hand, and its disk with it.", "restore", false],
    [
      { "record-A": { records: [{ value: "203.0.113.7" }] } },
      "The DNS record for IPv4 points to 203.0.113.7 instead of 203.0.113.1.",
      "repair",
      true,
    ],
    [
      { "record-AAAA": { ttl: null } },
      "The DNS record for IPv6 may be kept for as long as the zone says instead of 60 s.",
      "repair",
      true,
    ],
    [
      { "record-AAAA": { changeProtection: true } },
      "The DNS record for IPv6 was protected against changes by hand: the workspace could not move or be deleted.",
      "repair",
      false,
    ],
    [{ "record-AAAA": null }, "The DNS record for IPv6 was deleted by hand.", "repair", true],
  ]
  for (const [changes, words, mends, acceptable] of table) {
    it(words, () => {
      const found = look(changes)
      assert.deepEqual(
        found.map(one => [one.words, one.mends, one.accept !== null]),
        [[words, mends, acceptable]],
      )
      // What a person is to do is said exactly where a repair does not help.
      assert.equal(found[0]?.todo === null, mends === "repair")
      assert.match(found[0]?.id as string, /^[A-Za-z0-9_.-]+$/)
    })
    if (!acceptable) continue
    it(`${words} Accepted, it is told no more, and the opposite is`, () => {
      const [found] = look(changes)
      const entry = { ...{ words, reason: "r", by: "root", at: 1 }, id: found?.id as string }
      const accepted: Accepted[] = [{ ...entry, change: found?.accept as AcceptedChange }]
      assert.deepEqual(look(changes, { accepted }), [])
      assert.equal(look({}, { accepted }).length, 1)
    })
  }

  it("a firewall that is gone is one difference, not two", () =>
    assert.deepEqual(
      look({ firewall: null, machine: { firewallIds: [] } }).map(one => one.id),
      ["firewall.there"],
    ))

  it("asleep there is no machine, its addresses are free, and one that is there all the same is a person's", () => {
    const free = { ipv4: { assigneeId: null }, ipv6: { assigneeId: null }, machine: null }
    assert.deepEqual(look(free, { asleep: true }, null), [])
    assert.deepEqual(
      look({}, { asleep: true }, null).map(one => [one.id, one.mends]),
      [["machine.other.7", "operator"]],
    )
  })

  it("a type is changed back only while the machine is off", () =>
    assert.deepEqual(
      look({ machine: { serverType: "cx53", status: "off" } }, {}, "off").map(one => one.mends),
      ["repair"],
    ))

  it("what else carries the label is told, and taken in only where it takes the place of what is gone", () => {
    const spec = testSpec()
    const unknown = [{ name: "machine", type: "t", id: "70" }]
    const found = (changes: Changes) =>
      driftOf({ spec, seen: seen(spec, changes), unknown, power: "on" }).map(one => [one.id, one.mends])
    assert.deepEqual(found({}), [["machine.other.70", "operator"]])
    assert.deepEqual(found({ machine: null }), [["machine.other.70", "repair"]])
  })
})

describe("drift: what is accepted, in spec and state", () => {
  const accepted: Accepted[] = [
    {
      ...{ id: "record-AAAA.ttl", words: "w", reason: "r", by: "root", at: 1 },
      change: { what: "ttl", resource: "record-AAAA", ttl: 300 },
    },
  ]
  it("a spec of before this has nothing accepted", () => {
    const { accepted: _, ...old } = testSpec()
    assert.deepEqual(parseWorkspaceSpec(old).accepted, [])
    assert.equal(wantedOf(parseWorkspaceSpec(old))["record-AAAA"]?.ttl, 60)
  })
  it("a spec that accepts what nobody knows is refused", () =>
    assert.throws(() => parseWorkspaceSpec({ ...testSpec(), accepted: [{ id: "x" }] }), { id: "invalid-spec" }))
  it("is noted in the stack's own spec, and nowhere else", () => {
    const stack = { type: "pulumi:pulumi:Stack", outputs: { spec: testSpec(), ipv4: "203.0.113.1" } }
    const server = { type: "hcloud:index/server:Server", outputs: { spec: 1 } }
    const after = withAccepted({ manifest: {}, resources: [stack, server] }, accepted)
    assert.deepEqual(after, {
      manifest: {},
      resources: [{ ...stack, outputs: { ...stack.outputs, spec: testSpec({ accepted }) } }, server],
    })
    const empty = { resources: [{ type: "pulumi:pulumi:Stack" }] }
    assert.deepEqual(withAccepted(empty, accepted), empty)
  })
})
