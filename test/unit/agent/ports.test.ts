import assert from "node:assert/strict"
import type { Admission } from "../../../image-builder/agent/admission.ts"
import { hashToken } from "../../../image-builder/agent/admission.ts"
import { isOurs, tokenIn, toProgram, toVisitor } from "../../../image-builder/agent/ports/headers.ts"
import { listenersIn } from "../../../image-builder/agent/ports/listeners.ts"
import { ownerOf } from "../../../image-builder/agent/ports/programs.ts"
import { createVisitors } from "../../../image-builder/agent/ports/visitors.ts"

const HOST = "3000.blue-otter.desk.example"

describe("ports of a machine", () => {
  it("listeners: those of the user, on loopback or everywhere, from 1024 up, and none of ours", () => {
    const line = (local: string, uid: number, inode: number, state = "0A") =>
      `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  ${uid}        0 ${inode} 1`
    const four = [
      "  sl  local_address",
      line("0100007F:0BB8", 1000, 1), // 3000
      line("00000000:1F40", 1000, 2), // 8000
      line("0100007F:1F41", 0, 3), // root's
      line("0100007F:0050", 1000, 4), // 80
      line("0A00000A:1F42", 1000, 5), // another address
      line("0100007F:170C", 1000, 6), // VNC
      line("0100007F:2406", 1000, 7), // debuggers
      line("0100007F:1F43", 1000, 8, "01"), // a connection
      line("0100007F:1F44", 1000, 9), // named by the caller
    ].join("\n")
    const six = [
      "  sl",
      line(`${"0".repeat(32)}:1435`, 1000, 10), // 5173 everywhere
      line(`${"0".repeat(24)}01000000:1436`, 1000, 11), // 5174 on ::1
      line(`${"0".repeat(32)}:0BB8`, 1000, 12), // 3000 again
    ].join("\n")
    assert.deepEqual(listenersIn([four, six], 1000, [0x1f44]), [
      { port: 3000, host: "127.0.0.1", inode: "1" },
      { port: 5173, host: "::1", inode: "10" },
      { port: 5174, host: "::1", inode: "11" },
      { port: 8000, host: "127.0.0.1", inode: "2" },
    ])
  })

  it("a program's name says what a runner runs, and tells no other argument; what debuggers talk to is not shown", () => {
    const name = (comm: string, ...args: string[]) => ownerOf(`${comm}\n`, args.join("\0"))
    const vite = name("node", "/usr/bin/node", "--max-old-space-size=512", "/p/node_modules/.bin/vite", "--key=hush")
    assert.deepEqual(vite, { name: "node vite", isShown: true })
    assert.deepEqual(name("caddy", "/usr/bin/caddy", "run", "--token", "hush"), { name: "caddy", isShown: true })
    assert.deepEqual(name("\u001b[2Jx", "x"), { name: "[2Jx", isShown: true })
    assert.equal(name("chromium", "/usr/lib/chromium/chromium", "--remote-debugging-port=9333").isShown, false)
    assert.equal(name("x", "x", "--remote-debugging-pipe").isShown, false)
    assert.equal(name("electron", "/opt/app/electron").isShown, false)
  })

  it("the program hears everything but our cookie, and that it is visited at the machine itself", () => {
    const told = toProgram(
      {
        host: HOST,
        origin: `https://${HOST}`,
        cookie: "a=1; __Host-foozol-port=secret; __host-FOOZOL=x; b=2",
        connection: "x-hop, keep-alive",
        "x-hop": "1",
        "x-forwarded-for": "10.0.0.1",
        "x-foozol-port": "3000",
        authorization: "Basic abc",
        "transfer-encoding": "chunked",
      },
      HOST,
      3000,
    )
    assert.deepEqual(told, {
      host: "localhost:3000",
      origin: "http://localhost:3000",
      cookie: "a=1; b=2",
      authorization: "Basic abc",
      "transfer-encoding": "chunked",
    })
    const alone = toProgram(
      { host: HOST, cookie: "__Host-foozol-port=secret", origin: "https://x.example" },
      HOST,
      3000,
    )
    assert.deepEqual(alone, { host: "localhost:3000", origin: "https://x.example" })
  })

  it("the visitor hears nothing by which the program could set our cookie, reach its neighbours or steer NGINX", () => {
    const told = toVisitor(
      {
        "set-cookie": [
          "__Host-foozol-port=evil; Path=/; Secure",
          " __HOST-FOOZOL=evil; Path=/",
          "sid=1; Domain=desk.example; Path=/; HttpOnly",
          "domain=not-an-attribute",
        ],
        "x-accel-redirect": "/pages/signed-out.html",
        "clear-site-data": '"cookies"',
        "strict-transport-security": "max-age=0; includeSubDomains",
        connection: "keep-alive",
        location: "http://localhost:3000/next?x=1",
        "content-type": "text/plain",
      },
      HOST,
      3000,
    )
    assert.deepEqual(told, {
      "set-cookie": ["sid=1; Path=/; HttpOnly", "domain=not-an-attribute"],
      location: `https://${HOST}/next?x=1`,
      "content-type": "text/plain",
    })
    for (const location of ["http://localhost:30001/", "https://other.example/", "/here"])
      assert.equal(toVisitor({ location }, HOST, 3000).location, location)
  })

  it("a token is read from its own cookie only", () => {
    assert.equal(tokenIn("x=1; __Host-foozol-port=abc_-1"), "abc_-1")
    for (const none of [undefined, "", "__Host-foozol=abc", "x__Host-foozol-port=abc", "__Host-foozol-port=a b"])
      assert.equal(tokenIn(none), null, none)
  })

  it("requests of pages of other sites and workspaces go without the cookie; links lead here all the same", () => {
    const ours = (headers: Record<string, string>, method = "GET", upgrade = false) =>
      isOurs(method, headers, HOST, upgrade)
    assert.ok(ours({}) && ours({ "sec-fetch-site": "same-origin" }) && ours({ "sec-fetch-site": "none" }))
    assert.ok(ours({ origin: `https://${HOST}` }, "POST") && ours({ origin: `https://${HOST}` }, "GET", true))
    assert.ok(ours({ origin: "https://5173.blue-otter.desk.example" }, "POST"), "another port of the same machine")
    const link = { "sec-fetch-site": "same-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" }
    assert.ok(ours(link))
    assert.ok(!ours(link, "POST"))
    assert.ok(!ours({ ...link, "sec-fetch-dest": "iframe" }))
    assert.ok(!ours({ "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script" }))
    assert.ok(!ours({}, "GET", true), "an upgrade without an origin")
    for (const origin of [
      ...["https://3000.red-fox.desk.example", "https://blue-otter.desk.example", `http://${HOST}`, "null"],
      ...[`https://${HOST}:444`, "https://3000.evil.blue-otter.desk.example", "https://evil.example"],
    ])
      assert.ok(!ours({ origin }) && !ours({ origin }, "GET", true), origin)
  })

  describe("visitors", () => {
    let answer: Admission
    let asked: number
    let at: number
    let visitors: ReturnType<typeof createVisitors>
    beforeEach(() => {
      ;[answer, asked, at] = ["admitted", 0, 0]
      const authorize = async () => {
        asked++
        return answer
      }
      visitors = createVisitors({ authorize, clock: () => at, now: () => at, recheckMs: 10_000, graceMs: 60_000 })
    })
    afterEach(() => visitors.close())

    it("a yes holds for a moment at its own port; what is open is asked about again, and ends at a no", async () => {
      assert.equal(await visitors.admit("t", 3000), "admitted")
      assert.equal(await visitors.admit("t", 3000), "admitted")
      assert.equal(asked, 1)
      await visitors.admit("t", 3001)
      assert.equal(asked, 2)
      let ended = 0
      assert.ok(visitors.hold("t", 3000, () => ended++))
      at = 11_000
      await visitors.recheck()
      assert.deepEqual([asked, ended], [3, 0])
      answer = "signed-out"
      at = 22_000
      await visitors.recheck()
      assert.deepEqual([asked, ended], [4, 1])
      assert.equal(
        visitors.hold("t", 3000, () => {}),
        null,
      )
      assert.equal(await visitors.admit("t", 3000), "signed-out")
    })

    it("a service that is away keeps what is open for a minute, and lets nobody in", async () => {
      let ended = 0
      await visitors.admit("t", 3000)
      visitors.hold("t", 3000, () => ended++)
      answer = "unknown"
      at = 30_000
      assert.equal(await visitors.admit("t", 3000), "unknown")
      await visitors.recheck()
      assert.equal(ended, 0)
      at = 60_000
      await visitors.recheck()
      assert.equal(ended, 1)
    })

    it("a revocation that overtakes the service's yes wins", async () => {
      const coming = visitors.admit("t", 3000)
      visitors.revoke(hashToken("t"))
      assert.equal(await coming, "signed-out")
      assert.equal(
        visitors.hold("t", 3000, () => {}),
        null,
      )
      assert.equal(await visitors.admit("t", 3000), "signed-out")
      assert.equal(asked, 1)
      const other = visitors.admit("u", 3000)
      visitors.revokeAll()
      assert.equal(await other, "signed-out")
    })
  })
})
