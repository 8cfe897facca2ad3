import assert from "node:assert/strict"
import { createHmac } from "node:crypto"
import { Redis } from "ioredis"
import { pino } from "pino"
import { createKeys } from "../../service/keys.ts"
import { deliverDue } from "../../service/notifications/deliver.ts"
import { createDeliveries, type Deliveries } from "../../service/notifications/deliveries.ts"
import { createMailer } from "../../service/notifications/mail.ts"
import { createNotify, emptyOutbox, type Notify, OUTBOX } from "../../service/notifications/outbox.ts"
import { createPreferences, type PreferenceStore } from "../../service/notifications/preferences.ts"
import { startMailServer } from "../support/mail-server.ts"
import { startTestRedis, type TestRedis } from "../support/redis.ts"
import { startTestService, type TestService } from "../support/service.ts"
import { csrfOf, type Visitor } from "../support/visitor.ts"
import { waitUntil } from "../support/wait-until.ts"
import { startWebhookReceiver } from "../support/webhook-receiver.ts"

const MINUTE = 60_000
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

describe("the outbox, by a clock of its own", () => {
  let server: TestRedis
  let redis: Redis
  let preferences: PreferenceStore
  let deliveries: Deliveries
  let notify: Notify
  let receiver: Awaited<ReturnType<typeof startWebhookReceiver>>
  let now: number

  before(async () => {
    server = await startTestRedis()
    redis = new Redis(server.url)
    receiver = await startWebhookReceiver()
    preferences = createPreferences(redis, createKeys("a secret for tests, long enough to be one"))
  })
  beforeEach(async () => {
    await redis.flushall()
    now = 1_800_000_000_000
    Object.assign(receiver, { status: 204 })
    receiver.hooks.length = 0
    deliveries = createDeliveries(redis, () => now)
    notify = createNotify(redis, () => now)
    await preferences.setWebhook("gh-1", receiver.url, SECRET)
  })
  after(async () => {
    receiver?.close()
    redis?.disconnect()
    await server?.close()
  })

  const log = pino({ level: "silent" })
  const empty = () => emptyOutbox({ redis, preferences, deliveries, log })
  const deliver = () => deliverDue({ deliveries, preferences, mailer: null, onlyPublic: false, log, now: () => now })
  const woke = { workspace: "calm-otter", name: "My desk" }

  it("brings what was told to who wants it, once", async () => {
    const id = await notify("gh-1", "woke", woke)
    await notify("gh-2", "woke", woke)
    assert.equal(await empty(), 2)
    await deliver()
    await deliver()
    assert.deepEqual(
      receiver.hooks.map(hook => hook.body.id),
      [id],
    )
    assert.deepEqual(await redis.zcard("fz:deliveries-due"), 0)
    assert.equal(await redis.xlen(OUTBOX), 0)
  })

  it("told again under the same id within two days, nobody hears it twice", async () => {
    for (let time = 0; time < 3; time++) {
      await notify("gh-1", "woke", woke, { id: "calm-otter-7-RUNNING" })
      await empty()
      await deliver()
      now += 10 * MINUTE
    }
    assert.equal(receiver.hooks.length, 1)
    assert.equal(receiver.hooks[0]?.headers["webhook-id"], "calm-otter-7-RUNNING")
    const left = await redis.ttl("fz:delivery:calm-otter-7-RUNNING:webhook")
    assert.ok(left > 47 * 3600 && left <= 48 * 3600)
  })

  it("an outbox that is emptied again after a crash makes no second delivery", async () => {
    await notify("gh-1", "woke", woke, { id: "one" })
    const fields = (await redis.xrange(OUTBOX, "-", "+"))[0]?.[1] ?? []
    await empty()
    await deliver()
    await redis.xadd(OUTBOX, "*", ...fields)
    await empty()
    await deliver()
    assert.equal(receiver.hooks.length, 1)
  })

  it("tries again, later each time, until it is taken", async () => {
    receiver.status = 500
    await notify("gh-1", "woke", woke)
    await empty()
    for (const [wait, tries] of [
      [0, 1],
      [9_000, 1],
      [1_001, 2],
      [29_000, 2],
      [1_001, 3],
    ] as const) {
      now += wait
      await deliver()
      assert.equal(receiver.hooks.length, tries, `after ${wait} ms more`)
    }
    receiver.status = 200
    now += 90_001
    await deliver()
    await deliver()
    assert.equal(receiver.hooks.length, 4)
    assert.equal(new Set(receiver.hooks.map(hook => hook.headers["webhook-id"])).size, 1)
    assert.deepEqual(await deliveries.failuresOf("gh-1"), [])
    assert.equal(await redis.zcard("fz:deliveries-due"), 0)
  })

  it("gives up after a day, says so, and keeps no facts", async () => {
    receiver.status = 503
    await notify("gh-1", "backup-failed", { ...woke, message: "The disk was full." }, { id: "lost" })
    await empty()
    const told = now
    for (let minutes = 0; minutes < 25 * 60; minutes += 10) {
      await deliver()
      now += 10 * MINUTE
    }
    const [failure, ...others] = await deliveries.failuresOf("gh-1")
    assert.deepEqual(others, [])
    assert.equal(failure?.reason, "It answered 503.")
    assert.equal(failure?.at, told)
    assert.ok((failure?.givenUpAt ?? 0) - told > 22 * 60 * MINUTE)
    assert.ok(receiver.hooks.length > 20 && receiver.hooks.length < 60, String(receiver.hooks.length))
    assert.equal(await redis.zcard("fz:deliveries-due"), 0)
    assert.equal(await redis.hget("fz:delivery:lost:webhook", "facts"), "{}")
  })

  it("gives up at once where a webhook says that it wants no more", async () => {
    receiver.status = 410
    await notify("gh-1", "woke", woke)
    await empty()
    await deliver()
    now += 24 * 60 * MINUTE
    await deliver()
    assert.equal(receiver.hooks.length, 1)
    assert.equal((await deliveries.failuresOf("gh-1")).length, 1)
  })

  it("what a worker took and did not end is taken by the next", async () => {
    await notify("gh-1", "woke", woke)
    await empty()
    assert.ok(await deliveries.take(), "and then it died")
    assert.equal(await deliveries.take(), null, "nobody else while it may still be at it")
    now += 91_000
    await deliver()
    assert.equal(receiver.hooks.length, 1)
  })

  it("many workers at once deliver each once", async () => {
    for (let number = 0; number < 60; number++) await notify("gh-1", "woke", woke)
    await Promise.all([empty(), empty(), empty()])
    await Promise.all([deliver(), deliver(), deliver(), deliver()])
    assert.equal(receiver.hooks.length, 60)
    assert.equal(new Set(receiver.hooks.map(hook => hook.body.id)).size, 60)
  })

  it("what nobody wants any more when its turn comes is dropped", async () => {
    await notify("gh-1", "woke", woke)
    await empty()
    await preferences.clearWebhook("gh-1")
    await deliver()
    assert.equal(receiver.hooks.length, 0)
    assert.equal(await redis.zcard("fz:deliveries-due"), 0)
    assert.deepEqual(await deliveries.failuresOf("gh-1"), [])
  })

  it("an entry that cannot be read holds up no other", async () => {
    await redis.xadd(OUTBOX, "*", "id", "x", "user", "gh-1", "kind", "gossip", "facts", "{}", "at", "1")
    await redis.xadd(OUTBOX, "*", "what", "ever")
    await redis.zadd("fz:deliveries-due", 0, "nothing:webhook")
    await notify("gh-1", "woke", woke)
    await empty()
    await deliver()
    await deliver()
    assert.equal(receiver.hooks.length, 1)
    assert.equal(await redis.zcard("fz:deliveries-due"), 0)
  })

  it("the secret of a webhook lies encrypted, bound to its user", async () => {
    const stored = await redis.hgetall("fz:user:gh-1:notify")
    assert.doesNotMatch(JSON.stringify(stored), /MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw/)
    await redis.hset("fz:user:gh-9:notify", stored)
    await assert.rejects(preferences.webhook("gh-9"))
    assert.equal((await preferences.webhook("gh-1"))?.secret, SECRET)
  })
})

describe("mails", () => {
  const told = {
    id: "a b/1",
    user: "gh-1",
    kind: "woke",
    facts: { workspace: "w", name: "Ada’s „desk“" },
    at: 0,
  } as const

  it("go out signed in, each with an id of its own, and say where they come from", async () => {
    const server = await startMailServer()
    const mailer = createMailer(
      { url: server.url, from: "foozol Cloud <cloud@example.com>" },
      "https://cloud.example.com",
    )
    try {
      assert.deepEqual(await mailer.send("ada@example.com", told), { ok: true })
      const [mail] = server.mails
      assert.deepEqual([mail?.from, mail?.to, mail?.user], ["cloud@example.com", ["ada@example.com"], "cloud"])
      assert.match(mail?.raw as string, /^Message-ID: <a%20b%2F1@cloud\.example\.com>\r$/im)
      assert.match(mail?.raw as string, /^Auto-Submitted: auto-generated\r$/im)
      assert.match(mail?.text as string, /Ada’s „desk“ has started/)
      assert.match(mail?.text as string, /https:\/\/cloud\.example\.com\/account\/notifications/)
    } finally {
      mailer.close()
      await server.close()
    }
  })

  it("a server beyond this machine that offers no TLS is told nothing", async () => {
    const server = await startMailServer()
    // It leads here too, but is not written as an address of this machine.
    const url = server.url.replace("127.0.0.1", "[::ffff:127.0.0.1]")
    const mailer = createMailer({ url, from: "cloud@example.com" }, "https://cloud.example.com")
    try {
      const sent = await mailer.send("ada@example.com", told)
      assert.equal(sent.ok, false, JSON.stringify(sent))
      assert.deepEqual([server.visits, server.signIns], [1, 0])
      assert.deepEqual(server.mails, [])
    } finally {
      mailer.close()
      await server.close()
    }
  })

  it("a recipient that does not exist is hopeless, a server that is away is not, and no password is in the reason", async () => {
    const server = await startMailServer()
    const mailer = createMailer({ url: server.url, from: "cloud@example.com" }, "https://cloud.example.com")
    try {
      server.refuse = 550
      assert.deepEqual(await mailer.send("a@example.com", told), {
        ...{ ok: false, reason: "The mail server answered 550.", isHopeless: true },
      })
      server.refuse = 450
      assert.equal(((await mailer.send("a@example.com", told)) as { isHopeless: boolean }).isHopeless, false)
      const wrong = createMailer(
        { url: server.url.replace("p%40ss", "wrong"), from: "cloud@example.com" },
        "https://x.example",
      )
      const refused = await wrong.send("a@example.com", told)
      assert.ok(!refused.ok && !refused.isHopeless && !/wrong/.test(refused.reason), JSON.stringify(refused))
    } finally {
      mailer.close()
      await server.close()
    }
    const away = await mailer.send("a@example.com", told)
    assert.ok(!away.ok && !away.isHopeless && /could not be reached/.test(away.reason), JSON.stringify(away))
  })
})

describe("service: notifications", () => {
  let test: TestService
  let mail: Awaited<ReturnType<typeof startMailServer>>
  let receiver: Awaited<ReturnType<typeof startWebhookReceiver>>
  let ada: Visitor
  let token: string
  let secret: string

  before(async () => {
    mail = await startMailServer()
    receiver = await startWebhookReceiver()
    test = await startTestService({ FOOZOL_SMTP_URL: mail.url, FOOZOL_SMTP_FROM: "cloud@example.com" })
    ada = await test.signIn("ada")
    token = await test.token(ada)
  })
  beforeEach(() => test.forgetLimits())
  after(async () => {
    await test?.close()
    receiver?.close()
    await mail?.close()
  })

  const chosen = async () => (await test.api(token, "GET", "/notifications")).body
  const mailsTo = (address: string) => mail.mails.filter(one => one.to.includes(address))
  const hooksOf = (kind: string) => receiver.hooks.filter(one => one.body.kind === kind)

  it("an address gets one mail with a link, and no other until its reader has opened it, signed in", async () => {
    const set = await test.api(token, "PUT", "/notifications/email", { address: "ada@example.com" })
    assert.deepEqual(set.body.email, { address: "ada@example.com", confirmed: false })
    const sent = await waitUntil("the mail with the link", () => mailsTo("ada@example.com")[0])
    assert.match(sent.text, /@ada of GitHub/)
    const [link = ""] = /http:\/\/127\.0\.0\.1:\d+\/account\/notifications\/confirm\?code=[\w%-]+/.exec(sent.text) ?? []
    assert.ok(link, sent.text)
    // Again it is not sent: whoever owns that address is not to be bothered by strangers.
    await test.api(token, "PUT", "/notifications/email", { address: "ada@example.com" })
    await test.api(token, "POST", "/notifications/test")
    await waitUntil("the outbox is empty", async () => (await test.service.services.redis.xlen(OUTBOX)) === 0)
    const eve = await test.signIn("eve")
    assert.match((await eve.get(link)).text, /for somebody else/)
    const stranger = await fetch(link, { redirect: "manual", headers: { accept: "text/html" } })
    assert.match(stranger.headers.get("location") ?? "", /^\/login\/github/)
    assert.equal((await chosen()).email.confirmed, false)
    assert.match((await ada.get(link)).text, /The address is confirmed/)
    await test.api(token, "PUT", "/notifications/email", { address: "ada@example.com" })
    assert.equal((await chosen()).email.confirmed, true, "the same address again is nothing new")
    await test.forgetLimits()
    assert.equal((await test.api(token, "POST", "/notifications/test")).status, 202)
    await waitUntil("a mail to try it out", () =>
      mailsTo("ada@example.com").some(one => /Messages of foozol Cloud arrive here/.test(one.text)),
    )
    assert.equal(mailsTo("ada@example.com").length, 2)
  })

  it("a webhook is told its secret once, and what it is sent is signed with that", async () => {
    const { status, body } = await test.api(token, "PUT", "/notifications/webhook", { url: receiver.url })
    assert.equal(status, 200, JSON.stringify(body))
    secret = body.secret
    assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
    assert.doesNotMatch(JSON.stringify(await chosen()), /whsec_/)
    const { body: said } = await test.api(token, "POST", "/notifications/test")
    const hook = await waitUntil("the webhook is called", () => receiver.hooks.find(one => one.body.id === said.id))
    const content = `${hook.headers["webhook-id"]}.${hook.headers["webhook-timestamp"]}.${hook.text}`
    const mac = createHmac("sha256", Buffer.from(secret.slice(6), "base64"))
      .update(content)
      .digest("base64")
    assert.equal(hook.headers["webhook-signature"], `v1,${mac}`)
  })

  it("what does not make sense is refused", async () => {
    const wrong = [
      ["/notifications/email", { address: "ada" }],
      ["/notifications/email", { address: "a@example.com\r\nBcc: b@example.com" }],
      ["/notifications/webhook", { url: "http://example.com/hook" }],
      ["/notifications/webhook", { url: "https://user:password@example.com/" }],
      ["/notifications/kinds", { gossip: ["email"] }],
      ["/notifications/kinds", { woke: ["pigeon"] }],
    ] as const
    for (const [path, body] of wrong)
      assert.equal((await test.api(token, "PUT", path, body)).status, 422, JSON.stringify(body))
    const read = await test.token(ada, "read")
    assert.equal((await test.api(read, "PUT", "/notifications/kinds", {})).status, 403)
  })

  it("kinds go where their user has said, by API or page", async () => {
    const { body } = await test.api(token, "PUT", "/notifications/kinds", { woke: ["email", "webhook"], stopped: [] })
    assert.deepEqual([body.kinds.woke, body.kinds.stopped], [["email", "webhook"], []])
    assert.deepEqual(body.kinds["backup-failed"], ["email", "webhook"], "what was not named stays")
    const page = await ada.get(`${test.url}/account/notifications`)
    assert.equal(page.status, 200)
    assert.match(page.text, /ada@example\.com/)
    const end = await ada.post(
      `${test.url}/account/notifications/kinds`,
      { csrf: csrfOf(page), woke: "email", stopped: "webhook" },
      { origin: test.url },
    )
    assert.equal(end.status, 200)
    const { kinds } = await chosen()
    assert.deepEqual([kinds.woke, kinds.stopped, kinds["backup-failed"]], [["email"], ["webhook"], []])
  })

  it("tells of a workspace that stopped, that woke, and that could not be made", async () => {
    const done = async (method: string, path: string, body?: unknown) => {
      const answer = await test.api(token, method, path, body)
      assert.equal(answer.status, 202, JSON.stringify(answer.body))
      await test.finished(token, answer.body.operation.id)
      return answer.body.workspace.id as string
    }
    await test.api(token, "PUT", "/notifications/kinds", { "provisioning-failed": ["webhook"] })
    const id = await done("POST", "/workspaces", { name: "My desk", sizeClass: "small" })
    await done("POST", `/workspaces/${id}/stop`)
    const stopped = await waitUntil("the webhook heard of the stop", () => hooksOf("stopped")[0])
    assert.deepEqual(stopped.body.facts, { workspace: id, name: "My desk", by: "owner" })
    await done("POST", `/workspaces/${id}/start`)
    await waitUntil("a mail says that it woke", () =>
      mailsTo("ada@example.com").some(one => /My desk has started/.test(one.text)),
    )
    assert.equal(hooksOf("woke").length, 0, "that goes by mail alone")
    test.machines.setReady(false)
    test.env.FOOZOL_READY_SECONDS = "10"
    await test.restart()
    const failed = await done("POST", "/workspaces", { name: "Never", sizeClass: "small" })
    const hook = await waitUntil("the webhook heard of the failure", () => hooksOf("provisioning-failed")[0])
    assert.equal(hook.body.facts.workspace, failed)
    assert.match(hook.body.text, /Never could not be created: .+ready/)
  })

  it("tells of a budget that is nearly used, once", async () => {
    const { services } = test.service
    const { id } = (await test.api(token, "GET", "/me")).body
    await test.api(token, "PUT", "/notifications/kinds", { "budget-near": ["webhook"] })
    const spent = (await test.api(token, "GET", "/usage")).body.total[0].amount
    assert.ok(spent > 0)
    // Less than the API takes: a workspace of seconds has cost next to nothing.
    await services.budgets.set(id, { amount: spent / 0.9, action: "warn" })
    await test.restart()
    const hook = await waitUntil("the webhook heard of it", () => hooksOf("budget-near")[0])
    assert.equal(hook.body.facts.percent >= 80, true)
    assert.doesNotMatch(JSON.stringify(receiver.hooks), /whsec_|fzt_/)
  })

  it("what is set up can be taken away again", async () => {
    assert.equal((await test.api(token, "DELETE", "/notifications/webhook")).body.webhook, null)
    assert.equal((await test.api(token, "DELETE", "/notifications/email")).body.email, null)
  })

  it("no secret of a webhook or of the mail server is in the log", () => {
    assert.ok(!test.logged().includes(secret.slice(6)))
    assert.ok(!test.logged().includes("p@ss word") && !test.logged().includes("p%40ss"))
  })
})

describe("service without a mail server", () => {
  it("says that it sends no mail", async () => {
    const test = await startTestService()
    try {
      const ada = await test.signIn("ada")
      const answer = await test.api(ada, "PUT", "/notifications/email", { address: "ada@example.com" })
      assert.deepEqual([answer.status, answer.body.id], [409, "no-mail-server"])
      assert.match((await ada.get(`${test.url}/account/notifications`)).text, /sends no mail/)
    } finally {
      await test.close()
    }
  })
})
