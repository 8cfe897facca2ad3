import assert from "node:assert/strict"
import { startTestCloud, type TestCloud } from "../../support/local-cloud.ts"

describe("many servers", () => {
  let cloud: TestCloud
  before(async () => {
    cloud = await startTestCloud({ machines: "none" })
  })
  after(() => cloud?.close())

  // Counted, not timed: how often a request asks the store for all records of a kind does not depend on the machine.
  it("no request that makes, shows, changes or deletes one looks at all records of a kind", async () => {
    const { store } = cloud.cloud.context
    const all = store.all
    let scans: string[] = []
    store.all = kind => {
      scans.push(kind)
      return all(kind)
    }
    const ask = async <T = unknown>(method: string, path: string, body?: unknown) => {
      scans = []
      const answer = await cloud.api<T>(method, path, body)
      assert.deepEqual(scans, [], `${method} ${path}`)
      return answer
    }
    const rule = { direction: "in", protocol: "tcp", port: "443", source_ips: ["0.0.0.0/0"] }
    const { firewall } = await ask<{ firewall: { id: number } }>("POST", "/firewalls", { name: "wall", rules: [rule] })
    const body = { name: "one", server_type: "cx23", image: cloud.imageId, firewalls: [{ firewall: firewall.id }] }
    const { server } = await ask<{ server: { id: number } }>("POST", "/servers", body)
    await ask("GET", `/servers/${server.id}`)
    await ask("GET", `/servers/${server.id}/actions`)
    await ask("PUT", `/servers/${server.id}`, { name: "other" })
    await ask("POST", `/firewalls/${firewall.id}/actions/set_rules`, { rules: [] })
    await ask("GET", `/firewalls/${firewall.id}`)
    const records = [{ value: "127.77.0.9" }]
    await ask("POST", "/zones/desk.example/rrsets", { name: "one", type: "A", records })
    await ask("POST", "/zones/desk.example/rrsets/one/A/actions/set_records", { records })
    await ask("DELETE", "/zones/desk.example/rrsets/one/A")
    await ask("POST", `/servers/${server.id}/actions/poweroff`)
    await ask("DELETE", `/servers/${server.id}`)
    await ask("DELETE", `/firewalls/${firewall.id}`)
    store.all = all
  })
})
