import assert from "node:assert/strict"
import { isOwn, OwnAddresses } from "../../local-cloud/own-addresses.ts"
import { startTestEngine, type TestEngine } from "../support/test-engine.ts"
import { TEST_ZONE, testSecrets, testSpec } from "../support/workspace.ts"

const own = OwnAddresses.parse({ ipv4: ["203.0.113.16/28"], ipv6: "2001:db8:5::/56", dns: ["192.0.2.53"] })

describe("Hetzner's program where machines have addresses of their own", function () {
  this.timeout(120_000)
  let test: TestEngine
  before(async () => {
    test = await startTestEngine(1, "none", { network: own })
  })
  after(() => test?.close())

  it("names the machine by them, and changes nothing the second time", async () => {
    const spec = testSpec({ image: test.cloud.imageId })
    const apply = () => test.pool.run(test.config, { action: "apply", spec, secrets: testSecrets })
    await apply()
    const { servers } = await test.cloud.api<{
      servers: { public_net: { ipv4: { ip: string }; ipv6: { ip: string } } }[]
    }>("GET", "/servers")
    assert.equal(servers.length, 1)
    const { ipv4, ipv6 } = servers[0]?.public_net ?? assert.fail("no server")
    assert.ok(isOwn(own, ipv4.ip), ipv4.ip)
    assert.match(ipv6.ip, /^2001:db8:5(:[0-9a-f]{1,2})?::\/64$/)
    const { rrsets } = await test.cloud.api<{ rrsets: { type: string; records: { value: string }[] }[] }>(
      "GET",
      `/zones/${TEST_ZONE}/rrsets`,
    )
    const records = (type: string) =>
      rrsets.filter(one => one.type === type).flatMap(one => one.records.map(({ value }) => value))
    assert.ok(records("A").includes(ipv4.ip))
    assert.ok(records("AAAA").includes(ipv6.ip.replace("::/64", "::1")))
    const changes = async () =>
      Object.entries(await test.cloud.requests())
        .filter(([route]) => !route.startsWith("GET "))
        .map(([, count]) => count)
    const before = await changes()
    await apply()
    assert.deepEqual(await changes(), before)
  })
})
