import assert from "node:assert/strict"
import { startTestCloud, type TestCloud } from "../../support/local-cloud.ts"

/** Token of another project. */
const OTHER = "o".repeat(64)

describe("admin", () => {
  let cloud: TestCloud
  before(async () => {
    cloud = await startTestCloud({ machines: "none", projects: { [OTHER]: "other" } })
  })
  after(() => cloud?.close())
  const admin = (method: string, path: string, body?: unknown, token = cloud.cloud.context.config.adminToken) =>
    fetch(`${cloud.cloud.adminUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  const server = (name: string) => ({ name, server_type: "cx23", image: cloud.imageId, location: "fsn1" })

  it("wants its own token: neither another nor the API's", async () => {
    for (const token of ["", "wrong", cloud.token])
      for (const path of ["/ledger", "/faults", "/machines", "/nothing"])
        assert.equal((await admin("GET", path, undefined, token)).status, 401, path)
    assert.equal((await admin("GET", "/ledger")).status, 200)
  })

  it("capacity: what is sold out cannot be created, and says so in its type", async () => {
    const sell = (available: boolean) =>
      admin("POST", "/capacity", { server_type: "cx23", location: "fsn1", available })
    const shown = async () => {
      const { server_types } = await cloud.api<{
        server_types: { locations: { name: string; available: boolean }[] }[]
      }>("GET", "/server_types?name=cx23")
      return server_types[0]?.locations.map(one => one.available)
    }
    assert.deepEqual(await shown(), [true, true, true])
    assert.equal((await sell(false)).status, 204)
    assert.deepEqual(await shown(), [false, true, true])
    const { status, body } = await cloud.call("POST", "/servers", server("late"))
    assert.deepEqual([status, (body as { error: { code: string } }).error.code], [422, "resource_unavailable"])
    assert.equal((await cloud.call("POST", "/servers", { ...server("east"), location: "nbg1" })).status, 201)
    await sell(true)
    assert.deepEqual(await shown(), [true, true, true])
    assert.equal((await cloud.call("POST", "/servers", server("late"))).status, 201)
  })

  it("limits: one more than a project may have is refused, in that project alone, and makes nothing", async () => {
    const limit = (of: string, most: number | null) => admin("POST", "/limits", { project: "test", of, most })
    const wishes: [string, string, (n: number) => object][] = [
      ["firewall", "/firewalls", n => ({ name: `wall-${n}`, rules: [] })],
      [
        "primary_ip",
        "/primary_ips",
        n => ({ name: `ip-${n}`, type: "ipv4", assignee_type: "server", location: "fsn1" }),
      ],
      ["volume", "/volumes", n => ({ name: `disk-${n}`, size: 10, location: "fsn1" })],
      ["server", "/servers", n => server(`limited-${n}`)],
    ]
    for (const [of, path, wish] of wishes) {
      const count = () => cloud.cloud.context.store.all(of as "server").length
      assert.equal((await limit(of, count() + 1)).status, 204)
      assert.equal((await cloud.call("POST", path, wish(1))).status, 201, of)
      const before = count()
      const { status, body } = await cloud.call("POST", path, wish(2))
      const { code, message } = (body as { error: { code: string; message: string } }).error
      assert.deepEqual([status, code], [403, "resource_limit_exceeded"], of)
      assert.equal(message, `${of} limit exceeded`)
      assert.equal(count(), before)
      const elsewhere = await cloud.call("POST", path, wish(2), { authorization: `Bearer ${OTHER}` })
      assert.equal(elsewhere.status, 201, of)
      await limit(of, null)
      assert.equal((await cloud.call("POST", path, wish(3))).status, 201, of)
    }
    const [one] = cloud.cloud.context.store.all("server").filter(({ project }) => project === "test")
    await limit("image", 0)
    const { status } = await cloud.call("POST", `/servers/${one?.id}/actions/create_image`, {})
    assert.equal(status, 403)
    assert.equal((await limit("moon", 1)).status, 422)
  })

  it("a server's own addresses count too: over their limit, none of it is made", async () => {
    const { store } = cloud.cloud.context
    const [servers, addresses] = [store.all("server").length, store.all("primary_ip").length]
    const own = store.all("primary_ip").filter(({ project }) => project === "test").length
    await admin("POST", "/limits", { project: "test", of: "primary_ip", most: own + 1 })
    assert.equal((await cloud.call("POST", "/servers", server("two-addresses"))).status, 403)
    assert.deepEqual([store.all("server").length, store.all("primary_ip").length], [servers, addresses])
    await admin("POST", "/limits", { project: "test", of: "primary_ip", most: null })
  })

  it("counts requests by route", async () => {
    const count = async () => {
      const { requests } = (await (await admin("GET", "/requests")).json()) as { requests: Record<string, number> }
      return requests["GET /v1/servers/:id"] ?? 0
    }
    const before = await count()
    await cloud.call("GET", "/servers/1")
    await cloud.call("GET", "/servers/2")
    await cloud.call("GET", "/servers")
    assert.equal(await count(), before + 2)
  })

  it("shows faults and refuses ones that make no sense", async () => {
    assert.equal((await admin("POST", "/faults", { fault: { kind: "rain" } })).status, 422)
    await admin("POST", "/faults", { times: 1, fault: { kind: "hang" }, match: { path: "^/never$" } })
    const { faults } = (await (await admin("GET", "/faults")).json()) as { faults: { struck: number }[] }
    assert.deepEqual(
      faults.map(one => one.struck),
      [0],
    )
    assert.equal((await admin("DELETE", "/faults")).status, 204)
  })

  it("shows machines, their user-data and the ledger", async () => {
    const made = await cloud.api<{ server: { id: number } }>("POST", "/servers", {
      ...server("seen"),
      user_data: "#!/bin/sh\n",
    })
    const { machines } = (await (await admin("GET", "/machines")).json()) as { machines: { id: number }[] }
    assert.ok(machines.some(one => one.id === made.server.id))
    assert.equal(await cloud.userData(made.server.id), "#!/bin/sh\n")
    const { alive } = (await (await admin("GET", "/ledger")).json()) as { alive: { id: number }[] }
    assert.ok(alive.some(one => one.id === made.server.id))
  })

  it("a newer system image takes the name, and the former keeps its id", async () => {
    const registered = (await (await admin("POST", "/images", { name: "test", directory: "" })).json()) as {
      image: { id: number; name: string }
    }
    assert.equal(registered.image.name, "test")
    const { images } = await cloud.api<{ images: { id: number }[] }>("GET", "/images?name=test")
    assert.deepEqual(
      images.map(one => one.id),
      [registered.image.id],
    )
    assert.equal((await cloud.call("GET", `/images/${cloud.imageId}`)).status, 200)
  })
})
