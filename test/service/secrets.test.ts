import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { stat } from "node:fs/promises"
import { join } from "node:path"
import { createBackoff } from "../../image-builder/agent/backoff.ts"
import { createServiceClient } from "../../image-builder/agent/service/client.ts"
import { followOrders } from "../../image-builder/agent/service/orders.ts"
import { applySettings } from "../../image-builder/agent/settings.ts"
import { createRest } from "../../image-builder/agent/sleep/rest.ts"
import { createKeys } from "../../service/keys.ts"
import { workspaceKey } from "../../service/machines/workspace-key.ts"
import { startTestService, type TestService } from "../support/service.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import { csrfOf, type Visitor } from "../support/visitor.ts"
import { waitUntil } from "../support/wait-until.ts"
import { newWorkspace, type WorkspaceLife } from "../support/workspace-life.ts"

/** The agent's part that follows the service and writes what a machine is given, in a folder. */
async function startAgent(test: TestService, workspace: string) {
  const root = await temporaryDirectory()
  const key = workspaceKey(createKeys(String(test.env.FOOZOL_SECRET)), workspace)
  const client = createServiceClient({ service: test.url, key, timeoutMs: 10_000 })
  const warnings: string[] = []
  const log = { info: () => {}, warn: (text: string) => void warnings.push(text) }
  let life = new AbortController()
  const connect = () => {
    life = new AbortController()
    void followOrders({
      rest: createRest(),
      ...{ client, log: log as never, signal: life.signal, connected: () => {} },
      backoff: createBackoff({ first: 20, most: 200, random: () => 0 }),
      async obey(order) {
        if (order.type !== "settings") return
        await applySettings(order.settings, { directory: root.path, sessionId: workspace, home: root.path })
      },
    })
  }
  connect()
  return {
    warnings,
    directory: root.path,
    /** A variable as a new shell has it. */
    async has(name: string, value: string) {
      const files = ["env", "secrets.env"].map(file => join(root.path, file))
      const script = `${files.map(file => `[ ! -r ${file} ] || . ${file}`).join("; ")}; printf %s "$${name}"`
      await waitUntil(`${name} on the machine`, () => execFileSync("sh", ["-c", script]).toString() === value)
    },
    away: () => life.abort(),
    back: connect,
    async close() {
      life.abort()
      client.close()
      await root.remove()
    },
  }
}

describe("service: secrets of users and workspaces", () => {
  let test: TestService
  let ada: Visitor
  let token: string
  let desk: WorkspaceLife
  let other: WorkspaceLife
  let agent: Awaited<ReturnType<typeof startAgent>>
  const put = (path: string, value: string, who: string | Visitor = token) => test.api(who, "PUT", path, { value })
  const names = async (path: string) => {
    const { body } = await test.api(token, "GET", path)
    return (body.secrets as { name: string }[]).map(one => one.name)
  }
  const own = () => `/workspaces/${desk.id}/secrets`

  before(async () => {
    test = await startTestService({ FOOZOL_QUOTA_TOTAL: "5" })
    ada = await test.signIn("ada")
    token = await test.token(ada)
    desk = await newWorkspace(test, token, { secrets: { FIRST: "from the beginning" } })
    other = await newWorkspace(test, token, { name: "Other" })
    agent = await startAgent(test, desk.id)
    await agent.has("FIRST", "from the beginning")
  })
  afterEach(() => test.forgetLimits())
  after(async () => {
    await agent?.close()
    await test?.close()
  })

  it("reach a machine that is on at once, the workspace's own before its owner's", async () => {
    assert.equal((await put("/secrets/ANTHROPIC_API_KEY", "of the user")).status, 204)
    await agent.has("ANTHROPIC_API_KEY", "of the user")
    assert.equal((await put(`${own()}/ANTHROPIC_API_KEY`, "of the workspace")).status, 204)
    await agent.has("ANTHROPIC_API_KEY", "of the workspace")
    const mode = (await stat(join(agent.directory, "secrets.env"))).mode & 0o777
    assert.equal(mode.toString(8), "640")
    await waitUntil("the other one's machine has the user's", () => {
      const settings = test.machines.received.filter(one => one.workspace === other.id && one.type === "settings")
      return JSON.stringify(settings.at(-1)?.data.secrets) === '{"ANTHROPIC_API_KEY":"of the user"}'
    })
  })

  it("are taken back at once", async () => {
    assert.equal((await test.api(token, "DELETE", `${own()}/ANTHROPIC_API_KEY`)).status, 204)
    await agent.has("ANTHROPIC_API_KEY", "of the user")
    assert.equal((await test.api(token, "DELETE", "/secrets/ANTHROPIC_API_KEY")).status, 204)
    await agent.has("ANTHROPIC_API_KEY", "")
    assert.equal((await test.api(token, "DELETE", `${own()}/ANTHROPIC_API_KEY`)).status, 404)
  })

  it("of which the last one counts, however fast they follow one another", async () => {
    const values = Array.from({ length: 12 }, (_, at) => `value ${at}`)
    for (const value of values) assert.equal((await put(`${own()}/FAST`, value)).status, 204)
    await agent.has("FAST", "value 11")
    const settings = test.machines.received.filter(one => one.workspace === desk.id && one.type === "settings")
    const seen = settings.map(one => (one.data.secrets as Record<string, string>).FAST).filter(Boolean)
    assert.deepEqual(
      seen,
      [...seen].sort((a, b) => values.indexOf(a as string) - values.indexOf(b as string)),
    )
  })

  it("reach a machine that was away at its next connection", async () => {
    agent.away()
    await put(`${own()}/MISSED`, "meanwhile")
    await test.api(token, "DELETE", `${own()}/FAST`)
    agent.back()
    await agent.has("MISSED", "meanwhile")
    await agent.has("FAST", "")
  })

  it("that no key opens any more are left out, and the machine hears of everything else", async () => {
    const { redis } = test.service.services
    const lost = createKeys("a secret that is lost, long enough to be one").seal("x", "whatever")
    await redis.hset(`fz:ws:${desk.id}:secrets`, "LOST", `1 ${lost}`)
    agent.away()
    await put(`${own()}/MISSED`, "after it")
    agent.back()
    await agent.has("MISSED", "after it")
    await agent.has("LOST", "")
    assert.match(test.logged(), /"unreadable":\["LOST"\]/)
    assert.equal((await put(`${own()}/LOST`, "set again")).status, 204)
    await agent.has("LOST", "set again")
    await test.api(token, "DELETE", `${own()}/LOST`)
  })

  it("a proxy that no key opens any more is no reason to go out without one", async () => {
    const { redis } = test.service.services
    const lost = createKeys("a secret that is lost, long enough to be one").seal("x", "whatever")
    await redis.hset(`fz:ws:${desk.id}:secrets`, ".proxy", `1 ${lost}`)
    agent.away()
    agent.back()
    await agent.has("https_proxy", "http://127.0.0.1:3128")
    await redis.hdel(`fz:ws:${desk.id}:secrets`, ".proxy")
    agent.away()
    agent.back()
    await agent.has("https_proxy", "")
  })

  it("come as they are, and in the largest number there may be", async () => {
    const odd = `it's "$HOME" \`id\` \\ and\n\ttwo lines, ü😀`
    await put(`${own()}/ODD`, odd)
    await agent.has("ODD", odd)
    // Line feeds and quotes take two characters each on the way.
    const large = '"\n'.repeat(8_000)
    for (const path of ["/secrets", own()]) {
      for (let at = 0; at < 8; at++) assert.equal((await put(`${path}/LARGE_${at}${path.length}`, large)).status, 204)
      await test.forgetLimits()
      const refused = await put(`${path}/LARGE_8`, large)
      assert.deepEqual([refused.status, refused.body.id], [409, "secrets-too-large"])
    }
    await agent.has(`LARGE_7${own().length}`, large)
    await agent.has(`LARGE_7${"/secrets".length}`, large)
    assert.deepEqual(agent.warnings, [])
    for (const path of ["/secrets", own()]) {
      for (let at = 0; at < 8; at++) await test.api(token, "DELETE", `${path}/LARGE_${at}${path.length}`)
      await test.forgetLimits()
    }
  })

  it("are listed by name with the time of the last change", async () => {
    const { status, body } = await test.api(token, "GET", own())
    assert.equal(status, 200)
    assert.deepEqual(Object.keys(body.secrets[0]).sort(), ["name", "updatedAt"])
    assert.deepEqual(await names(own()), ["FIRST", "MISSED", "ODD"])
    const [first, missed] = body.secrets as { updatedAt: string }[]
    assert.ok(Date.now() - Date.parse(first?.updatedAt ?? "") < 600_000)
    assert.ok(Date.parse(missed?.updatedAt ?? "") > Date.parse(first?.updatedAt ?? ""))
    assert.deepEqual(await names("/secrets"), [])
  })

  it("are nobody else's", async () => {
    const eve = await test.token(await test.signIn("eve"))
    const reads = await test.token(ada, "read")
    assert.equal((await test.api(eve, "GET", own())).status, 404)
    assert.equal((await put(`${own()}/A_KEY`, "1", eve)).status, 404)
    assert.equal((await test.api(eve, "DELETE", `${own()}/FIRST`)).status, 404)
    assert.equal((await test.api(reads, "GET", own())).status, 200)
    assert.equal((await put(`${own()}/A_KEY`, "1", reads)).status, 403)
    assert.equal((await test.api(reads, "DELETE", `${own()}/FIRST`)).status, 403)
    assert.deepEqual(await names(own()), ["FIRST", "MISSED", "ODD"])
  })

  it("are refused where they would break a machine, in clear words", async () => {
    const refused = async (name: string, value: string, words: RegExp) => {
      const { status, body } = await put(`${own()}/${name}`, value)
      assert.deepEqual([status, body.id], [422, "invalid-request"])
      assert.match(body.detail, words)
    }
    await refused("LD_PRELOAD", "1", /name: is a name that the machine itself needs/)
    await refused("NODE_OPTIONS", "1", /machine itself needs/)
    await refused("A-B", "1", /must be a name of an environment variable, such as ANTHROPIC_API_KEY/)
    await refused("A_KEY", "a\0b", /value: must be text: of control characters only tabs and line feeds/)
    await refused("A_KEY", "v".repeat(32_769), /value: must have at most 32 KiB/)
    await refused("A_KEY", "", /value: must not be empty/)
    await test.forgetLimits()
    // What a service with other rules has stored can be removed.
    const { redis, keys } = test.service.services
    const place = `fz:ws:${desk.id}:secrets`
    await redis.hset(place, "PYTHONPATH", `1 ${keys.seal("x", `secret ${place} PYTHONPATH`)}`)
    assert.equal((await test.api(token, "DELETE", `${own()}/PYTHONPATH`)).status, 204)
  })

  it("have forms on the account's page and on the workspace's", async () => {
    const send = async (path: string, fields: Record<string, string>) => {
      const page = await ada.get(`${test.url}/workspaces/${desk.id}`)
      return ada.post(`${test.url}${path}`, { csrf: csrfOf(page), ...fields }, { origin: test.url })
    }
    const page = await send(`/workspaces/${desk.id}/secrets`, { name: "TYPED", value: " line 1\r\nline 2\r\n" })
    assert.match(page.url, new RegExp(`/workspaces/${desk.id}(#secrets)?$`))
    assert.match(page.text, /<code>TYPED<\/code>/)
    assert.doesNotMatch(page.text, /line 1/)
    await agent.has("TYPED", "line 1\nline 2")
    const wrong = await send(`/workspaces/${desk.id}/secrets`, { name: "PATH", value: "hush-hush" })
    assert.equal(wrong.status, 422)
    assert.match(wrong.text, /The key was not stored: its name is a name that the machine itself needs/)
    assert.doesNotMatch(wrong.text, /hush-hush/)
    assert.equal((await send("/account/secrets", { name: "TYPED", value: "of the account" })).status, 200)
    const both = await ada.get(`${test.url}/workspaces/${desk.id}`)
    assert.match(both.text, /in the place of your account’s/)
    await send(`/workspaces/${desk.id}/secrets/TYPED/delete`, {})
    await agent.has("TYPED", "of the account")
    await send("/account/secrets/TYPED/delete", {})
    await agent.has("TYPED", "")
    assert.equal((await send(`/workspaces/${desk.id}/secrets/TYPED/delete`, {})).status, 404)
    for (let at = 0; at < 64; at++) {
      if (at % 20 === 0) await test.forgetLimits()
      await put(`/secrets/KEY_${at}`, "1")
    }
    const full = await send("/account/secrets", { name: "ONE_MORE", value: "1" })
    assert.equal(full.status, 422)
    assert.match(full.text, /There are 64 secrets here, which is more than a machine can take: remove one first/)
  })

  it("go with the workspace", async () => {
    await put(`/workspaces/${other.id}/secrets/OF_IT`, "1")
    const gone = await test.api(token, "DELETE", `/workspaces/${other.id}`)
    const late = await put(`/workspaces/${other.id}/secrets/TOO_LATE`, "1")
    assert.equal(late.status, 404)
    assert.equal((await test.finished(token, gone.body.operation.id)).state, "succeeded")
    assert.equal((await put(`/workspaces/${other.id}/secrets/TOO_LATE`, "1")).status, 404)
    assert.equal(await test.service.services.redis.exists(`fz:ws:${other.id}:secrets`), 0)
  })
})
