import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Redis } from "ioredis"
import { createKeys } from "../../service/keys.ts"
import { workspaceKey } from "../../service/machines/workspace-key.ts"
import { type Canaries, canariesBelow, canariesIn, canariesInProcesses } from "../support/canaries.ts"
import { cookieOf, startTestWorld, type TestWorld } from "../support/service.ts"
import { type ServiceProcess, startServiceProcess } from "../support/service-process.ts"
import { csrfOf } from "../support/visitor.ts"
import { waitUntil } from "../support/wait-until.ts"

const random = (name: string) => `${name}-${randomBytes(16).toString("hex")}`

/** Canaries in the real process: every secret there is, looked for wherever it could have been left in the clear. */
describe("security: secrets stay where they belong", () => {
  let world: TestWorld
  let service: ServiceProcess
  /** What the service is given as settings; its own environment has them, and nothing else has. */
  let settings: Canaries
  /** What comes to be by using it. */
  const born: Canaries = {}
  const all = () => ({ ...settings, ...born })
  const seen = new Map<string, ReturnType<typeof canariesInProcesses>[number]>()
  let watching: ReturnType<typeof setInterval>

  before(async () => {
    const own = { FOOZOL_SECRET: random("service-secret"), FOOZOL_STATE_PASSPHRASE: random("passphrase") }
    world = await startTestWorld({ ...own, FOOZOL_LOG_LEVEL: "debug" })
    settings = {
      ...own,
      FOOZOL_GITHUB_CLIENT_SECRET: world.env.FOOZOL_GITHUB_CLIENT_SECRET as string,
      HCLOUD_TOKEN: world.env.HCLOUD_TOKEN as string,
    }
    service = await startServiceProcess(world.url, world.env)
    const cmdline = readFileSync(`/proc/${service.pid}/cmdline`, "latin1")
    // Engine runs come and go within a second: looked at all the time.
    watching = setInterval(() => {
      for (const one of canariesInProcesses(all())) {
        // A child that is a copy of the service still, and becomes another program in the same moment.
        if (one.pid !== service.pid && one.cmdline === cmdline) continue
        seen.set(`${one.what} ${one.where} ${one.pid}`, one)
      }
    }, 25)
  })
  after(async () => {
    clearInterval(watching)
    await service?.stop()
    await world?.close()
  })

  it("a life with secrets: sign-in, keys, proxy, tokens, a desktop, an outage, the end", async () => {
    const ada = await world.signIn("ada")
    born["id of a login"] = ada.cookies.get("127.0.0.1")?.get("foozol-login") as string
    const token = await world.token(ada)
    born["token for scripts"] = token
    born["key of a user"] = random("user-key")
    born["key of a workspace"] = random("workspace-secret")
    born["password of a proxy"] = random("proxy-password")
    const put = await world.api(token, "PUT", "/secrets/USER_KEY", { value: born["key of a user"] })
    assert.equal(put.status, 204)
    const wish = {
      proxy: `http://ada:${born["password of a proxy"]}@proxy.example:3128`,
      secrets: { WORKSPACE_KEY: born["key of a workspace"] },
    }
    const { body } = await world.api(token, "POST", "/workspaces", { ...wish, sizeClass: "small", region: "fsn1" })
    const id = body.workspace.id as string
    const key = workspaceKey(createKeys(settings.FOOZOL_SECRET as string), id)
    born["workspace key"] = key.split(".")[2] as string
    assert.equal((await world.finished(token, body.operation.id)).state, "succeeded")
    await waitUntil("the machine has its settings", () => {
      const got = world.machines.received.find(one => one.workspace === id && one.type === "settings")
      return got && JSON.stringify(got.data).includes(born["password of a proxy"] as string)
    })
    // What is set later, by the API and by forms, and brought to the machine while it is on.
    born["later key of a workspace"] = random("later-secret")
    const later = await world.api(token, "PUT", `/workspaces/${id}/secrets/LATER_KEY`, {
      value: `${born["later key of a workspace"]}\nof two lines`,
    })
    assert.equal(later.status, 204)
    for (const [what, path] of [
      ["typed key of a workspace", `/workspaces/${id}/secrets`],
      ["typed key of a user", "/account/secrets"],
    ] as const) {
      const page = await ada.get(`${world.url}${path.replace("/secrets", "")}`)
      born[what] = random("typed")
      const fields = {
        csrf: csrfOf(page),
        name: path.startsWith("/acc") ? "TYPED_OF_USER" : "TYPED",
        value: born[what],
      }
      const after = await ada.post(`${world.url}${path}`, fields, { origin: world.url })
      assert.match(after.text, /<code>TYPED/)
      const wrong = { ...fields, name: "LD_PRELOAD" }
      const refused = await ada.post(`${world.url}${path}`, wrong, { origin: world.url })
      assert.equal(refused.status, 422)
      assert.deepEqual(canariesIn(after.text + refused.text, born, "page"), [])
    }
    await waitUntil("the machine has all of them", () => {
      const got = world.machines.received.findLast(one => one.workspace === id && one.type === "settings")
      const wanted = ["later key of a workspace", "typed key of a workspace", "typed key of a user"]
      return wanted.every(what => JSON.stringify(got?.data).includes(born[what] as string))
    })
    const way = await fetch(`${world.url}/connect?workspace=${id}`, {
      headers: { cookie: cookieOf(ada) },
      redirect: "manual",
    })
    const ticket = new URL(way.headers.get("location") ?? "").searchParams.get("ticket") as string
    born["entry ticket"] = ticket
    const entered = await fetch(`${world.url}/vnc/authorize`, {
      headers: { authorization: `Bearer ${key}`, "x-foozol-ticket": ticket },
    })
    born["VNC token"] = entered.headers.get("x-foozol-token") as string
    assert.equal(entered.status, 204)
    const stop = await world.api(token, "POST", `/workspaces/${id}/stop`)
    assert.equal((await world.finished(token, stop.body.operation.id)).state, "succeeded")

    // What is written down about errors holds what was asked for.
    await world.redis.kill()
    for (const headers of [{ cookie: cookieOf(ada) }, { authorization: `Bearer ${token}` }]) {
      assert.equal((await fetch(`${world.url}/api/v1/me`, { headers: headers as Record<string, string> })).status, 503)
    }
    await fetch(`${world.url}/vnc/authorize`, {
      headers: { authorization: `Bearer ${key}`, "x-foozol-token": born["VNC token"] },
    })
    await world.redis.resume()
    await waitUntil("ready again", async () => (await fetch(`${world.url}/readyz`)).ok)
    assert.equal((await world.api(token, "PUT", "/secrets/USER_KEY", { value: "" })).status, 422)
    const { detail } = (await world.api(token, "PUT", "/secrets/USER_KEY", { value: `${born["key of a user"]}\0` }))
      .body
    assert.doesNotMatch(detail, new RegExp(born["key of a user"] as string), "a refusal does not repeat the value")
  })

  it("the log names none", () => {
    const log = service.output()
    assert.match(log, /"msg":"operation succeeded"/)
    assert.match(log, /"status":503/)
    assert.deepEqual(canariesIn(log, { ...all(), "password of Redis": "a-password-for-tests" }, "log"), [])
  })

  it("Redis' file on disk holds none in the clear", () => {
    assert.deepEqual(canariesBelow(join(world.redis.directory, "appendonlydir"), all()), [])
  })

  it("the engine's state and folders hold none in the clear", () => {
    assert.deepEqual(canariesBelow(join(world.directory, "state"), all()), [])
    assert.deepEqual(canariesBelow(join(world.directory, "engine"), all()), [])
  })

  it("the audit log has the names and no value", async () => {
    const directory = String(world.env.FOOZOL_AUDIT_DIRECTORY)
    await waitUntil("the names in the audit log", () =>
      ["USER_KEY", "LATER_KEY", "TYPED_OF_USER"].every(
        name => canariesBelow(directory, { name: `"${name}"` }).length > 0,
      ),
    )
    assert.deepEqual(canariesBelow(directory, all()), [])
  })

  it("no process has one among its arguments", () => {
    assert.deepEqual(
      [...seen.values()].filter(one => one.where === "cmdline"),
      [],
    )
  })

  it("in environments are only the service's own settings, and what an engine run cannot do without", () => {
    const elsewhere = [...seen.values()].filter(one => one.where === "environ" && one.pid !== service.pid)
    // The CLI and its plugin take these two as environment alone; both are gone with the run.
    const neededBy = (program: string) =>
      program.startsWith("pulumi") ? ["FOOZOL_STATE_PASSPHRASE", "HCLOUD_TOKEN"] : []
    assert.deepEqual(
      elsewhere.filter(one => !neededBy(one.program).includes(one.what)),
      [],
    )
    assert.ok(elsewhere.length > 0, "engine runs were seen")
    const own = [...seen.values()].filter(one => one.where === "environ" && one.pid === service.pid)
    assert.deepEqual([...new Set(own.map(one => one.what))].sort(), Object.keys(settings).sort())
  })

  it("a secret never comes out of the API or a page again", async () => {
    const ada = await world.signIn("ada")
    const its = `/workspaces/${(await world.api(ada, "GET", "/workspaces")).body.workspaces[0].id}`
    const texts = await Promise.all([
      ...["/secrets", `${its}/secrets`, its, "/workspaces", "/tokens", "/me"].map(async path =>
        JSON.stringify((await world.api(ada, "GET", path)).body),
      ),
      ...["/", "/account", its, "/workspaces/new"].map(async path => (await ada.get(`${world.url}${path}`)).text),
    ])
    assert.match(texts[0] as string, /USER_KEY/)
    assert.match(texts[1] as string, /LATER_KEY.*TYPED.*WORKSPACE_KEY/)
    assert.deepEqual(canariesIn(texts.join("\n"), all(), "answers"), [])
  })

  it("a deletion leaves nothing of the workspace's secrets in the store", async () => {
    const token = born["token for scripts"] as string
    const { workspaces } = (await world.api(token, "GET", "/workspaces")).body
    const gone = await world.api(token, "DELETE", `/workspaces/${workspaces[0].id}`)
    assert.equal((await world.finished(token, gone.body.operation.id)).state, "succeeded")
    const redis = new Redis(world.redis.url)
    assert.deepEqual(await redis.keys("fz:ws:*:secrets"), [])
    redis.disconnect()
  })

  it("ends when asked to, in good order", async () => {
    assert.equal(await service.stop(), 0)
    assert.match(service.output(), /"msg":"service stopped"/)
  })
})
