import assert from "node:assert/strict"
import { request } from "node:http"
import { type CheckProxy, startProxy } from "../../../../image-builder/verify/around/proxy.ts"
import { type Site, startSite } from "../../../../image-builder/verify/around/site.ts"

describe("the checklist's proxy", () => {
  let site: Site
  let proxy: CheckProxy
  before(async () => {
    site = await startSite()
    proxy = await startProxy(site)
  })
  after(async () => {
    await proxy.close()
    await site.close()
  })

  const login = () => ({
    "proxy-authorization": `Basic ${Buffer.from(`${proxy.user}:${proxy.password}`).toString("base64")}`,
  })
  // Not `fetch`, which takes a proxy's refusal for a failure of the network.
  const get = (path: string, headers: Record<string, string>) =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      const asked = request({ port: proxy.port, host: "127.0.0.1", path, headers })
      asked.once("error", reject).once("response", async response => {
        const pieces = await response.setEncoding("utf8").toArray()
        resolve({ status: response.statusCode ?? 0, text: pieces.join("") })
      })
      asked.end()
    })
  const tunnel = (to: string, headers: Record<string, string>) =>
    new Promise<number>((resolve, reject) => {
      const asked = request({ port: proxy.port, host: "127.0.0.1", method: "CONNECT", path: to, headers })
      asked.once("connect", (response, socket) => {
        socket.destroy()
        resolve(response.statusCode ?? 0)
      })
      asked.once("response", response => resolve(response.statusCode ?? 0)).once("error", reject)
      asked.end()
    })

  it("refuses who has not its credentials, and counts it", async () => {
    assert.equal((await get("/one", {})).status, 407)
    assert.equal((await get("/one", { "proxy-authorization": "Basic d3Jvbmc=" })).status, 407)
    assert.equal(await tunnel("name.test:80", {}), 407)
    assert.equal(proxy.refused(), 3)
    assert.deepEqual(site.visits, [])
  })
  it("leads to the site and notes who came by it", async () => {
    assert.match((await get("/two/pressed", login())).text, /pressed \/two\/pressed/)
    await fetch(`http://127.0.0.1:${site.port}/three`)
    assert.deepEqual(
      site.visits.map(({ path, byProxy }) => [path, byProxy]),
      [
        ["/two/pressed", true],
        ["/three", false],
      ],
    )
  })
  it("opens tunnels to port 80 and notes them", async () => {
    assert.equal(await tunnel("name.test:80", login()), 200)
    assert.equal(await tunnel("name.test:443", login()), 502)
    assert.deepEqual(proxy.tunnels, ["name.test:80"])
  })
})
