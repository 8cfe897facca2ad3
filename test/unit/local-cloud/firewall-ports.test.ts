import assert from "node:assert/strict"
import { openPorts } from "../../../local-cloud/firewall-ports.ts"
import type { FirewallRule } from "../../../local-cloud/state/records.ts"

describe("firewall-ports/openPorts", () => {
  const rule = (more: Partial<FirewallRule>): FirewallRule => ({
    direction: "in",
    protocol: "tcp",
    port: "443",
    source_ips: ["0.0.0.0/0"],
    destination_ips: [],
    description: null,
    ...more,
  })
  const open = (...rules: FirewallRule[]) => openPorts(rules, [22]).map(one => `${one.protocol}/${one.port}`)

  it("without a firewall the named ports are open; with an empty one none", () => {
    assert.deepEqual(openPorts(null, [22, 80]), [
      { protocol: "tcp", port: 22 },
      { protocol: "tcp", port: 80 },
    ])
    assert.deepEqual(open(), [])
  })
  const sources: [string, boolean][] = [
    ["0.0.0.0/0", true],
    ["127.0.0.0/8", true],
    ["127.0.0.1/32", true],
    ["127.0.0.2/32", false],
    ["10.0.0.0/8", false],
    ["::/0", false],
    ["::1/128", false],
  ]
  for (const [cidr, reached] of sources) {
    it(`from ${cidr} this host ${reached ? "gets" : "does not get"} in`, () => {
      assert.deepEqual(open(rule({ source_ips: [cidr] })), reached ? ["tcp/443"] : [])
    })
  }
  it("one fitting source among others is enough; a rule without any opens nothing", () => {
    assert.deepEqual(open(rule({ source_ips: ["10.0.0.0/8", "::/0", "0.0.0.0/0"] })), ["tcp/443"])
    assert.deepEqual(open(rule({ source_ips: [] })), [])
  })
  it("ranges, udp, and the same port of two rules once", () => {
    assert.deepEqual(open(rule({ port: "80-82" }), rule({ port: "81" }), rule({ protocol: "udp", port: "81" })), [
      "tcp/80",
      "tcp/81",
      "tcp/82",
      "udp/81",
    ])
  })
  it("outgoing rules and other protocols open nothing", () => {
    assert.deepEqual(open(rule({ direction: "out" }), rule({ protocol: "icmp", port: null })), [])
  })
  it("of long ranges and `any` the usual ports are open", () => {
    assert.deepEqual(open(rule({ port: "1-2000" })), ["tcp/22"])
    assert.deepEqual(open(rule({ port: "100-2000" })), [])
    assert.deepEqual(open(rule({ port: "any" })), ["tcp/22"])
  })
})
