import assert from "node:assert/strict"
import { once } from "node:events"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import type { Browser, BrowserContext, Page } from "playwright-core"
import { WebSocketServer } from "ws"
import { which } from "../../tools/setup/run.ts"
import { findChromium, launchChromium } from "../support/chromium.ts"
import { type MachineNginx, startMachineNginx } from "../support/machine-nginx.ts"
import { skipSuite } from "../support/skip.ts"
import { startTestAgent, type TestAgent } from "../support/test-agent.ts"
import { waitUntil } from "../support/wait-until.ts"

/** Names below localhost lead here in every browser. */
const HOST = "blue-otter.foozol.localhost"

/** What a development server sends: modules, events, and a socket by which changes come. */
const PAGE = `<!doctype html><title>mine</title><script type="module" src="/main.js"></script>`
const MAIN = `
import { word } from "./word.js"
const say = (name, value) => document.body.append(Object.assign(document.createElement("p"), { id: name, textContent: value }))
say("module", word)
say("cookies", document.cookie)
document.cookie = "__Host-foozol-port=stolen; Path=/; Secure"
document.cookie = "__Host-foozol=stolen; Path=/; Secure; Domain=foozol.localhost"
say("sent", await (await fetch("/sent", { method: "POST", body: "x".repeat(3_000_000) })).text())
new EventSource("/events").onmessage = event => say("event", event.data)
const socket = new WebSocket("wss://" + location.host + "/hot", "vite-hmr")
socket.onopen = () => socket.send("change")
socket.onmessage = event => say("hot", event.data)
socket.onclose = () => say("closed", "closed")
`

/** A user's web server in a real browser: through a machine's NGINX and its agent. */
describe("ports in the browser", () => {
  let browser: Browser
  let context: BrowserContext
  let page: Page
  let agent: TestAgent
  let nginx: MachineNginx
  let program: Server
  let sockets: WebSocketServer
  /** Paths that the program was asked for, with its cookies. */
  let asked: string[]
  let port: number

  before(async function () {
    const chromium = findChromium()
    if (chromium === undefined || !(await which("nginx")))
      return skipSuite(this, "this system has no Chromium or no NGINX")
    browser = await launchChromium(chromium)
  })
  beforeEach(async () => {
    asked = []
    program = createServer((request, response) => {
      asked.push(`${request.url} ${request.headers.cookie ?? ""}`.trim())
      const script = (text: string) => response.writeHead(200, { "content-type": "text/javascript" }).end(text)
      if (request.url === "/main.js") return void script(MAIN)
      if (request.url === "/word.js") return void script('export const word = "loaded"')
      if (request.url === "/events") {
        response.writeHead(200, { "content-type": "text/event-stream" })
        return void response.write("data: came\n\n")
      }
      if (request.url === "/sent") {
        let bytes = 0
        request.on("data", part => (bytes += part.length))
        return void request.on("end", () => response.end(`${bytes} bytes`))
      }
      response.writeHead(200, { "content-type": "text/html" }).end(PAGE)
    })
    sockets = new WebSocketServer({ server: program, path: "/hot", handleProtocols: () => "vite-hmr" })
    sockets.on("connection", socket => socket.on("message", data => socket.send(`hot ${data}`)))
    program.listen(0, "127.0.0.1")
    await once(program, "listening")
    port = (program.address() as AddressInfo).port
    agent = await startTestAgent({ config: { userUid: process.getuid?.() ?? 0 }, times: { recheckMs: 3_600_000 } })
    const { service, config } = agent
    nginx = await startMachineNginx({
      ...{ host: HOST, service: service.url, workspaceKey: service.key, socket: config.socket },
    })
    context = await browser.newContext({ ignoreHTTPSErrors: true })
    page = await context.newPage()
  })
  afterEach(async () => {
    await context?.close()
    await nginx?.close()
    await agent?.close()
    sockets?.close()
    program?.closeAllConnections()
    program?.close()
  })
  after(() => browser?.close())

  const at = () => `https://${port}.${HOST}:${nginx.port}`
  const words = (id: string) => page.locator(`#${id}`).textContent({ timeout: 60_000 })
  async function enter(token = "first"): Promise<void> {
    agent.service.tickets.set(`ticket-${token}`, token)
    await page.goto(`${at()}/.foozol/enter?ticket=ticket-${token}`)
  }

  it("a page with modules, uploads, events and hot reload works, and neither sees nor replaces what lets in", async () => {
    await enter()
    assert.equal(page.url(), `${at()}/`)
    assert.equal(await words("module"), "loaded")
    assert.equal(await words("cookies"), "")
    assert.equal(await words("sent"), "3000000 bytes")
    assert.equal(await words("event"), "came")
    assert.equal(await words("hot"), "hot change")
    const cookies = await context.cookies(at())
    assert.deepEqual(
      cookies.filter(one => one.name.startsWith("__Host-")).map(one => [one.name, one.value, one.httpOnly]),
      [["__Host-foozol-port", "first", true]],
    )
    assert.ok(asked.length >= 5 && !asked.join().includes("foozol"))
    await page.reload()
    assert.equal(await words("hot"), "hot change")
  })

  it("a token that is taken back ends the open page's connections, and the next look says who is let in", async () => {
    await enter()
    await words("hot")
    agent.service.revoke("first")
    assert.equal(await words("closed"), "closed")
    await page.reload()
    assert.match(await page.locator("h1").innerText(), /You are not let in here/)
    assert.match((await page.getByRole("link").getAttribute("href")) ?? "", new RegExp(`&to=port-${port}$`))
  })

  it("a page of another workspace's port reaches it neither by scripts nor by sockets", async () => {
    await enter()
    await words("hot")
    const before = asked.length
    const foreign = `https://3000.red-fox.foozol.localhost:${nginx.port}/`
    await context.route(foreign, route => route.fulfill({ body: "<h1>foreign</h1>", contentType: "text/html" }))
    await page.goto(foreign)
    const tried = await page.evaluate(async there => {
      const plain = await fetch(`${there}/secret`, { mode: "no-cors", credentials: "include" }).then(
        () => "answered",
        () => "failed",
      )
      const posted = await fetch(`${there}/sent`, { method: "POST", mode: "no-cors", credentials: "include" }).catch(
        () => "failed",
      )
      const socket = new WebSocket(`${there.replace("https", "wss")}/hot`, "vite-hmr")
      const code = await new Promise(resolve => {
        socket.onclose = event => resolve(event.code)
        socket.onopen = () => resolve("open")
      })
      return [plain, typeof posted, code]
    }, at())
    assert.equal(tried[2], 1006)
    await waitUntil("nothing more came", () => asked.length === before)
    assert.ok(!asked.join().includes("/secret"))
  })

  it("a program that is not there yet is waited for", async () => {
    await new Promise<void>(resolve => {
      program.closeAllConnections()
      program.close(() => resolve())
    })
    await enter()
    assert.match(await page.locator("h1").innerText(), new RegExp(`Nothing listens on port ${port}`))
    program.listen(port, "127.0.0.1")
    assert.equal(await words("module"), "loaded")
  })
})
