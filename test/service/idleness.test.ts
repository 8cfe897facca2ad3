import assert from "node:assert/strict"
import { pino } from "pino"
import { freePort } from "../../cli/redis-process.ts"
import type { Order } from "../../service/machines/channel.ts"
import { workspaceKey } from "../../service/machines/workspace-key.ts"
import { startService } from "../../service/start.ts"
import { cookieOf, startTestService, type TestService } from "../support/service.ts"
import { csrfOf, type Visitor } from "../support/visitor.ts"
import { waitUntil } from "../support/wait-until.ts"
import { startWebhookReceiver } from "../support/webhook-receiver.ts"

/** Everything in seconds: in use 8, idle 8 before the stop, of which warned 4; machines report every 2. */
const SETTINGS = {
  ...{ FOOZOL_IDLE_SECONDS: "8", FOOZOL_IDLE_STOP_SECONDS: "8", FOOZOL_IDLE_WARNING_SECONDS: "4" },
  ...{ FOOZOL_IDLE_CHECK_SECONDS: "1", FOOZOL_IDLE_SILENT_SECONDS: "16" },
}

describe("service: workspaces that nobody uses", () => {
  let test: TestService
  let ada: Visitor
  let token: string
  let id: string

  before(async () => {
    test = await startTestService(SETTINGS)
    ada = await test.signIn("ada")
    token = await test.token(ada)
    const { body } = await test.api(token, "POST", "/workspaces", {})
    id = body.workspace.id
    await test.finished(token, body.operation.id)
  })
  after(() => test?.close())

  const state = async () => (await test.api(token, "GET", `/workspaces/${id}`)).body.state as string
  const activity = async () => (await test.api(token, "GET", `/workspaces/${id}/activity`)).body
  const change = async (changes: object) => {
    const answer = await test.api(token, "PATCH", `/workspaces/${id}`, changes)
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    return answer.body
  }
  const becomes = (wanted: string) => waitUntil(`it is ${wanted}`, async () => (await state()) === wanted)
  const orders = (type: string) => test.machines.received.filter(one => one.workspace === id && one.type === type)
  const stops = async () => {
    const all = await test.service.services.store.operationsOf(id, 100)
    return all.filter(one => one.kind === "stop")
  }
  const seenAt = async (signal: string): Promise<string | null> =>
    (await activity()).signals.find((one: { signal: string }) => one.signal === signal).lastAt

  /** On, with nothing set and nothing seen but its start. */
  beforeEach(async () => {
    test.machines.setSilent(false)
    test.machines.setSignals(() => ({ viewers: 0 }))
    await change({ autoStop: null, keepOnUntil: null })
    await waitUntil("it comes to rest", async () => ["RUNNING", "IDLE", "STOPPED"].includes(await state()))
    if ((await state()) !== "STOPPED") return
    const { body } = await test.api(token, "POST", `/workspaces/${id}/start`)
    await test.finished(token, body.operation.id)
  })

  it("goes from RUNNING to IDLE to STOPPED, with a warning before, and says why all the time", async () => {
    // At the channel itself: a pretended machine is off at once, and may be so before it has heard why.
    const said: Order[] = []
    const deafen = await test.service.services.channel.listen(id, order => said.push(order))
    const before = orders("stopping").length
    const first = await activity()
    assert.ok(["active", "unknown"].includes(first.verdict), JSON.stringify(first))
    await waitUntil("it is on because it was started", async () => (await activity()).because.includes("start"))
    await becomes("IDLE")
    assert.equal((await activity()).verdict, "idle")
    const warning = await waitUntil("its machine hears of the stop", () => orders("stopping")[before])
    const told = await activity()
    assert.ok(told.announced)
    assert.match(told.text, /It is stopped at /)
    assert.match(String(warning.data.reason), /^nobody has used it since \d\d:\d\d UTC$/)
    await becomes("STOPPED")
    const [stop] = await stops()
    assert.ok(stop)
    assert.ok(stop.createdAt >= Date.parse(String(warning.data.at)), "not before the time that was announced")
    assert.ok(stop.createdAt - Date.parse(told.stopsAt) >= 0)
    await deafen()
    const last = said.findLast(order => order.type === "stopping")
    assert.equal(last?.data.at, null)
    assert.match(last.data.reason, /^It was stopped because nobody has used it since \d\d:\d\d UTC\.$/)
    const { body } = await test.api(token, "GET", `/operations/${stop.id}`)
    assert.equal(body.requestedBy, "idleness")
    assert.match(
      (await ada.get(`${test.url}/operations/${stop.id}`)).text,
      /because nobody has used it since \d\d:\d\d UTC/,
    )
    assert.equal((await activity()).verdict, "off")
  })

  it("tells its owner of a planned stop once, by its new name", async () => {
    const receiver = await startWebhookReceiver()
    const { body: me } = await test.api(token, "GET", "/me")
    const { preferences } = test.service.services
    await preferences.setWebhook(me.id, receiver.url, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    try {
      await change({ name: "Desk / of Ada" })
      await becomes("STOPPED")
      // What is told by the old name is of the stop before, told late.
      const hooks = () => receiver.hooks.filter(hook => JSON.stringify(hook.body).includes("Desk / of Ada"))
      await waitUntil("the stop is told", () => hooks().some(hook => hook.body.kind === "stopped"))
      const told = hooks().filter(hook => JSON.stringify(hook.body).includes("about-to-stop"))
      assert.equal(told.length, 1, JSON.stringify(receiver.hooks.map(hook => hook.body)))
      const text = JSON.stringify(told[0]?.body)
      assert.match(text, /Desk \/ of Ada will stop at .* UTC: Nobody has used it since \d\d:\d\d UTC\. Open it/)
    } finally {
      await preferences.clearWebhook(me.id)
      receiver.close()
    }
  })

  it("stays on when somebody uses it at the last moment, and calls the stop off", async () => {
    const [warned, called, before] = [orders("stopping").length, orders("stay").length, (await stops()).length]
    await waitUntil("its machine hears of the stop", () => orders("stopping")[warned])
    test.machines.setSignals(() => ({ viewers: 1, lastInputAt: new Date().toISOString() }))
    await waitUntil("the stop is called off", () => orders("stay")[called])
    await becomes("RUNNING")
    const now = await activity()
    assert.equal(now.verdict, "active")
    assert.ok(now.because.includes("input"))
    assert.equal(now.announced, false)
    assert.equal((await stops()).length, before)
  })

  it("is not held by a tab that is merely open", async () => {
    test.machines.setSignals(() => ({ viewers: 3 }))
    await becomes("STOPPED")
  })

  it("is kept on until the time its owner names", async () => {
    const called = orders("stay").length
    await waitUntil("a stop is announced", async () => (await activity()).announced)
    const until = new Date(Date.now() + 3_600_000).toISOString()
    const changed = await change({ keepOnUntil: until })
    assert.deepEqual([changed.state, changed.keepOnUntil], ["RUNNING", until])
    await waitUntil("the stop is called off", () => orders("stay")[called])
    const now = await activity()
    assert.deepEqual([now.verdict, now.because[0], now.idleAt], ["active", "keepOn", until])
    assert.match(now.text, /kept on until/)
    await change({ keepOnUntil: null })
    await becomes("STOPPED")
  })

  it("becomes idle and stays on where it is not to be stopped by itself", async () => {
    await change({ autoStop: false })
    await becomes("IDLE")
    assert.equal((await activity()).stopsAt, null)
    await waitUntil("the time of a stop is well over", async () => {
      const { since } = (await test.api(token, "GET", `/workspaces/${id}`)).body
      return Date.now() - Date.parse(since) > 16_000
    })
    assert.equal(await state(), "IDLE")
    assert.equal((await activity()).announced, false)
    await change({ autoStop: true })
    await becomes("STOPPED")
  })

  it("is unknown, and stays on, while its machine is silent", async () => {
    const before = (await stops()).length
    await waitUntil("a stop is announced", async () => (await activity()).announced)
    test.machines.setSilent(true)
    await waitUntil("nobody knows", async () => (await activity()).verdict === "unknown")
    await becomes("RUNNING")
    assert.match((await activity()).text, /nobody knows whether it is in use/)
    assert.equal((await stops()).length, before)
    test.machines.setSilent(false)
    await waitUntil("it is heard of again", async () => (await activity()).because.includes("contact"))
  })

  it("is in use when a person comes, and not when a page asks by itself", async () => {
    await change({ autoStop: false })
    await becomes("IDLE")
    const connect = (headers: Record<string, string>) =>
      fetch(`${test.url}/connect?workspace=${id}`, {
        redirect: "manual",
        headers: { cookie: cookieOf(ada), ...headers },
      })
    const before = await seenAt("visit")
    const byItself = await connect({ "sec-fetch-site": "cross-site" })
    assert.equal(byItself.status, 303)
    assert.equal(await seenAt("visit"), before)
    assert.equal((await connect({ "sec-fetch-site": "none", "sec-fetch-user": "?1" })).status, 303)
    assert.equal(await state(), "RUNNING")
    assert.ok((await activity()).because.includes("visit"))
    // Whoever trades a ticket at the machine has come as well.
    await becomes("IDLE")
    const visited = await seenAt("visit")
    const ticket = new URL(byItself.headers.get("location") ?? "").searchParams.get("ticket") ?? ""
    const key = workspaceKey(test.service.services.keys, id)
    const headers = { authorization: `Bearer ${key}`, "x-foozol-ticket": ticket }
    assert.equal((await fetch(`${test.url}/vnc/authorize`, { headers })).status, 204)
    assert.notEqual(await seenAt("visit"), visited)
    await becomes("RUNNING")
  })

  it("is stopped once, however many processes watch", async () => {
    const before = (await stops()).length
    const port = await freePort(0)
    const env = { ...test.env, FOOZOL_ROLES: "worker", FOOZOL_LISTEN: `127.0.0.1:${port}` }
    const second = await startService(env, { log: pino({ level: "silent" }) })
    try {
      // All of them at every moment, also outside of the pass that only one does at a time.
      await waitUntil("it is being stopped", async () => {
        const all = [test.service.services.idleness, second.services.idleness]
        await Promise.all(Array.from({ length: 20 }, (_, index) => all[index % 2]?.look(id)))
        return !["RUNNING", "IDLE"].includes(await state())
      })
      await becomes("STOPPED")
      assert.equal((await stops()).length, before + 1)
    } finally {
      await second.stop(0)
    }
  })

  it("tells all that on its card, where forms without scripts keep it on and change the rest", async () => {
    const page = await ada.get(`${test.url}/`)
    assert.match(page.text, /On because its machine was (started|heard of again): <time/)
    assert.match(page.text, /role="switch" aria-checked="true"/)
    const send = (form: string, fields: Record<string, string>) =>
      ada.post(`${test.url}/workspaces/${id}/${form}`, { csrf: csrfOf(page), ...fields }, { origin: test.url })
    const kept = await send("keep-on", { hours: "8" })
    assert.match(kept.text, /Kept on, as you wanted; that ends <time[^>]*>in 8 hours/)
    assert.match((await send("auto-stop", { on: "false" })).text, /role="switch" aria-checked="false"/)
    const { keepOnUntil, autoStop } = (await test.api(token, "GET", `/workspaces/${id}`)).body
    assert.ok(Date.parse(keepOnUntil) > Date.now() + 7.9 * 3_600_000)
    assert.equal(autoStop, false)
    await send("keep-on", { hours: "0" })
    assert.equal((await test.api(token, "GET", `/workspaces/${id}`)).body.keepOnUntil, null)
    assert.ok(await seenAt("visit"))
    const unsigned = await ada.post(`${test.url}/workspaces/${id}/keep-on`, { hours: "8" }, { origin: test.url })
    assert.equal(unsigned.status, 403)
    assert.equal((await test.api(token, "GET", `/workspaces/${id}`)).body.keepOnUntil, null)
  })

  it("keeps its new name, and refuses what cannot be", async () => {
    assert.equal((await change({ name: "My other desk" })).name, "My other desk")
    const { body } = await test.api(token, "GET", "/workspaces")
    assert.deepEqual(
      body.workspaces.map((one: { name: string }) => one.name),
      ["My other desk"],
    )
    const far = new Date(Date.now() + 31 * 86_400_000).toISOString()
    for (const wrong of [
      { name: "" },
      { keepOnUntil: "tomorrow" },
      { keepOnUntil: far },
      { autoStop: "no" },
      { a: 1 },
    ]) {
      assert.equal((await test.api(token, "PATCH", `/workspaces/${id}`, wrong)).status, 422, JSON.stringify(wrong))
    }
    const eve = await test.token(await test.signIn("eve"))
    assert.equal((await test.api(eve, "PATCH", `/workspaces/${id}`, { name: "Mine" })).status, 404)
    assert.equal((await test.api(eve, "GET", `/workspaces/${id}/activity`)).status, 404)
  })
})
