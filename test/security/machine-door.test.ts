import assert from "node:assert/strict"
import { once } from "node:events"
import { Agent, request as plainRequest } from "node:http"
import { type RequestOptions, request } from "node:https"
import WebSocket from "ws"
import { workspaceKey } from "../../service/machines/workspace-key.ts"
import { which } from "../../tools/setup/run.ts"
import { type MachineNginx, startMachineNginx } from "../support/machine-nginx.ts"
import { cookieOf, startTestService, type TestService } from "../support/service.ts"
import { skipSuite } from "../support/skip.ts"
import { startTestAgent, type TestAgent } from "../support/test-agent.ts"
import { csrfOf, type Visitor } from "../support/visitor.ts"
import { waitUntil } from "../support/wait-until.ts"

/** A machine's real NGINX and agent in front, the real service behind: who gets through. */
describe("security: the door of a machine", () => {
  let test: TestService
  let agent: TestAgent
  let nginx: MachineNginx
  let visitor: Visitor
  let workspace: string
  let host: string
  let key: string

  before(async function () {
    if (!(await which("nginx"))) return skipSuite(this, "this system has no NGINX")
    test = await startTestService()
    visitor = await test.signIn("ada")
    const { body } = await test.api(visitor, "POST", "/workspaces", { sizeClass: "small", region: "fsn1" })
    assert.equal((await test.finished(visitor, body.operation.id)).state, "succeeded")
    workspace = body.workspace.id
    host = `${workspace}.desk.example`
    key = workspaceKey(test.service.services.keys, workspace)
    agent = await startTestAgent({
      config: { workspace, service: test.url, workspaceKey: key },
      times: { recheckMs: 3_600_000, heartbeatMs: 3_600_000 },
    })
    await waitUntil("the agent follows the service", () => agent.logged.includes("settings are in force"))
    nginx = await startMachineNginx({ host, service: test.url, workspaceKey: key, socket: agent.config.socket })
  })
  after(async () => {
    await nginx?.close()
    await agent?.close()
    await test?.close()
  })
  beforeEach(() => test.forgetLimits())

  interface Answer {
    status: number
    headers: NodeJS.Dict<string | string[]>
    text: string
  }
  function get(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const at: RequestOptions = { host: "127.0.0.1", port: nginx.port, servername: host, rejectUnauthorized: false }
      const call = request({ ...at, path, method, agent: false, headers: { host, ...headers } }, answer => {
        let text = ""
        answer.setEncoding("utf8").on("data", part => (text += part))
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }))
      })
      call.on("error", reject)
      call.end()
    })
  }
  /** Tries an upgrade: the stream, or the status it was refused with. */
  function upgrade(
    headers: Record<string, string>,
    path = "/vnc",
  ): Promise<{ socket: WebSocket; first: Promise<unknown[]> } | number> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(`wss://127.0.0.1:${nginx.port}${path}`, "binary", {
        headers: { host, ...headers },
        rejectUnauthorized: false,
        perMessageDeflate: false,
      })
      const first = once(socket, "message")
      first.catch(() => {})
      socket.on("open", () => resolve({ socket, first }))
      socket.on("unexpected-response", (_, answer) => {
        answer.resume()
        resolve(answer.statusCode ?? 0)
      })
      socket.on("error", reject)
    })
  }
  const own = () => ({ origin: `https://${host}` })
  const cookie = (token: string) => ({ cookie: `__Host-foozol=${token}` })
  async function ticketFor(who: Visitor): Promise<string> {
    const answer = await fetch(`${test.url}/connect?workspace=${workspace}`, {
      headers: { cookie: cookieOf(who) },
      redirect: "manual",
    })
    return new URL(answer.headers.get("location") ?? "").searchParams.get("ticket") as string
  }
  async function enter(who = visitor): Promise<string> {
    const { status, headers } = await get(`/enter?ticket=${await ticketFor(who)}`)
    assert.equal(status, 303)
    assert.equal(headers.location, "/")
    const [line = ""] = headers["set-cookie"] as string[]
    assert.match(line, /^__Host-foozol=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Lax$/)
    return /=([^;]+)/.exec(line)?.[1] as string
  }

  it("a ticket at /enter is traded for a cookie once, and the cookie opens the page", async () => {
    const ticket = await ticketFor(visitor)
    const token = /=([^;]+)/.exec(
      ((await get(`/enter?ticket=${ticket}`)).headers["set-cookie"] as string[])[0] ?? "",
    )?.[1]
    const again = await get(`/enter?ticket=${ticket}`)
    assert.equal(again.status, 401)
    assert.equal(again.headers["set-cookie"], undefined)
    const page = await get("/", cookie(token as string))
    assert.equal(page.status, 200)
    assert.match(page.text, /<script/)
  })

  it("a ticket leads to the terminals where that was asked for, and nowhere else", async () => {
    const answer = await fetch(`${test.url}/connect?workspace=${workspace}&to=terminal`, {
      headers: { cookie: cookieOf(visitor) },
      redirect: "manual",
    })
    const { pathname, search } = new URL(answer.headers.get("location") ?? "")
    const entered = await get(`${pathname}${search}`)
    assert.deepEqual([entered.status, entered.headers.location], [303, "/terminal"])
    const token = /=([^;]+)/.exec((entered.headers["set-cookie"] as string[])[0] ?? "")?.[1] as string
    const page = await get("/terminal", cookie(token))
    assert.equal(page.status, 200)
    assert.match(page.text, /xterm\.js/)
    assert.doesNotMatch(String(page.headers["content-security-policy"]), /unsafe/)
    const { headers: toFiles } = await get(`/enter?ticket=${await ticketFor(visitor)}&to=files`)
    assert.equal(toFiles.location, "/files")
    const { headers: toAgents } = await get(`/enter?ticket=${await ticketFor(visitor)}&to=agents`)
    assert.equal(toAgents.location, "/agents")
    for (const to of ["//evil.example", "https://evil.example", "/agent/status", "terminal/../x"]) {
      const { headers } = await get(`/enter?ticket=${await ticketFor(visitor)}&to=${encodeURIComponent(to)}`)
      assert.equal(headers.location, "/", to)
    }
    const foreign = await fetch(`${test.url}/connect?workspace=${workspace}&to=//evil.example`, {
      headers: { cookie: cookieOf(visitor) },
      redirect: "manual",
    })
    assert.equal(new URL(foreign.headers.get("location") ?? "").searchParams.get("to"), null)
  })

  it("cross-site WebSocket: an upgrade with another Origin, or with none, is refused with a good token", async () => {
    const token = await enter()
    const origins = [
      { origin: "https://evil.example" },
      { origin: `http://${host}` },
      { origin: `https://${host}.evil.example` },
      { origin: `https://evil.example|https://${host}` },
      { origin: `https://evil.${host}` },
      { origin: `https://${host}:444` },
      { origin: test.url },
      { origin: "null" },
      {},
    ]
    for (const headers of origins) {
      for (const path of ["/vnc", "/terminal/stream"]) {
        const refused = await upgrade({ ...(headers as Record<string, string>), ...cookie(token) }, path)
        assert.equal(refused, 403, `${path} ${JSON.stringify(headers)}`)
      }
    }
    // Another name in Host than its own does not make a foreign page an own one: its cookie belongs to the name.
    assert.equal(await upgrade({ host: "evil.example", ...own(), ...cookie(token) }), 403)
  })

  it("an upgrade with the own Origin and a good token is admitted, and the desktop speaks", async () => {
    const opened = await upgrade({ ...own(), ...cookie(await enter()) })
    assert.ok(typeof opened === "object")
    const [data] = await opened.first
    assert.equal(String(data), "RFB 003.008\n")
    opened.socket.close()
  })

  it("without a token, with another's or with one that is none: no page, no stream, no agent", async () => {
    const eve = await test.signIn("eve")
    const made = await test.api(eve, "POST", "/workspaces", { sizeClass: "small", region: "fsn1" })
    await test.finished(eve, made.body.operation.id)
    const { tokens, keys } = test.service.services
    const answer = await fetch(`${test.url}/connect?workspace=${made.body.workspace.id}`, {
      headers: { cookie: cookieOf(eve) },
      redirect: "manual",
    })
    const ticket = new URL(answer.headers.get("location") ?? "").searchParams.get("ticket") as string
    const eves = (await tokens.redeem(ticket, made.body.workspace.id, Date.now())).token as string
    assert.ok(keys && eves)
    for (const [expected, headers] of [
      [401, {}],
      [401, cookie("x".repeat(43))],
      [401, { cookie: cookieOf(eve) }],
      [403, cookie(eves)],
    ] as const) {
      assert.equal(await upgrade({ ...own(), ...headers }), expected)
      for (const path of ["/", "/terminal", "/files", "/files/list", "/agent/status", "/agent/events"]) {
        const refused = await get(path, headers)
        assert.equal(refused.status, expected, path)
        assert.match(refused.text, /<html/i)
        assert.doesNotMatch(refused.text, /vnc/i, "the page says only that somebody has to sign in")
      }
    }
    assert.equal((await get("/enter")).status, 401)
    assert.equal((await get(`/_authorize`, cookie(await enter()))).status, 404, "the question itself is out of reach")
  })

  it("sign-out closes the open stream, and the same cookie opens none any more", async () => {
    const other = await test.signIn("ada")
    const token = await enter(other)
    const opened = await upgrade({ ...own(), ...cookie(token) })
    assert.ok(typeof opened === "object")
    await opened.first
    const closed = once(opened.socket, "close")
    const csrf = csrfOf(await other.get(`${test.url}/account`))
    await other.post(`${test.url}/sign-out`, { csrf }, { origin: test.url })
    const [code] = await closed
    // Pushed: the agent's own re-check comes once an hour here.
    assert.equal(code, 4401)
    assert.equal(await upgrade({ ...own(), ...cookie(token) }), 401)
  })

  it("a change at the agent needs the own Origin, whatever the token is", async () => {
    const token = await enter()
    assert.equal((await get("/agent/resize", { ...cookie(token), origin: "https://evil.example" }, "POST")).status, 403)
    assert.equal((await get("/agent/resize", cookie(token), "POST")).status, 403)
  })

  it("neither ticket nor token is written into the machine's log", async () => {
    const ticket = await ticketFor(visitor)
    const answer = await get(`/enter?ticket=${ticket}`)
    const token = /=([^;]+)/.exec((answer.headers["set-cookie"] as string[])[0] ?? "")?.[1] as string
    await get(`/?token=${token}`, cookie(token))
    const log = await waitUntil("the requests are written down", async () => {
      const text = await nginx.accessLog()
      return text.includes('"GET /enter" 303') && text
    })
    assert.ok(!log.includes(ticket) && !log.includes(token))
  })

  it("the question is answered without a body over one kept connection, whatever the answer is", async () => {
    const token = await enter()
    const keeping = new Agent({ keepAlive: true, maxSockets: 1 })
    const ask = (headers: Record<string, string>) =>
      new Promise<{ status: number; reused: boolean; length: string | undefined; bytes: number }>((resolve, reject) => {
        const call = plainRequest(`${test.url}/vnc/authorize`, { agent: keeping, headers }, answer => {
          let bytes = 0
          answer.on("data", part => (bytes += part.length))
          answer.on("end", () =>
            resolve({
              status: answer.statusCode ?? 0,
              reused: call.reusedSocket,
              length: answer.headers["content-length"],
              bytes,
            }),
          )
        })
        call.on("error", reject)
        call.end()
      })
    const authorization = `Bearer ${key}`
    const answers = [
      await ask({ authorization, "x-foozol-token": token }),
      await ask({ authorization }),
      await ask({}),
      await ask({ authorization, "x-foozol-token": token }),
    ]
    await test.redis.kill()
    answers.push(await ask({ authorization, "x-foozol-token": token }))
    await test.redis.resume()
    await waitUntil("ready again", async () => (await fetch(`${test.url}/readyz`)).ok)
    answers.push(await ask({ authorization, "x-foozol-token": token }))
    keeping.destroy()
    assert.deepEqual(
      answers.map(one => one.status),
      [204, 401, 401, 204, 503, 204],
    )
    for (const one of answers) assert.equal(one.bytes, 0)
    for (const one of answers) assert.equal(one.length, one.status === 204 ? undefined : "0")
    assert.deepEqual(
      answers.map(one => one.reused),
      [false, true, true, true, true, true],
    )
  })

  it("service away: 503 for everybody, nobody is admitted, and its return lets the same cookie in", async () => {
    const token = await enter()
    const away = async () => {
      assert.equal(await upgrade({ ...own(), ...cookie(token) }), 503)
      for (const path of ["/", "/agent/status", "/files/list", `/enter?ticket=${"t".repeat(43)}`]) {
        const answer = await get(path, cookie(token))
        assert.equal(answer.status, 503, path)
        assert.equal(answer.headers["set-cookie"], undefined)
        assert.match(answer.text, /<html/i)
      }
    }
    await test.redis.kill()
    await away()
    await test.redis.resume()
    await test.service.stop()
    await away()
    await test.restart()
    await waitUntil("admitted again", async () => (await get("/", cookie(token))).status === 200)
    const opened = await upgrade({ ...own(), ...cookie(token) })
    assert.ok(typeof opened === "object")
    opened.socket.close()
  })
})
