import assert from "node:assert/strict"
import { createHmac, randomBytes } from "node:crypto"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import type { Notification } from "../../../service/notifications/kinds.ts"
import { isPublicAddress } from "../../../service/notifications/public-address.ts"
import { sendWebhook, signed, webhookSecret, webhookUrl } from "../../../service/notifications/webhook.ts"
import { startWebhookReceiver } from "../../support/webhook-receiver.ts"

const told: Notification = {
  ...{ id: "calm-otter-7-STOPPED", user: "gh-1", kind: "stopped", at: Date.parse("2026-11-21T10:00:00Z") },
  facts: { workspace: "calm-otter", name: "Ada’s desk", by: "idleness" },
}
const now = Date.parse("2026-11-21T10:00:01.900Z")
const secret = webhookSecret(randomBytes(32))

describe("webhook", () => {
  let receiver: Awaited<ReturnType<typeof startWebhookReceiver>>
  before(async () => {
    receiver = await startWebhookReceiver()
  })
  beforeEach(() => {
    Object.assign(receiver, { status: 204, headers: {} })
    receiver.hooks.length = 0
  })
  after(() => receiver?.close())
  const send = (onlyPublic = false, url = receiver.url) => sendWebhook({ url, secret }, told, { now, onlyPublic })

  it("is sent JSON that the secret proves to be ours", async () => {
    assert.deepEqual(await send(), { ok: true })
    const [hook] = receiver.hooks
    assert.ok(hook)
    assert.equal(hook.body.kind, "stopped")
    assert.equal(hook.body.at, "2026-11-21T10:00:00.000Z")
    assert.match(hook.body.text, /Ada’s desk has stopped, because nothing went on in it/)
    assert.equal(hook.headers["content-type"], "application/json")
    // Computed as the Standard Webhooks have it, apart from our code.
    const { "webhook-id": id, "webhook-timestamp": time, "webhook-signature": signature } = hook.headers
    assert.equal(id, told.id)
    assert.equal(time, String(Math.floor(now / 1000)))
    const mac = createHmac("sha256", Buffer.from(secret.replace("whsec_", ""), "base64"))
    assert.equal(signature, `v1,${mac.update(`${id}.${time}.${hook.text}`).digest("base64")}`)
    assert.doesNotMatch(JSON.stringify(hook), new RegExp(secret.slice(6, 20).replaceAll(/[+/]/g, ".")))
  })

  it("a signature holds for its id, time, body and secret alone", () => {
    const all = [
      signed(secret, "a", "{}", now),
      signed(secret, "b", "{}", now),
      signed(secret, "a", "{ }", now),
      signed(secret, "a", "{}", now + 1000),
      signed(webhookSecret(randomBytes(32)), "a", "{}", now),
    ].map(headers => headers["webhook-signature"])
    assert.equal(new Set(all).size, all.length)
    // The example of standardwebhooks.com's specification.
    assert.equal(
      signed(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        '{"test": 2432232314}',
        1614265330_000,
      )["webhook-signature"],
      "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    )
  })

  it("any answer but 2xx is a failure, and 410 the last word", async () => {
    for (const status of [400, 404, 429, 500, 503]) {
      receiver.status = status
      assert.deepEqual(await send(), { ok: false, reason: `It answered ${status}.`, isHopeless: false })
    }
    receiver.status = 410
    assert.equal(((await send()) as { isHopeless: boolean }).isHopeless, true)
  })

  it("a redirect is not followed", async () => {
    const other = await startWebhookReceiver()
    try {
      for (const status of [301, 302, 303, 307, 308]) {
        Object.assign(receiver, { status, headers: { location: other.url } })
        const sent = await send()
        assert.ok(!sent.ok && /redirects are not followed/.test(sent.reason), JSON.stringify(sent))
      }
      assert.equal(other.hooks.length, 0)
    } finally {
      other.close()
    }
  })

  it("nothing there is a failure in words", async () => {
    const gone = await startWebhookReceiver()
    gone.close()
    assert.deepEqual(await send(false, gone.url), { ok: false, reason: "Nothing answers there.", isHopeless: false })
    const unknown = await send(false, "https://no-such-name.invalid/")
    assert.ok(
      !unknown.ok && /Its name could not be found|connection failed|did not answer in time/.test(unknown.reason),
    )
  })

  it("an answer that never comes ends after a time", async function () {
    this.timeout(300_000)
    receiver.silent = true
    try {
      assert.deepEqual(await send(), { ok: false, reason: "It did not answer in time.", isHopeless: false })
    } finally {
      receiver.silent = false
    }
  })
})

describe("webhook of a public service", () => {
  let inside: Server
  let reached = 0
  let port: number
  before(async () => {
    inside = createServer((_, response) => {
      reached++
      response.end()
    })
    // On every address of this machine, as a service inside a private network would be.
    await new Promise<void>(resolve => inside.listen(0, "::", resolve))
    port = (inside.address() as AddressInfo).port
  })
  after(() => inside?.close())

  it("reaches nothing inside, by number or by name, whatever was stored", async () => {
    const hosts = [
      "127.0.0.1",
      "localhost",
      "[::1]",
      "2130706433",
      "0x7f.1",
      "0",
      "[::ffff:127.0.0.1]",
      "[::]",
      "a.localhost",
    ]
    for (const host of hosts) {
      for (const scheme of ["http", "https"]) {
        const url = `${scheme}://${host}:${port}/`
        const sent = await sendWebhook({ url, secret }, told, { now, onlyPublic: true })
        assert.equal(sent.ok, false, url)
        assert.match(
          (sent as { reason: string }).reason,
          /public internet|name could not be found|did not answer in time/,
          url,
        )
      }
    }
    assert.equal(reached, 0)
    // The same server is there for a service that lives on this machine alone.
    assert.equal(
      (await sendWebhook({ url: `http://127.0.0.1:${port}/`, secret }, told, { now, onlyPublic: false })).ok,
      true,
    )
  })

  it("addresses are public or not as the registries say", () => {
    const inside = [
      ...["0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255"],
      ...["192.168.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "::ffff:8.8.8.8", "64:ff9b::a00:1"],
      ...["fe80::1", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1", "2002:7f00:1::1", "2001::1", "name"],
    ]
    const outside = ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700:4700::1111", "2a01:4f8::1"]
    for (const address of inside) assert.equal(isPublicAddress(address), false, address)
    for (const address of outside) assert.equal(isPublicAddress(address), true, address)
  })
})

describe("a webhook's URL", () => {
  const takes = (site: string, url: string) => webhookUrl(site).safeParse(url).success
  const SITE = "https://cloud.example.com"
  const LOCAL = "http://localhost:8080"

  it("is https, and on a service of this machine alone http here too", () => {
    assert.equal(takes(SITE, "https://example.com/hook?x=1"), true)
    for (const url of [
      "http://example.com",
      "ftp://example.com",
      "example.com",
      "",
      "https://",
      "javascript:alert(1)",
    ]) {
      assert.equal(takes(SITE, url), false, url)
      assert.equal(takes(LOCAL, url), false, url)
    }
    assert.equal(takes(LOCAL, "http://127.0.0.1:9000/"), true)
    assert.equal(takes(SITE, "http://127.0.0.1:9000/"), false)
  })

  it("carries no credentials and no address of a private network", () => {
    for (const url of [
      "https://u:p@example.com",
      "https://10.0.0.1",
      "https://[::1]",
      "https://127.1",
      "https://169.254.169.254/latest",
    ]) {
      assert.equal(takes(SITE, url), false, url)
    }
  })
})
