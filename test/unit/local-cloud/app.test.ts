import assert from "node:assert/strict"
import { startTestCloud, type TestCloud } from "../../support/local-cloud.ts"

describe("app", () => {
  let cloud: TestCloud
  const [mine, other] = ["a-token-of-the-project", "a-token-of-another-project"]
  before(async () => {
    cloud = await startTestCloud({ machines: "none", projects: { [mine]: "mine", [other]: "other" } })
  })
  after(() => cloud?.close())
  const code = (body: unknown) => (body as { error?: { code: string } }).error?.code

  it("shows a page to whoever opens its address, and nothing else without a token", async () => {
    const page = await fetch(new URL("/", cloud.apiUrl))
    assert.equal(page.status, 200)
    assert.match(await page.text(), /The local cloud is running/)
    assert.equal((await fetch(new URL("/v1/servers", cloud.apiUrl))).status, 401)
  })
  it("401 without a token that is known", async () => {
    for (const authorization of ["", "Bearer", "Bearer nobody", `Basic ${cloud.token}`, `bearer${cloud.token}`]) {
      const { status, body } = await cloud.call("GET", "/servers", undefined, { authorization })
      assert.deepEqual([status, code(body)], [401, "unauthorized"], authorization)
    }
  })
  it("400 for what is not JSON, 413 for too much, 404 for no route", async () => {
    const post = (body: string) =>
      fetch(`${cloud.apiUrl}/ssh_keys`, { method: "POST", headers: { authorization: `Bearer ${cloud.token}` }, body })
    assert.equal((await post("{")).status, 400)
    assert.equal((await post("x".repeat(300_000))).status, 413)
    const { status, body } = await cloud.call("GET", "/nothing")
    assert.deepEqual([status, code(body)], [404, "not_found"])
  })
  it("422 names every wrong field", async () => {
    const { body } = await cloud.call("POST", "/servers", { name: "a b", labels: { "": "x" } })
    const { details } = (body as { error: { details: { fields: { name: string }[] } } }).error
    assert.deepEqual(details.fields.map(one => one.name).sort(), ["image", "labels", "name", "server_type"])
  })
  it("names are unique in a project, and a project sees nothing of another", async () => {
    const as = (token: string, method: string, path: string, body?: unknown) =>
      cloud.call(method, path, body, { authorization: `Bearer ${token}` })
    const server = { name: "same", server_type: "cx23", image: cloud.imageId }
    const made = await as(mine, "POST", "/servers", server)
    const { id } = (made.body as { server: { id: number } }).server
    const again = await as(mine, "POST", "/servers", server)
    assert.deepEqual([again.status, code(again.body)], [409, "uniqueness_error"])
    assert.equal((await as(other, "GET", `/servers/${id}`)).status, 404)
    assert.equal((await as(other, "DELETE", `/servers/${id}`)).status, 404)
    assert.deepEqual((await as(other, "GET", "/servers")).body, (await as(other, "GET", "/servers?name=same")).body)
    assert.equal((await as(other, "POST", "/servers", server)).status, 201)
    const second = await as(mine, "POST", "/servers", { ...server, name: "second" })
    const renamed = (second.body as { server: { id: number } }).server.id
    assert.equal((await as(mine, "PUT", `/servers/${renamed}`, { name: "same" })).status, 409)
    assert.equal((await as(mine, "PUT", `/servers/${id}`, { name: "same" })).status, 200)
    await as(mine, "DELETE", `/servers/${id}`)
    // A name is free again as soon as its bearer is gone.
    assert.equal((await as(mine, "PUT", `/servers/${renamed}`, { name: "same" })).status, 200)
  })
  it("a refused request leaves nothing behind", async () => {
    const { store } = cloud.cloud.context
    const before = [store.count("server"), store.count("primary_ip"), store.count("action")]
    const bad = { name: "half", server_type: "cx23", image: cloud.imageId, public_net: { ipv6: 9_999_999 } }
    assert.equal((await cloud.call("POST", "/servers", bad)).status, 404)
    assert.deepEqual([store.count("server"), store.count("primary_ip"), store.count("action")], before)
    assert.equal((await cloud.call("POST", "/servers", { ...bad, public_net: {} })).status, 201)
  })
})
