import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import type { FirewallRule } from "../../../local-cloud/machines/contract.ts"
import { type Guest, interfaceOf } from "../../../local-cloud/machines/qemu/host-network/plan.ts"
import { ruleset } from "../../../local-cloud/machines/qemu/host-network/ruleset.ts"
import { skipTest } from "../../support/skip.ts"

const options = {
  interfaces: "fz",
  hostPorts: [443],
  ipv4: ["203.0.113.0/28", "198.51.100.0/30"],
  ipv6: "2001:db8:1::/48",
}
const everybody = ["0.0.0.0/0", "::/0"]
const rules: FirewallRule[] = [
  { direction: "in", protocol: "tcp", port: "443", peers: everybody },
  { direction: "in", protocol: "udp", port: "80-90", peers: ["10.1.2.3/8", "2001:db8::5/32"] },
  { direction: "in", protocol: "icmp", port: null, peers: everybody },
  { direction: "in", protocol: "tcp", port: "any", peers: ["192.0.2.1/32"] },
  { direction: "out", protocol: "esp", port: null, peers: ["192.0.2.1/32"] },
]
const guest = (id: number, change: Partial<Guest> = {}): Guest => ({
  ...{ id, mac: `92:00:00:00:00:0${id}`, ipv4: `203.0.113.${id}`, ipv6: `2001:db8:1:${id}::/64` },
  ...{ rules, metadataPort: 40_000 + id, ...change },
})
/** The rules of a chain, its hook left out. */
const chain = (text: string, name: string) => {
  const body =
    new RegExp(`  chain ${name} \\{\n([^}]*(?:\\{[^}]*\\}[^}]*)*?)\n  \\}`).exec(text)?.[1] ?? assert.fail(name)
  return body
    .split("\n")
    .map(line => line.trim())
    .filter(line => !line.startsWith("type "))
}

describe("ruleset()", () => {
  const text = ruleset([guest(1), guest(2, { rules: null, ipv6: null }), guest(3, { rules: [] })], options)

  it("opens inwards what the firewall's rules say, and nothing else", () => {
    assert.deepEqual(chain(text, "in_1"), [
      "meta nfproto ipv4 tcp dport 443 accept",
      "meta nfproto ipv6 tcp dport 443 accept",
      "ip saddr 10.1.2.3/8 udp dport 80-90 accept",
      "ip6 saddr 2001:db8::5/32 udp dport 80-90 accept",
      "meta nfproto ipv4 meta l4proto icmp accept",
      "meta nfproto ipv6 meta l4proto icmpv6 accept",
      "ip saddr 192.0.2.1/32 meta l4proto tcp accept",
      "drop",
    ])
    assert.deepEqual(chain(text, "in_2"), ["accept"], "no firewall: open, as at Hetzner")
    assert.deepEqual(chain(text, "in_3"), ["drop"], "a firewall without rules: shut")
  })

  it("closes outwards only where a rule speaks of it", () => {
    assert.deepEqual(chain(text, "out_1"), ["ip daddr 192.0.2.1/32 meta l4proto esp return", "drop"])
    assert.deepEqual(chain(text, "out_2"), ["return"])
    assert.deepEqual(chain(text, "out_3"), ["return"])
  })

  it("lets a machine send from its own addresses alone, and nobody else from them", () => {
    const from = chain(text, "from_2")
    assert.equal(from[0], "ether saddr != 92:00:00:00:00:02 drop")
    assert.deepEqual(from.slice(2), ["ip saddr 203.0.113.2 accept", "drop"])
    assert.ok(chain(text, "from_1").includes("ip6 saddr 2001:db8:1:1::/64 accept"))
    assert.deepEqual(chain(text, "raw").slice(1), [
      'iifname "fz*" drop',
      "ip saddr { 203.0.113.0/28, 198.51.100.0/30 } drop",
      "ip6 saddr 2001:db8:1::/48 drop",
    ])
  })

  it("leads each machine to its own metadata", () => {
    assert.ok(chain(text, "metadata")[1]?.startsWith('iifname "fz2" ip daddr 169.254.169.254 tcp dport 80 dnat'))
    assert.match(text, /iifname "fz2" ip daddr 169\.254\.0\.1 tcp dport 40002 ct status dnat accept/)
  })

  it("is taken by nft, for no machine too", function () {
    for (const some of [text, ruleset([], { ...options, hostPorts: [], ipv6: null })]) {
      const { error, status, stderr } = spawnSync("nft", ["-c", "-f", "-"], { input: some, encoding: "utf8" })
      if (error) skipTest(this, "needs nftables")
      // It asks the kernel even to check.
      if (/Operation not permitted|cache initialization failed/.test(stderr)) skipTest(this, "needs root")
      assert.equal(status, 0, stderr)
    }
  })

  it("names interfaces within fifteen letters", () => {
    assert.equal(interfaceOf("fz", 5), "fz5")
    assert.ok(interfaceOf("abcd", Number.MAX_SAFE_INTEGER).length <= 15)
  })
})
