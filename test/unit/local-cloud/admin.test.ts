import assert from "node:assert/strict"
import { startTestCloud, type TestCloud } from "../../support/local-cloud.ts"

describe("admin", () => {
  let cloud: TestCloud
  before(async () => {
    cloud = await startTestCloud({ machines: "none" })
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
