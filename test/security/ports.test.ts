import assert from "node:assert/strict"
import { createHash, randomBytes } from "node:crypto"
import { once } from "node:events"
import { createServer, type IncomingMessage, type Server } from "node:http"
import { type RequestOptions, request } from "node:https"
import type { AddressInfo } from "node:net"
import WebSocket, { WebSocketServer } from "ws"
import { workspaceKey } from "../../service/machines/workspace-key.ts"
import { which } from "../../tools/setup/run.ts"
import { foozolCloud } from "../support/command-line.ts"
import { type MachineNginx, startMachineNginx } from "../support/machine-nginx.ts"
import { cookieOf, startTestService, type TestService } from "../support/service.ts"
import { skipSuite } from "../support/skip.ts"
import { startTestAgent, type TestAgent } from "../support/test-agent.ts"
import { csrfOf, type Visitor } from "../support/visitor.ts"
import { waitUntil } from "../support/wait-until.ts"

/** A user's web server behind a machine's real NGINX and agent, with the real service: who sees it, and how. */
describe("security: ports of a machine", () => {
  let test: TestService
  let agent: TestAgent
  let nginx: MachineNginx
  let program: Server
  let sockets: WebSocketServer
  let ada: Visitor
  let workspace: string
  let host: string
  let port: number
  /** Requests as the program got them. */
  let got: IncomingMessage[]

  before(async function () {
    if (!(await which("nginx"))) return skipSuite(this, "this system has no NGINX")
    test = await startTestService({}, { heartbeatMs: 3_600_000 })
    ada = await test.signIn("ada")
    const { body } = await test.api(ada, "POST", "/workspaces", { sizeClass: "small", region: "fsn1" })
    assert.equal((await test.finished(ada, body.operation.id)).state, "succeeded")
    workspace = body.workspace.id
    const key = workspaceKey(test.service.services.keys, workspace)
    got = []
    program = createServer((asked, answer) => {
      got.push(asked)
      void respond(asked, answer)
    })
    sockets = new WebSocketServer({ server: program, path: "/socket", handleProtocols: () => "vite-hmr" })
    sockets.on("headers", lines => lines.push("Set-Cookie: __Host-foozol-port=evil; Path=/; Secure", "X-Own: 1"))
    sockets.on("connection", (socket, asked) => {
      got.push(asked)
      socket.on("message", data => socket.send(`echo ${data}`))
    })
    program.listen(0, "127.0.0.1")
    await once(program, "listening")
    port = (program.address() as AddressInfo).port
    agent = await startTestAgent({
      config: { workspace, service: test.url, workspaceKey: key, userUid: process.getuid?.() ?? 0 },
      times: { recheckMs: 3_600_000, heartbeatMs: 3_600_000, portsMs: 100 },
    })
    await waitUntil("the agent follows the service", () => agent.logged.includes("settings are in force"))
    host = `${workspace}.desk.example`
    nginx = await startMachineNginx({ host, service: test.url, workspaceKey: key, socket: agent.config.socket })
  })
  after(async () => {
    await nginx?.close()
    await agent?.close()
    sockets?.close()
    program?.closeAllConnections()
    program?.close()
    await test?.close()
  })
  beforeEach(async () => {
    await test.forgetLimits()
    got = []
  })

  async function respond(asked: IncomingMessage, answer: import("node:http").ServerResponse): Promise<void> {
    switch (new URL(asked.url ?? "/", "http://x").pathname) {
      case "/stream":
        answer.writeHead(200, { "content-type": "text/event-stream" })
        return void answer.write("data: first\n\n")
      case "/upload": {
        const sum = createHash("sha256")
        for await (const part of asked) sum.update(part)
        return void answer.end(sum.digest("hex"))
      }
      case "/evil":
        answer.writeHead(200, {
          "set-cookie": ["__Host-foozol-port=evil; Path=/; Secure", "sid=1; Domain=desk.example; Path=/"],
          "x-accel-redirect": "/pages/signed-out.html",
          "clear-site-data": '"cookies"',
        })
        return void answer.end("still the program")
      case "/away":
        return void answer.writeHead(302, { location: `http://localhost:${port}/there` }).end()
      case "/cut":
        return void answer.destroy()
      case "/401":
        return void answer.writeHead(401, { "www-authenticate": "Basic" }).end("its own no")
      default:
        answer.end(`hello ${asked.method} ${asked.url}`)
    }
  }

  const at = (number = port) => `${number}.${host}`
  const cookie = (token: string) => ({ cookie: `mine=1; __Host-foozol-port=${token}` })
  const own = (number = port) => ({ origin: `https://${at(number)}` })

  interface Answer {
    status: number
    headers: NodeJS.Dict<string | string[]>
    text: string
  }
  /** Begins a request; `first` is its first piece. */
  function begin(
    path: string,
    headers: Record<string, string>,
    given: { method?: string; number?: number; body?: Buffer } = {},
  ) {
    const name = given.number === 0 ? host : at(given.number)
    const to: RequestOptions = { host: "127.0.0.1", port: nginx.port, servername: name, rejectUnauthorized: false }
    const call = request({
      ...{ ...to, path, method: given.method ?? "GET", agent: false, headers: { host: name, ...headers } },
    })
    call.end(given.body)
    return call
  }
  function get(...given: Parameters<typeof begin>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const call = begin(...given)
      call.on("error", reject)
      call.on("response", answer => {
        let text = ""
        answer.setEncoding("utf8").on("data", part => (text += part))
        answer.on("error", reject)
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }))
      })
    })
  }
  /** Opens the program's WebSocket: the socket, or the status it was refused with. */
  function open(headers: Record<string, string>, number = port): Promise<WebSocket | number> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(`wss://127.0.0.1:${nginx.port}/socket?token=its-own`, "vite-hmr", {
        ...{ headers: { host: at(number), ...headers }, rejectUnauthorized: false },
      })
      socket.on("open", () => resolve(socket))
      socket.on("unexpected-response", (_, answer) => {
        answer.resume()
        resolve(answer.statusCode ?? 0)
      })
      socket.on("error", reject)
    })
  }
  async function linkFor(who: Visitor, number = port): Promise<URL> {
    const answer = await fetch(`${test.url}/connect?workspace=${workspace}&to=port-${number}`, {
      headers: { cookie: cookieOf(who) },
      redirect: "manual",
    })
    return new URL(answer.headers.get("location") ?? "")
  }
  const tokenOf = ({ headers }: Answer) => {
    const [line = ""] = headers["set-cookie"] as string[]
    assert.match(line, /^__Host-foozol-port=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Lax$/)
    return /=([^;]+)/.exec(line)?.[1] as string
  }
  async function enter(who = ada): Promise<string> {
    const { hostname, pathname, search } = await linkFor(who)
    assert.equal(hostname, at())
    const entered = await get(`${pathname}${search}`, {})
    assert.deepEqual([entered.status, entered.headers.location], [303, "/"])
    return tokenOf(entered)
  }
  async function share(span = "hour", number = port) {
    const made = await test.api(ada, "POST", `/workspaces/${workspace}/ports/${number}/shares`, { for: span })
    assert.equal(made.status, 201)
    return made.body as { share: { id: string; endsAt: string }; url: string }
  }
  async function visit(url: string): Promise<Answer> {
    const { pathname, search } = new URL(url)
    return get(`${pathname}${search}`, {})
  }

  it("its owner comes in by a ticket, once, and the program hears of none of it", async () => {
    const { pathname, search } = await linkFor(ada)
    const token = tokenOf(await get(`${pathname}${search}`, {}))
    const again = await get(`${pathname}${search}`, {})
    assert.equal(again.status, 401)
    assert.equal(again.headers["set-cookie"], undefined)
    assert.equal(got.length, 0)
    const page = await get("/a%20b?q=1", { ...cookie(token), ...own(), "x-forwarded-host": "evil.example" })
    assert.deepEqual([page.status, page.text], [200, "hello GET /a%20b?q=1"])
    const { headers } = got[0] as IncomingMessage
    assert.equal(headers.cookie, "mine=1")
    assert.equal(headers.host, `localhost:${port}`)
    assert.equal(headers.origin, `http://localhost:${port}`)
    assert.ok(!JSON.stringify(headers).includes(token))
    for (const name of ["x-foozol-port", "x-foozol-token", "x-forwarded-host"]) assert.equal(headers[name], undefined)
  })

  it("nobody else comes in, and what lets in to a port opens neither the desktop nor another port", async () => {
    const token = await enter()
    const desktop = new URL(
      (
        await fetch(`${test.url}/connect?workspace=${workspace}`, {
          headers: { cookie: cookieOf(ada) },
          redirect: "manual",
        })
      ).headers.get("location") ?? "",
    )
    assert.equal((await get(`/.foozol/enter${desktop.search}`, {})).status, 403, "a ticket for the desktop")
    const { search } = await linkFor(ada)
    assert.equal((await get(`/enter${search}`, {}, { number: 0 })).status, 403, "a port's ticket at the desktop")
    const there = await get(`/.foozol/enter${(await linkFor(ada, 3999)).search}`, {})
    assert.equal(there.status, 403, "another port's ticket")
    assert.equal((await get("/", { cookie: `__Host-foozol=${token}` }, { number: 0 })).status, 403)
    assert.equal((await get("/", cookie(token), { number: 3999 })).status, 403)
    const eve = await test.signIn("eve")
    const foreign = `${test.url}/connect?workspace=${workspace}&to=port-${port}`
    assert.equal((await fetch(foreign, { headers: { cookie: cookieOf(eve) }, redirect: "manual" })).status, 404)
    for (const headers of [
      {},
      cookie("x".repeat(43)),
      { cookie: `__Host-foozol=${token}` },
      { "x-foozol-token": token },
    ]) {
      const refused = await get("/", headers as Record<string, string>)
      assert.equal(refused.status, 401)
      assert.match(refused.text, /You are not let in here/)
      assert.match(refused.text, new RegExp(`workspace=blue-otter&#38;to=port-${port}`))
    }
    assert.equal(await open(own()), 401)
    assert.equal(got.length, 0)
  })

  it("pages of other sites and workspaces use nobody's cookie", async () => {
    const token = await enter()
    for (const headers of [
      { origin: "https://evil.example" },
      { origin: `https://${port}.red-fox.desk.example` },
      { origin: `https://${host}` },
      { "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script" },
    ]) {
      assert.equal((await get("/", { ...cookie(token), ...(headers as object) })).status, 403, JSON.stringify(headers))
    }
    for (const origin of ["https://evil.example", "null", `https://${host}`])
      assert.equal(await open({ ...cookie(token), origin }), 403)
    assert.equal(await open(cookie(token)), 403)
    assert.equal(got.length, 0)
  })

  it("the program can neither set our cookie nor another host's, nor steer NGINX", async () => {
    const token = await enter()
    const evil = await get("/evil", cookie(token))
    assert.equal(evil.text, "still the program")
    assert.deepEqual(evil.headers["set-cookie"], ["sid=1; Path=/"])
    assert.equal(evil.headers["clear-site-data"], undefined)
    assert.equal((await get("/away", cookie(token))).headers.location, `https://${at()}/there`)
    const no = await get("/401", cookie(token))
    assert.deepEqual([no.status, no.text], [401, "its own no"])
    const cut = await get("/cut", cookie(token))
    assert.equal(cut.status, 502)
    assert.match(cut.text, /does not answer/)
  })

  it("streams come piece by piece, uploads pass whole and are as long as they are", async () => {
    const token = await enter()
    const call = begin("/stream", cookie(token))
    const [answer] = (await once(call, "response")) as [IncomingMessage]
    const [first] = await once(answer, "data")
    assert.equal(String(first), "data: first\n\n")
    answer.on("error", () => {})
    call.destroy()
    // Longer than what the desktop's own paths take.
    const body = randomBytes(24 * 1024 * 1024)
    const sum = createHash("sha256").update(body).digest("hex")
    const sent = await get(
      "/upload",
      { ...cookie(token), "content-length": String(body.length) },
      { method: "POST", body },
    )
    assert.deepEqual([sent.status, sent.text], [200, sum])
    const chunked = await get(
      "/upload",
      { ...cookie(token), "transfer-encoding": "chunked" },
      { method: "DELETE", body },
    )
    assert.deepEqual([chunked.status, chunked.text], [200, sum])
  })

  it("a WebSocket speaks both ways, with the protocol they agree on", async () => {
    const socket = await open({ ...cookie(await enter()), ...own() })
    assert.ok(typeof socket === "object")
    assert.equal(socket.protocol, "vite-hmr")
    const heard = once(socket, "message")
    socket.send("hot")
    assert.equal(String((await heard)[0]), "echo hot")
    assert.equal(got[0]?.url, "/socket?token=its-own")
    assert.equal(got[0]?.headers.cookie, "mine=1")
    socket.close()
  })

  it("sign-out ends what is open, and the same cookie opens nothing any more", async () => {
    const other = await test.signIn("ada")
    const token = await enter(other)
    const socket = await open({ ...cookie(token), ...own() })
    assert.ok(typeof socket === "object")
    const call = begin("/stream", cookie(token))
    const [answer] = (await once(call, "response")) as [IncomingMessage]
    const ended = Promise.all([once(socket, "close"), new Promise(resolve => answer.on("error", resolve))])
    answer.resume()
    socket.on("error", () => {})
    const csrf = csrfOf(await other.get(`${test.url}/account`))
    // Pushed: the agent's own re-check comes once an hour here.
    await other.post(`${test.url}/sign-out`, { csrf }, { origin: test.url })
    await ended
    assert.equal((await get("/", cookie(token))).status, 401)
    assert.equal(await open({ ...cookie(token), ...own() }), 401)
  })

  it("a port is listed with its program, and what is never shown is neither listed, shown nor shared", async () => {
    const list = () => test.api(ada, "GET", `/workspaces/${workspace}/ports`)
    const found = await waitUntil("the port is listed", async () => {
      const { body } = await list()
      return body.ports.find((one: { port: number }) => one.port === port)
    })
    assert.match(found.program, /^node /)
    assert.equal(found.url, `${test.url}/connect?workspace=${workspace}&to=port-${port}`)
    const vnc = agent.config.vnc.port
    assert.ok(!(await list()).body.ports.some((one: { port: number }) => one.port === vnc))
    const { pathname, search } = await linkFor(ada, vnc)
    const token = tokenOf(await get(`${pathname}${search}`, {}, { number: vnc }))
    const nobody = await get("/", cookie(token), { number: vnc })
    assert.equal(nobody.status, 502)
    assert.match(nobody.text, new RegExp(`Nothing listens on port ${vnc}`))
    for (const number of [5900, 9222, 3128]) {
      assert.equal((await get("/", cookie(token), { number })).status, 404)
      const refused = await test.api(ada, "POST", `/workspaces/${workspace}/ports/${number}/shares`, { for: "day" })
      assert.deepEqual([refused.status, refused.body.id], [409, "reserved-port"])
    }
    const eve = await test.signIn("eve")
    assert.equal((await test.api(eve, "GET", `/workspaces/${workspace}/ports`)).status, 404)
    const page = await ada.get(`${test.url}/workspaces/${workspace}`)
    assert.match(page.text, new RegExp(`to=port-${port}`))
  })

  it("a program that is seen counts as use of the workspace", async () => {
    const { reports } = test.service.services
    await get("/", cookie(await enter()))
    await agent.ask("POST", "/agent/stay")
    const { report } = await reports.last(workspace)
    assert.equal(report?.signals.webUis, 1)
  })

  describe("shares", () => {
    it("whoever has the link sees this port alone; visits are counted, the secret is kept as a hash, and it is in the audit", async () => {
      const { share: made, url } = await share("day")
      assert.ok(Date.parse(made.endsAt) - Date.now() > 23.9 * 3_600_000)
      const token = tokenOf(await visit(url))
      assert.equal((await get("/", cookie(token))).text, "hello GET /")
      tokenOf(await visit(url))
      assert.equal((await get("/", cookie(token), { number: 3999 })).status, 403)
      assert.equal((await get("/", { cookie: `__Host-foozol=${token}` }, { number: 0 })).status, 403)
      const { search } = new URL(url)
      assert.equal((await get(`/.foozol/enter${search}`, {}, { number: 3999 })).status, 403)
      assert.equal((await get(`/enter${search.replace("share", "ticket")}`, {}, { number: 0 })).status, 401)
      const { body } = await test.api(ada, "GET", `/workspaces/${workspace}/ports`)
      assert.deepEqual([body.shares[0].id, body.shares[0].port, body.shares[0].visits], [made.id, port, 2])
      const secret = new URL(url).searchParams.get("share") as string
      const { redis } = test.service.services
      // However often somebody comes, there is no more to keep.
      const kept = async () => (await redis.keys("fz:*")).filter(key => /vnc|share|ticket/.test(key)).sort()
      const before = await kept()
      for (let visits = 0; visits < 5; visits++) assert.equal(tokenOf(await visit(url)), token)
      assert.deepEqual(await kept(), before)
      const sets = await redis.keys("fz:vnc-of:share:*")
      assert.deepEqual(await Promise.all(sets.map(set => redis.scard(set))), [1])
      for (const key of await redis.keys("*")) {
        const kept = (await redis.type(key)) === "hash" ? JSON.stringify(await redis.hgetall(key)) : key
        assert.ok(!kept.includes(secret) && !kept.includes(token), key)
      }
      assert.ok(!test.logged().includes(secret) && !(await nginx.accessLog()).includes(secret))
      const audit = await waitUntil("the share is in the audit log", async () => {
        const entries = []
        for await (const one of test.service.services.audit.all({})) entries.push(one)
        return entries.find(one => one.action === "sharePort" && one.input.for === "day")
      })
      assert.deepEqual([audit.workspace, audit.input], [workspace, { for: "day", port }])
      await test.api(ada, "DELETE", `/workspaces/${workspace}/shares/${made.id}`)
    })

    it("taken back, it ends what is open at once; its owner goes on", async () => {
      const { share: made, url } = await share()
      const token = tokenOf(await visit(url))
      const [theirs, mine] = [
        await open({ ...cookie(token), ...own() }),
        await open({ ...cookie(await enter()), ...own() }),
      ]
      assert.ok(typeof theirs === "object" && typeof mine === "object")
      const closed = once(theirs, "close")
      theirs.on("error", () => {})
      const ended = await test.api(ada, "DELETE", `/workspaces/${workspace}/shares/${made.id}`)
      assert.equal(ended.status, 204)
      await closed
      assert.equal((await get("/", cookie(token))).status, 401)
      assert.equal((await visit(url)).status, 401)
      const heard = once(mine, "message")
      mine.send("on")
      assert.equal(String((await heard)[0]), "echo on")
      mine.close()
      assert.equal((await test.api(ada, "DELETE", `/workspaces/${workspace}/shares/${made.id}`)).status, 404)
    })

    it("a form on the workspace's page makes one and ends it", async () => {
      const page = await ada.get(`${test.url}/workspaces/${workspace}`)
      const csrf = csrfOf(page)
      const made = await ada.post(
        `${test.url}/workspaces/${workspace}/shares`,
        { csrf, port: String(port), for: "week" },
        { origin: test.url },
      )
      const url = /https:\/\/[^<"\s]+\?share=[\w-]+/.exec(made.text)?.[0] as string
      assert.equal((await visit(url)).status, 303)
      const again = await ada.get(`${test.url}/workspaces/${workspace}`)
      assert.ok(!again.text.includes("?share="), "its link is shown once")
      const [, end = ""] = /action="([^"]+\/shares\/[0-9a-f]{16}\/end)"/.exec(again.text) ?? []
      await ada.post(`${test.url}${end}`, { csrf }, { origin: test.url })
      assert.equal((await visit(url)).status, 401)
    })

    it("the command line lists ports, makes a link, and ends it", async () => {
      const env = { FOOZOL_API_URL: test.url, FOOZOL_API_TOKEN: await test.token(ada, "write") }
      const listed = await foozolCloud(["workspace", "ports", workspace], env)
      assert.match(listed.stdout, new RegExp(`${port}\\s+node .*to=port-${port}`))
      const made = await foozolCloud(["workspace", "share", workspace, String(port), "--for", "day", "--json"], env)
      const { share, url } = JSON.parse(made.stdout)
      assert.equal((await visit(url)).status, 303)
      assert.match((await foozolCloud(["workspace", "ports", workspace], env)).stdout, new RegExp(share.id))
      assert.match((await foozolCloud(["workspace", "unshare", workspace, share.id], env)).stdout, /has ended/)
      assert.equal((await visit(url)).status, 401)
      assert.match((await foozolCloud(["workspace", "share", workspace, "80"], env)).stderr, /from 1024 up/)
    })

    it("there are not more than twenty, and the workspace's stop ends all of them", async () => {
      const all = []
      for (let n = 0; n < 20; n++) all.push(await share())
      const more = await test.api(ada, "POST", `/workspaces/${workspace}/ports/${port}/shares`, { for: "hour" })
      assert.deepEqual([more.status, more.body.id], [409, "too-many-shares"])
      const token = tokenOf(await visit((all[0] as { url: string }).url))
      const stop = await test.api(ada, "POST", `/workspaces/${workspace}/stop`, {})
      assert.equal((await test.finished(ada, stop.body.operation.id)).state, "succeeded")
      const off = await test.api(ada, "GET", `/workspaces/${workspace}/ports`)
      assert.deepEqual(off.body, { ports: [], shares: [] })
      const refused = await test.api(ada, "POST", `/workspaces/${workspace}/ports/${port}/shares`, { for: "hour" })
      assert.deepEqual([refused.status, refused.body.id], [409, "not-running"])
      const start = await test.api(ada, "POST", `/workspaces/${workspace}/start`, {})
      assert.equal((await test.finished(ada, start.body.operation.id)).state, "succeeded")
      assert.equal((await visit((all[0] as { url: string }).url)).status, 401)
      await waitUntil(
        "the visitor's token is nothing any more",
        async () => (await get("/", cookie(token))).status === 401,
      )
    })
  })
})
