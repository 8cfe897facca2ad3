import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { readFile, writeFile } from "node:fs/promises"
import { request } from "node:http"
import { connect } from "node:net"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type WebSocket from "ws"
import { startTestAgent, type TestAgent, tokenHash } from "../support/test-agent.ts"
import { waitUntil } from "../support/wait-until.ts"

/** Code a viewer was closed with. */
async function closed(viewer: WebSocket): Promise<{ code: number }> {
  const [code] = await once(viewer, "close")
  return { code }
}

describe("agent relay", function () {
  this.timeout(300_000)
  let test: TestAgent
  const start = async (given: Parameters<typeof startTestAgent>[0] = {}) => {
    test = await startTestAgent(given)
    test.service.tokens.add("good").add("other")
    test.service.foreign.add("theirs")
    return test
  }
  afterEach(() => test.close())
  const quiet = { recheckMs: 3_600_000 }
  const status = async () => (await test.ask("GET", "/agent/status")).body as Record<string, unknown>

  it("carries bytes both ways unchanged, in any sizes", async () => {
    await start({ onVnc: socket => socket.pipe(socket) })
    const viewer = await test.viewer("good")
    assert.equal(viewer.protocol, "binary")
    const got: Buffer[] = []
    viewer.on("message", (data: Buffer) => got.push(data))
    const sent = [1, 125, 126, 65_535, 65_536, 900_000, 3].map(size => randomBytes(size))
    for (const bytes of sent) viewer.send(bytes)
    viewer.send("ab", { fin: false, binary: true })
    viewer.send("cd", { fin: true, binary: true })
    const all = Buffer.concat([...sent, Buffer.from("abcd")])
    await waitUntil("everything came back", () => Buffer.concat(got).length >= all.length, 60_000)
    assert.ok(Buffer.concat(got).equals(all))
    viewer.ping("there?")
    assert.equal(String((await once(viewer, "pong"))[0]), "there?")
    viewer.close(1000)
    assert.equal((await closed(viewer)).code, 1000)
    await waitUntil("the VNC server is let go", () => test.vnc.length === 0, 60_000)
  })

  it("lets in only whom the service lets in", async () => {
    await start()
    assert.equal(await test.refusal({}), 401)
    assert.equal(await test.refusal({ "x-foozol-token": "unknown" }), 401)
    assert.equal(await test.refusal({ "x-foozol-token": "theirs" }), 403)
    test.service.away(true)
    assert.equal(await test.refusal({ "x-foozol-token": "good" }), 503)
    await waitUntil("nothing is left behind", () => test.vnc.length === 0, 60_000)
    assert.equal((await status()).viewers, 0)
  })

  it("closes at once when a token is revoked, and only its streams", async () => {
    await start({ times: quiet })
    const [mine, also, others] = await Promise.all(["good", "good", "other"].map(token => test.viewer(token)))
    assert.ok(mine && also && others)
    test.service.revoke("good")
    // No re-check is due for an hour: only the push can have closed them.
    for (const { code } of await Promise.all([closed(mine), closed(also)])) assert.equal(code, 4401)
    assert.equal(others.readyState, others.OPEN)
    assert.equal((await status()).viewers, 1)
    test.service.push("revoke-all")
    assert.equal((await closed(others)).code, 4401)
  })

  it("refuses a token whose revocation came while it was let in", async () => {
    await start({ times: quiet })
    test.service.push("revoke", { tokenHash: tokenHash("good") })
    await sleep(100)
    assert.equal(await test.refusal({ "x-foozol-token": "good" }), 401)
  })

  it("closes on its own re-check when the push was lost", async () => {
    await start()
    const viewer = await test.viewer("good")
    await sleep(200)
    assert.equal(viewer.readyState, viewer.OPEN)
    test.service.revoke("good", true)
    assert.equal((await closed(viewer)).code, 4401)
  })

  it("checks at once when the service's events come back", async () => {
    await start({ times: quiet })
    const viewer = await test.viewer("good")
    test.service.away(true)
    test.service.revoke("good")
    await sleep(100)
    test.service.away(false)
    assert.equal((await closed(viewer)).code, 4401)
  })

  it("outlives a service that is away for less than a minute, not longer", async () => {
    let clock = 0
    await start({ times: { clock: () => clock } })
    const viewer = await test.viewer("good")
    test.service.away(true)
    clock = 59_000
    await sleep(300)
    assert.equal(viewer.readyState, viewer.OPEN)
    clock = 61_000
    assert.equal((await closed(viewer)).code, 4503)
  })

  it("counts viewers, knows the last input and reports them, with the service away in between", async () => {
    let now = Date.parse("2030-01-01T00:00:00Z")
    await start({ times: { now: () => now } })
    const report = () =>
      test.service.reports.at(-1) as { ready: boolean; signals: { viewers: number; lastInputAt: string | null } }
    const viewer = await test.viewer("good")
    viewer.send(Buffer.from("RFB 003.008\n\x01\x01", "latin1"))
    viewer.send(Buffer.from([3, 0, 0, 0, 0, 0, 0, 9, 0, 9]))
    await waitUntil("the viewer is reported", () => report()?.signals.viewers === 1, 60_000)
    assert.equal(report().signals.lastInputAt, null)
    test.service.away(true)
    now += 5_000
    viewer.send(Buffer.from([5, 0, 0, 1, 0, 1]))
    await sleep(200)
    test.service.away(false)
    await waitUntil("the input is reported", () => report().signals.lastInputAt === "2030-01-01T00:00:05.000Z", 60_000)
    viewer.terminate()
    await waitUntil("nobody is left", () => report().signals.viewers === 0, 60_000)
    assert.equal(report().ready, true)
    assert.deepEqual(Object.keys(test.service.reports[0] ?? {}).sort(), [
      "at",
      "bootId",
      "checks",
      "keepsMemory",
      "ports",
      "ready",
      "sessionId",
      "signals",
      "startedAt",
      "versions",
      "workspace",
    ])
  })

  it("costs bounded memory when a viewer does not read, and goes on when it does", async () => {
    let sent = 0
    await start({
      times: quiet,
      onVnc: socket => {
        const piece = Buffer.alloc(256 * 1024)
        const go = () => {
          for (;;) {
            for (let i = 0; i < piece.length; i += 4) piece.writeUInt32BE((sent + i) / 4, i)
            sent += piece.length
            if (sent >= 200 * 1024 * 1024) return socket.end(Buffer.from(piece))
            if (!socket.write(Buffer.from(piece))) return
          }
        }
        socket.on("drain", go)
        go()
      },
    })
    const viewer = await test.viewer("good")
    viewer.pause()
    let [seen, wrong] = [0, 0]
    viewer.on("message", (data: Buffer) => {
      // Words of four bytes that count up: nothing is lost, doubled or overwritten.
      for (let at = (4 - (seen % 4)) % 4; at + 4 <= data.length; at += 4) {
        if (data.readUInt32BE(at) !== (seen + at) / 4) wrong++
      }
      seen += data.length
    })
    // However slow the computer is, it comes to stand; what is read without bound does so at its end only.
    let stood = -1
    while (stood !== sent || sent === 0) {
      stood = sent
      await sleep(1_000)
    }
    assert.ok(stood < 32 * 1024 * 1024, `${stood} bytes are under way`)
    viewer.resume()
    await closed(viewer)
    assert.equal(seen, 200 * 1024 * 1024)
    assert.equal(wrong, 0)
  })

  it("does not read a viewer faster than the VNC server does", async () => {
    await start({ times: quiet, onVnc: socket => socket.pause() })
    const viewer = await test.viewer("good")
    const piece = Buffer.alloc(1024 * 1024)
    for (let i = 0; i < 40; i++) viewer.send(piece)
    await sleep(500)
    assert.ok(viewer.bufferedAmount > 20 * 1024 * 1024, "the agent has taken more than it may hold")
    let got = 0
    test.vnc[0]?.on("data", bytes => {
      got += bytes.length
    })
    test.vnc[0]?.resume()
    await waitUntil("all has arrived", () => got === 40 * piece.length, 60_000)
  })

  it("ends a stream that is revoked although its viewer does not read", async () => {
    await start({ times: quiet, onVnc: socket => socket.write(Buffer.alloc(30 * 1024 * 1024)) })
    const viewer = await test.viewer("good")
    viewer.pause()
    await sleep(300)
    test.service.revoke("good")
    await waitUntil("the VNC server is let go", () => test.vnc.length === 0, 60_000)
    await waitUntil("nobody is left", async () => (await status()).viewers === 0, 60_000)
    viewer.terminate()
  })

  it("closes with codes of their own for mistakes, a stop and a desktop that goes", async () => {
    await start({ times: quiet, onVnc: () => {} })
    const [text, long, stopped, gone] = await Promise.all([1, 2, 3, 4].map(() => test.viewer("good")))
    assert.ok(text && long && stopped && gone)
    text.send("words")
    assert.equal((await closed(text)).code, 1003)
    long.send(Buffer.alloc(17 * 1024 * 1024))
    assert.equal((await closed(long)).code, 1009)
    test.vnc.at(-1)?.destroy()
    const first = await Promise.race([closed(gone), closed(stopped)])
    assert.equal(first.code, 1011)
    const left = gone.readyState === gone.OPEN ? gone : stopped
    const began = performance.now()
    test.service.push("stopping", { reason: "idle", at: new Date(Date.now() + 300).toISOString() })
    assert.equal((await closed(left)).code, 4410)
    // Not before the time it was announced for.
    assert.ok(performance.now() - began > 200)
  })

  it("bears viewers that send nonsense or leave in the middle", async () => {
    await start({ times: quiet, onVnc: () => {} })
    for (const text of [
      "GET /vnc HTTP/1.1\r\nUpgrade: websocket\r\n",
      "\x16\x03\x01\x02",
      "GET /vnc HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 12\r\n\r\n",
      "GET //[/../vnc HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
      "GET //[/ HTTP/1.1\r\nHost: x\r\n\r\n",
    ]) {
      const socket = connect(test.config.socket)
      socket.on("error", () => {})
      socket.write(text)
      await sleep(30)
      socket.destroy()
    }
    const viewers = await Promise.all(Array.from({ length: 20 }, () => test.viewer("good")))
    for (const viewer of viewers) viewer.terminate()
    await waitUntil("nobody is left", async () => (await status()).viewers === 0, 60_000)
    await waitUntil("the VNC server is let go", () => test.vnc.length === 0, 60_000)
  })

  it("tells the pages what happens, and changes the display's size", async () => {
    await start({ times: quiet })
    const heard: string[] = []
    const headers = { "x-foozol-token": "good" }
    const page = request({ socketPath: test.config.socket, path: "/agent/events", headers }).end()
    const [response] = await once(page, "response")
    response.setEncoding("utf8").on("data", (part: string) => heard.push(part))
    test.service.push("stopping", { reason: "idle", at: Date.now() + 3_600_000 })
    await waitUntil("the page is warned", () => /event: warning\ndata: .*idle/.test(heard.join("")), 60_000)
    test.service.revoke("good")
    await once(response, "end")
    assert.match(heard.join(""), /event: signed-out/)
    const resized = await test.ask("POST", "/agent/resize", { width: 100, height: 900 })
    assert.deepEqual(resized, { status: 200, body: { width: 320, height: 900 } })
    assert.equal((await test.ask("POST", "/agent/resize", "large")).status, 400)
    assert.equal((await test.ask("GET", "/agent/other")).status, 404)
    for (const wrong of [{}, { text: 1 }, { text: "x".repeat(200 * 1024 + 1) }, { text: "x".repeat(500_000) }])
      assert.equal((await test.ask("POST", "/agent/clipboard", wrong)).status, 400)
    assert.equal((await test.ask("DELETE", "/agent/clipboard")).status, 405)
    assert.deepEqual(await test.ask("GET", "/agent/clipboard"), { status: 200, body: { text: "" } })
    const { ready, display, versions } = await status()
    assert.deepEqual([ready, display, versions], [true, { width: 320, height: 900 }, { agent: "1" }])
  })

  it("warns pages that open later too, calls a stop off, and reports when it is asked", async () => {
    await start({ times: { ...quiet, heartbeatMs: 3_600_000 } })
    const open = async () => {
      const heard: string[] = []
      const headers = { "x-foozol-token": "good" }
      const [response] = await once(
        request({ socketPath: test.config.socket, path: "/agent/events", headers }).end(),
        "response",
      )
      response.setEncoding("utf8").on("data", (part: string) => heard.push(part))
      return { heard: () => heard.join(""), close: () => response.destroy() }
    }
    const first = await open()
    // The one that comes by itself.
    await waitUntil("the first report", () => test.service.reports.length > 0)
    // The machine's clock may be hours wrong: what counts is how long from now.
    test.service.push("stopping", { reason: "idle", at: "2001-01-01T00:00:00Z", inMs: 3_600_000 })
    await waitUntil("the page is warned", () => /event: warning/.test(first.heard()), 60_000)
    const left = /"inMs":(\d+)/.exec(first.heard())?.[1]
    assert.ok(Math.abs(Number(left) - 3_600_000) < 60_000, left)
    const later = await open()
    await waitUntil("a page that opens later is warned", () => /event: warning/.test(later.heard()), 60_000)
    test.service.push("stay")
    await waitUntil(
      "all hear that it is called off",
      () => [first, later].every(page => /event: stay/.test(page.heard())),
      60_000,
    )
    const after = await open()
    const before = test.service.reports.length
    test.service.push("report")
    await waitUntil("a report that was asked for", () => test.service.reports.length > before, 60_000)
    assert.doesNotMatch(after.heard(), /event: warning/)
    const told = test.service.reports.length
    const since = Date.now()
    assert.equal((await test.ask("POST", "/agent/stay")).status, 200)
    assert.equal(test.service.reports.length, told + 1, "the service has heard before the answer")
    const { signals } = test.service.reports.at(-1) as { signals: { lastInputAt: string } }
    assert.ok(Date.parse(signals.lastInputAt) >= since - 1, "a person who wants it on is as good as a key")
    for (const page of [first, later, after]) page.close()
    assert.equal((await test.ask("POST", "/agent/first-frame")).status, 202)
    await waitUntil("the service knows of the first picture", () => test.service.firstFrames === 1)
  })

  it("tells at once after a sleep what it saw before, and looks when whoever waits for the picture has it", async () => {
    const ran: string[] = []
    let fell = 0
    const woken = Promise.withResolvers<void>()
    await start({
      settings: { env: { GIVEN: "yes" } },
      times: { ...quiet, heartbeatMs: 20, settleMs: 5_000 },
      onRun: program => ran.push(program),
      memory: {
        can: async () => true,
        sleep: async () => {
          fell = test.service.reports.length
          await woken.promise
          return { machine: "9", now: Date.now(), seed: "ab".repeat(64) }
        },
      },
    })
    const { service, config, logged } = test
    const { ready, keepsMemory } = await waitUntil("a report", () => service.reports.at(-1), 60_000)
    assert.deepEqual([ready, keepsMemory], [true, true])
    const inForce = () => logged.filter(line => line === "settings are in force").length
    await waitUntil("settings are in force", () => inForce() === 1)
    // What was given stays, and is not written again at each connection.
    const environment = await readFile(join(config.runtimeDirectory, "env"), "utf8")
    service.push("sleep", { id: "op-1" })
    await waitUntil("it sleeps", () => fell > 0, 60_000)
    await waitUntil("it has hung up", () => service.listeners() === 0, 60_000)
    await writeFile(join(config.runtimeDirectory, "env"), "kept")
    ran.length = 0
    woken.resolve()
    await waitUntil("it reports", () => service.reports.length > fell + 3, 60_000)
    assert.deepEqual(ran, ["date"], "nothing was looked at")
    assert.equal(service.reports.at(-1)?.ready, true)
    await waitUntil("it listens", () => service.listeners() === 1, 60_000)
    await waitUntil("it looks again", () => ran.indexOf("tmux") > ran.indexOf("/usr/lib/foozol/awake"), 60_000)
    assert.deepEqual(ran.slice(0, 2), ["date", "/usr/lib/foozol/awake"])
    assert.deepEqual([inForce(), await readFile(join(config.runtimeDirectory, "env"), "utf8")], [1, "kept"])
    assert.match(environment, /GIVEN="yes"/)
    service.settings = { env: { GIVEN: "other" } }
    service.push("settings", service.settings)
    await waitUntil("others are in force", () => inForce() === 2)
  })

  it("runs without a service, and lets nobody in", async () => {
    await start({ config: { service: null, entry: null } })
    await waitUntil("the desktop is ready", async () => (await status()).ready, 60_000)
    assert.equal((await status()).service, null)
    assert.equal(await test.refusal({ "x-foozol-token": "good" }), 503)
    const resized = await test.ask("POST", "/agent/resize", { width: 640, height: 480 })
    assert.deepEqual(resized, { status: 200, body: { width: 640, height: 480 } })
    assert.equal(test.service.asked, 0)
  })

  it("tells the viewer where its workspace is entered", async () => {
    await start()
    assert.equal((await status()).service, "https://cloud.example/connect?workspace=blue-otter")
  })

  it("logs no token and no key", async () => {
    await start()
    const viewer = await test.viewer("good")
    test.service.push("settings", { secrets: { "A B": "hush" } })
    test.service.away(true)
    await sleep(200)
    viewer.terminate()
    assert.ok(test.logged.length > 0)
    assert.doesNotMatch(test.logged.join("\n"), /good|hush|kkkk/)
  })
})
