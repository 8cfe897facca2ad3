import assert from "node:assert/strict"
import { setTimeout as sleep } from "node:timers/promises"
import { Redis } from "ioredis"
import { cookieOf, startTestService, startTestWorld, type TestService, type TestWorld } from "../support/service.ts"
import { type ServiceProcess, startServiceProcess } from "../support/service-process.ts"
import { csrfOf } from "../support/visitor.ts"
import { waitUntil } from "../support/wait-until.ts"
import { newWorkspace } from "../support/workspace-life.ts"

/** Everything in Redis that bears a user's id, in a key or in what it holds. */
async function tracesOf(url: string, user: string): Promise<string[]> {
  const redis = new Redis(url)
  try {
    const keys = await redis.keys("fz:*")
    const found = await Promise.all(
      keys.map(async key => {
        if (key.includes(user)) return key
        const type = await redis.type(key)
        const text =
          type === "hash"
            ? JSON.stringify(await redis.hgetall(key))
            : type === "set"
              ? (await redis.smembers(key)).join()
              : type === "string"
                ? await redis.get(key)
                : ""
        return text?.includes(user) ? key : null
      }),
    )
    // How often somebody asked for something is counted for a minute.
    return found.filter(key => key !== null).filter(key => !key.startsWith("fz:limit:"))
  } finally {
    redis.disconnect()
  }
}
const servers = async (test: TestWorld) =>
  (await test.cloud.api<{ servers: { labels: Record<string, string> }[] }>("GET", "/servers")).servers
const snapshots = async (test: TestWorld, user: string) => {
  const { images } = await test.cloud.api<{ images: { labels: Record<string, string> }[] }>(
    "GET",
    "/images?type=snapshot",
  )
  return images.filter(one => one.labels["foozol-owner"] === user)
}

describe("service: the end of an account", () => {
  let test: TestService
  before(async () => {
    test = await startTestService({ FOOZOL_FINAL_SNAPSHOT_DAYS: "30" })
  })
  after(() => test?.close())
  const userOf = async (token: string) => (await test.api(token, "GET", "/me")).body.id as string
  const isGone = (user: string) =>
    waitUntil("the account is gone", async () => (await tracesOf(test.redis.url, user)).length === 0, 120_000)

  it("takes all access at once, then everything else, and who signs up again begins anew", async () => {
    const ada = await test.signIn("ada")
    const token = await test.token(ada)
    const user = await userOf(token)
    const desk = await newWorkspace(test, token)
    assert.equal((await desk.does("backups", { name: "by hand" })).state, "succeeded")
    await test.api(token, "PUT", "/secrets/MY_KEY", { value: "1" })
    await test.api(token, "PUT", `/workspaces/${desk.id}/secrets/ITS_KEY`, { value: "1" })
    await test.api(token, "PUT", "/budget", { amount: 1000, action: "warn" })
    const eve = await test.token(await test.signIn("eve"))
    const theirs = await newWorkspace(test, eve)

    const page = await ada.get(`${test.url}/account/delete`)
    assert.match(page.text, new RegExp(`Your workspace <strong>${desk.id}</strong> is deleted`))
    assert.match(page.text, /your backups \(there is 1\), for 30 days/)
    const send = (fields: Record<string, string>) =>
      ada.post(`${test.url}/account/delete`, { csrf: csrfOf(page), ...fields }, { origin: test.url })
    const wrong = await send({ confirm: "adah" })
    assert.deepEqual([wrong.status, /This is not your login name/.test(wrong.text)], [422, true])
    assert.equal((await test.api(token, "GET", "/me")).status, 200)

    const cookie = cookieOf(ada)
    // Somebody is on the desktop.
    const { tokens, logins, now } = test.service.services
    const [login] = await logins.listOf(user)
    const ticket = await tokens.issueTicket(desk.id, login?.hash ?? "")
    const vnc = await tokens.redeem(ticket, desk.id, now())
    assert.equal(await tokens.authorize(vnc.token ?? "", desk.id, now()), 204)
    const unused = await tokens.issueTicket(desk.id, login?.hash ?? "")
    const sent = await send({ confirm: "ada" })
    assert.match(sent.text, /Your account is being deleted/)
    assert.equal((await test.api(token, "GET", "/me")).status, 401)
    const me = await fetch(`${test.url}/api/v1/me`, { headers: { cookie, origin: test.url } })
    assert.equal(me.status, 401)
    assert.equal(await tokens.authorize(vnc.token ?? "", desk.id, now()), 401)
    assert.notEqual((await tokens.redeem(unused, desk.id, now())).answer, 204)
    await isGone(user)
    assert.deepEqual(await desk.machines(), [])
    assert.deepEqual(await test.service.services.redis.keys("fz:*:secrets"), [])
    const left = await snapshots(test, user)
    assert.deepEqual(left.map(one => one.labels["foozol-snapshot"]).sort(), ["backup", "final"])
    for (const { labels } of left) {
      const days = (Number(labels["foozol-keep-until"]) * 1000 - Date.now()) / 86_400_000
      assert.ok(days > 29 && days < 30.1, `kept for ${days} days`)
    }
    assert.equal((await theirs.shown()).state, "RUNNING")

    const again = await test.token(await test.signIn("ada"))
    assert.equal(await userOf(again), user)
    assert.deepEqual((await test.api(again, "GET", "/workspaces")).body.workspaces, [])
    assert.deepEqual((await test.api(again, "GET", "/secrets")).body.secrets, [])
    assert.equal((await test.api(again, "GET", "/tokens")).body.tokens.length, 1)
    assert.equal((await test.api(again, "GET", "/budget")).body.budget, null)
    assert.equal((await test.api(again, "GET", "/backups")).body.backups.length, 2, "to begin with again")
  })

  it("removes backups and last snapshots when that is wished, and of an account without anything nothing", async () => {
    const token = await test.token(await test.signIn("bob"))
    const user = await userOf(token)
    const desk = await newWorkspace(test, token)
    await desk.does("backups", {})
    const refused = await test.api(token, "DELETE", "/account?confirm=ada&snapshots=remove")
    assert.deepEqual([refused.status, refused.body.id], [422, "not-confirmed"])
    const { status, body } = await test.api(token, "DELETE", "/account?confirm=Bob&snapshots=remove")
    assert.deepEqual([status, body], [202, { state: "ending", snapshots: "remove" }])
    await isGone(user)
    assert.deepEqual(await snapshots(test, user), [])
    assert.deepEqual(await desk.machines(), [])

    const empty = await test.token(await test.signIn("empty"))
    const nobody = await userOf(empty)
    assert.equal((await test.api(empty, "DELETE", "/account?confirm=empty")).status, 202)
    await isGone(nobody)
  })

  it("is not for a token that may only read, and nobody signs in meanwhile", async () => {
    const carol = await test.signIn("carol")
    const token = await test.token(carol)
    const reader = await test.token(carol, "read")
    assert.equal((await test.api(reader, "DELETE", "/account?confirm=carol")).status, 403)
    await newWorkspace(test, token)
    const user = await userOf(token)
    assert.equal((await test.api(token, "DELETE", "/account?confirm=carol")).status, 202)
    await assert.rejects(test.signIn("carol"), /Your account is being deleted/)
    await isGone(user)
    await test.signIn("carol")
  })
})

describe("service: killed while an account ends, started again", function () {
  this.timeout(600_000)
  let world: TestWorld
  let service: ServiceProcess
  before(async () => {
    world = await startTestWorld({ FOOZOL_FINAL_SNAPSHOT_DAYS: "30" })
    service = await startServiceProcess(world.url, world.env)
  })
  after(async () => {
    await service?.stop()
    await world?.close()
  })

  it("all that end come to their end, wherever they were", async () => {
    const begin = async (login: string) => {
      const token = await world.token(await world.signIn(login))
      const { id } = (await world.api(token, "GET", "/me")).body
      await newWorkspace(world, token)
      const second = await newWorkspace(world, token, { name: "Second" })
      await second.does("stop?mode=hibernate")
      return { login, token, id: id as string }
    }
    const people = await Promise.all(["early", "middle", "late"].map(begin))
    const from = await world.cloud.requestCount()
    // Each a little further than the next one when the service is killed.
    for (const [place, { token, login }] of people.entries()) {
      while ((await world.cloud.requestCount()) - from < 7 * place) await sleep(2)
      assert.equal((await world.api(token, "DELETE", `/account?confirm=${login}`)).status, 202)
    }
    await service.kill()
    service = await startServiceProcess(world.url, world.env)
    for (const { id, token } of people) {
      assert.equal((await world.api(token, "GET", "/me")).status, 401, "access stays taken")
      await waitUntil("nothing is left", async () => (await tracesOf(world.redis.url, id)).length === 0, 300_000)
      const kinds = (await snapshots(world, id)).map(one => one.labels["foozol-snapshot"])
      assert.deepEqual(kinds, ["final", "final"])
    }
    assert.deepEqual(await servers(world), [])
  })
})
