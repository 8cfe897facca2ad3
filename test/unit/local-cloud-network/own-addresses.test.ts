import assert from "node:assert/strict"
import { freeAddress } from "../../../local-cloud/addresses.ts"
import { addressAt, countOf, isOwn, OwnAddresses } from "../../../local-cloud/own-addresses.ts"
import { startTestCloud } from "../../support/local-cloud.ts"

const given = { ipv4: ["203.0.113.16/28", "198.51.100.0/31"], ipv6: "2001:db8:5::/56", dns: ["192.0.2.53"] }
const own = OwnAddresses.parse(given)
const all = (type: "ipv4" | "ipv6", some: OwnAddresses) =>
  Array.from({ length: countOf(some, type) }, (_, place) => addressAt(some, type, place)).filter(one => one !== null)

describe("addresses of their own", () => {
  it("are all of the ranges, but those that end in 0 or 255", () => {
    const addresses = all("ipv4", own)
    assert.equal(addresses.length, 17)
    assert.deepEqual([addresses[0], addresses[15], addresses[16]], ["203.0.113.16", "203.0.113.31", "198.51.100.1"])
    assert.equal(all("ipv4", { ...own, ipv4: ["203.0.113.0/24"] }).length, 254)
    assert.deepEqual(all("ipv4", { ...own, ipv4: ["203.0.113.0/32"] }), ["203.0.113.0"])
    for (const address of addresses) assert.ok(isOwn(own, address))
    assert.deepEqual(all("ipv4", { ...own, ipv4: ["223.255.250.4/32"] }), ["223.255.250.4"])
    assert.equal(isOwn(own, "203.0.113.32"), false)
    assert.equal(isOwn(own, "127.77.0.1"), false)
  })

  it("are networks of 64 bits within the prefix", () => {
    const networks = all("ipv6", own)
    assert.equal(networks.length, 256)
    assert.deepEqual(networks.slice(0, 2), ["2001:db8:5::/64", "2001:db8:5:1::/64"])
    assert.equal(networks.at(-1), "2001:db8:5:ff::/64")
    assert.equal(addressAt({ ...own, ipv6: "2001:db8::/32" }, "ipv6", 65_535), "2001:db8:0:ffff::/64")
    assert.deepEqual(all("ipv6", { ...own, ipv6: "2001:db8:1:2:3::/64" }), ["2001:db8:1:2::/64"])
    assert.equal(countOf({ ...own, ipv6: null }, "ipv6"), 0)
  })

  it("are given out once each, until none is left", () => {
    const taken = new Set<string>()
    for (let i = 0; i < 17; i++) {
      const ip = freeAddress("ipv4", i * 5, one => taken.has(one), own)
      assert.ok(ip !== null && !taken.has(ip))
      taken.add(ip)
    }
    assert.equal(
      freeAddress("ipv4", 3, one => taken.has(one), own),
      null,
    )
    // Without a prefix the API still tells one, of the documentation range.
    assert.match(freeAddress("ipv6", 1, () => false, { ...own, ipv6: null }) ?? "", /^2001:db8:77:/)
  })

  it("are refused where they cannot be right", () => {
    const wrong: object[] = [
      { ipv4: [] },
      { ipv4: ["203.0.113.0"] },
      { ipv4: ["127.0.0.0/16"] },
      { ipv4: ["169.254.0.0/16"] },
      { ipv4: ["224.0.0.0/24"] },
      { ipv4: ["203.0.113.0/8"] },
      { ipv6: "2001:db8::/65" },
      { dns: [] },
      { dns: ["dns.example"] },
      { answerOn: "a b" },
      { interfaces: "Fz9" },
    ]
    for (const change of wrong)
      assert.ok(!OwnAddresses.safeParse({ ...given, ...change }).success, JSON.stringify(change))
  })

  it("are what the API tells, and what machines are made with", async () => {
    const cloud = await startTestCloud({
      machines: "none",
      settings: { network: { ...given, ipv4: ["203.0.113.8/32"] } },
    })
    try {
      const ask = (name: string) => cloud.call("POST", "/servers", { name, server_type: "cx23", image: cloud.imageId })
      const { server } = (await ask("one")).body as {
        server: { public_net: { ipv4: { ip: string }; ipv6: { ip: string } } }
      }
      assert.equal(server.public_net.ipv4.ip, "203.0.113.8")
      assert.match(server.public_net.ipv6.ip, /^2001:db8:5:?[0-9a-f]*::\/64$/)
      const { status, body } = await ask("two")
      assert.equal(status, 422)
      assert.equal((body as { error: { code: string } }).error.code, "resource_unavailable")
      assert.equal(cloud.ledger().created.length, 1)
    } finally {
      await cloud.close()
    }
  })
})
