import assert from "node:assert/strict"
import { readFileSync, writeFileSync } from "node:fs"
import { mkdir, rename, rmdir } from "node:fs/promises"
import { join } from "node:path"
import { openLedger } from "../../service/usage/ledger.ts"
import { type LedgerLine, parseLine } from "../../service/usage/ledger-line.ts"
import { monthAfter, monthOf } from "../../service/usage/months.ts"
import { cookieOf, startTestService, type TestService } from "../support/service.ts"
import { csrfOf, type Visitor } from "../support/visitor.ts"
import { waitUntil } from "../support/wait-until.ts"

describe("service: usage and budgets", () => {
  let test: TestService
  let ada: Visitor
  let token: string
  let workspace: string

  before(async () => {
    test = await startTestService()
    ada = await test.signIn("ada")
    token = await test.token(ada)
  })
  after(() => test?.close())

  const month = () => monthOf(Date.now())
  const directory = () => join(test.directory, "usage")
  const written = () =>
    readFileSync(join(directory(), `usage-${month()}.ndjson`), "utf8")
      .split("\n")
      .flatMap(text => parseLine(text) ?? [])
  const changesOf = (id: string) =>
    written()
      .filter(one => one.workspace === id)
      .map(one => `${one.from ?? ""}→${one.to}`)
  const done = async (method: string, path: string, body?: unknown) => {
    const answer = await test.api(token, method, path, body)
    assert.ok(answer.status < 300, JSON.stringify(answer.body))
    assert.equal((await test.finished(token, answer.body.operation.id)).state, "succeeded")
    return answer.body
  }
  const usage = async (who: string | Visitor = token) => (await test.api(who, "GET", `/usage?month=${month()}`)).body
  const raw = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${test.url}/api/v1${path}`, { headers: { authorization: `Bearer ${token}`, ...headers } })

  it("every change of a workspace's state is in the ledger, with what it was and what it cost", async () => {
    workspace = (await done("POST", "/workspaces", { name: 'My "desk", =1', sizeClass: "small" })).workspace.id
    await done("POST", `/workspaces/${workspace}/stop`)
    const expected = ["→PROVISIONING", "PROVISIONING→RUNNING", "RUNNING→STOPPING", "STOPPING→STOPPED"]
    await waitUntil("the ledger has all changes", () => changesOf(workspace).length === expected.length)
    assert.deepEqual(changesOf(workspace), expected)
    for (const line of written()) {
      assert.equal(line.provider, "hetzner")
      assert.equal(line.name, 'My "desk", =1')
      assert.equal(line.price?.currency, "EUR")
      assert.ok((line.price?.hourly ?? 0) > 0)
    }
    const { redis } = test.service.services
    await waitUntil("what is written is taken out of the stream", async () => (await redis.xlen("fz:changes")) === 0)
  })

  it("is answered as JSON and as CSV, to its owner alone", async () => {
    const { month: said, workspaces, total } = await usage()
    assert.equal(said, month())
    assert.equal(workspaces.length, 1)
    assert.equal(workspaces[0].workspace, workspace)
    assert.ok(workspaces[0].seconds.active > 0 && workspaces[0].seconds.stopped > 0, JSON.stringify(workspaces))
    assert.ok(total[0].amount > 0 && total[0].currency === "EUR")
    const byName = await raw("/usage.csv")
    const byAccept = await raw("/usage", { accept: "text/csv" })
    for (const answer of [byName, byAccept]) {
      assert.match(answer.headers.get("content-type") as string, /^text\/csv/)
      const [head, row, ...rest] = (await answer.text()).split("\r\n")
      assert.match(head as string, /^month,workspace,name,.*active_seconds,.*estimated_cost,currency$/)
      assert.ok(row?.startsWith(`${month()},${workspace},"My ""desk"", =1",browser,hetzner,`), row)
      assert.deepEqual(rest, [""])
    }
    const eve = await test.signIn("eve")
    assert.deepEqual((await usage(eve)).workspaces, [])
    assert.equal((await test.api(token, "GET", "/usage?month=2026-13")).status, 422)
    assert.deepEqual((await test.api(token, "GET", `/usage?month=${monthAfter(month(), -1)}`)).body.workspaces, [])
    assert.equal((await fetch(`${test.url}/api/v1/usage`)).status, 401)
  })

  it("a change that is not written yet counts already, and a copy in the ledger does not count", async () => {
    const { redis } = test.service.services
    // Held by another worker, for the time of this test.
    await waitUntil("it is nobody's turn", () => redis.set("fz:turn:changes", "a test", "PX", 600_000, "NX"))
    await done("POST", `/workspaces/${workspace}/start`)
    assert.ok((await redis.xlen("fz:changes")) >= 2)
    const before = (await usage()).workspaces[0].seconds
    // The worker died after it had written and before it could say so.
    const entries = await redis.xrange("fz:changes", "-", "+")
    const ledger = openLedger(directory(), test.service.services.log)
    const moved = entries.map(([, fields]): LedgerLine => {
      const all = Object.fromEntries(
        Array.from({ length: fields.length / 2 }, (_, at) => [fields[at * 2], fields[at * 2 + 1]]),
      )
      const { id, ...info } = JSON.parse(all.info as string)
      const { owner, name, profile, provider, region, size, price } = info
      return {
        ...{ workspace: id, owner, name, profile, provider, region, size, price, stopMode: null },
        ...{ from: all.from, to: all.to, epoch: Number(all.epoch), at: Number(all.at) },
      } as LedgerLine
    })
    await ledger.append(moved)
    const copied = (await usage()).workspaces[0].seconds
    assert.equal(copied.stopped, before.stopped)
    assert.equal(copied.changing, before.changing)
    await redis.del("fz:turn:changes")
    await waitUntil("the stream is empty", async () => (await redis.xlen("fz:changes")) === 0)
    assert.equal(changesOf(workspace).filter(change => change === "STARTING→RUNNING").length, 2, "it was written twice")
    const after = (await usage()).workspaces[0].seconds
    assert.equal(after.stopped, before.stopped)
    assert.equal(after.changing, before.changing)
  })

  it("an entry that cannot be read holds up no other, and is kept", async () => {
    const { redis } = test.service.services
    await redis.xadd("fz:changes", "*", "info", "{", "to", "RUNNING")
    await waitUntil("the stream is empty", async () => (await redis.xlen("fz:changes")) === 0)
    assert.equal(await redis.xlen("fz:changes-refused"), 1)
  })

  it("survives Redis, with all that it knew", async () => {
    const before = await usage()
    const { redis } = test.service.services
    const keys = (await redis.keys("fz:ws*")).concat("fz:changes")
    const dumps = await Promise.all(keys.map(async key => [key, await redis.dumpBuffer(key)] as const))
    await redis.del(...keys)
    const after = await usage()
    assert.equal(after.workspaces[0].seconds.stopped, before.workspaces[0].seconds.stopped)
    for (const [key, dump] of dumps) if (dump) await redis.restore(key, 0, dump)
  })

  it("a ledger that cannot be written to loses nothing: the changes wait", async () => {
    const { redis } = test.service.services
    const file = join(directory(), `usage-${month()}.ndjson`)
    await rename(file, `${file}.away`)
    // A folder in the file's place takes no lines, whoever asks.
    await mkdir(file)
    try {
      await done("POST", `/workspaces/${workspace}/stop`)
      assert.equal(await redis.xlen("fz:changes"), 2)
    } finally {
      await rmdir(file)
      await rename(`${file}.away`, file)
    }
    await waitUntil("the stream is empty", async () => (await redis.xlen("fz:changes")) === 0)
    assert.equal(changesOf(workspace).at(-1), "STOPPING→STOPPED")
  })

  it("the page shows it, month by month, with links to both forms", async () => {
    const page = await ada.get(`${test.url}/usage`)
    assert.equal(page.status, 200)
    assert.match(page.text, /My &quot;desk&quot;, =1/)
    for (const link of [
      `/api/v1/usage.csv?month=${month()}`,
      `/api/v1/usage?month=${month()}`,
      `/usage?month=${monthAfter(month(), -1)}`,
    ]) {
      assert.ok(page.text.includes(`href="${link}"`), link)
    }
    assert.match((await ada.get(`${test.url}/usage?month=2026-01`)).text, /There was no workspace in this month/)
    assert.equal((await ada.get(`${test.url}/usage?month=%3Cscript%3E`)).status, 200)
    // The links work with the browser's login.
    const csv = await fetch(`${test.url}/api/v1/usage.csv`, { headers: { cookie: cookieOf(ada) } })
    assert.match(await csv.text(), new RegExp(workspace))
  })

  describe("a budget", () => {
    const budget = async () => (await test.api(token, "GET", "/budget")).body.budget
    /** As though something dear had run a minute ago. */
    async function spend(owner: string): Promise<void> {
      const price = { currency: "EUR", hourly: 1_000_000, monthly: 1_000_000 }
      const facts = {
        owner,
        name: "dear",
        profile: "browser",
        provider: "hetzner",
        region: "fsn1",
        size: "cx53",
        price,
      }
      const line = { ...facts, workspace: `dear-${owner}`, stopMode: null, from: null } as const
      await openLedger(directory(), test.service.services.log).append([
        { ...line, to: "RUNNING", epoch: 1, at: Date.now() - 60_000 },
        { ...line, to: "TERMINATED", epoch: 2, at: Date.now() },
      ])
    }

    it("is none until it is set, by API or page, and must make sense", async () => {
      assert.equal(await budget(), null)
      for (const wrong of [{ amount: 0 }, { amount: -1 }, { amount: "10" }, { amount: 1, action: "explode" }, {}]) {
        assert.equal((await test.api(token, "PUT", "/budget", wrong)).status, 422, JSON.stringify(wrong))
      }
      const page = await ada.get(`${test.url}/usage`)
      const form = { csrf: csrfOf(page), amount: "12.50", action: "warn" }
      const end = await ada.post(`${test.url}/usage/budget`, form, { origin: test.url })
      assert.match(end.text, /€12\.50 used this month/)
      assert.equal((await budget()).action, "warn")
      const wrong = await ada.post(`${test.url}/usage/budget`, { ...form, amount: "-3" }, { origin: test.url })
      assert.equal(wrong.status, 422)
      assert.match(wrong.text, /A budget is an amount from 0.01/)
      await ada.post(`${test.url}/usage/budget`, { ...form, amount: "" }, { origin: test.url })
      assert.equal(await budget(), null)
    })

    it("that only warns refuses nothing", async () => {
      const { id } = (await test.api(token, "GET", "/me")).body
      await spend(id)
      await test.api(token, "PUT", "/budget", { amount: 5, action: "warn" })
      assert.ok((await budget()).part > 1)
      await done("POST", `/workspaces/${workspace}/start`)
      await test.restart()
      assert.equal((await test.api(token, "GET", `/workspaces/${workspace}`)).body.state, "RUNNING")
    })

    it("that is used up stops what runs, in its own name, and lets nothing begin until it is raised", async () => {
      await test.api(token, "PUT", "/budget", { amount: 5, action: "stop" })
      const refused = await test.api(token, "POST", "/workspaces", { name: "another", sizeClass: "small" })
      assert.equal(refused.status, 409)
      assert.equal(refused.body.id, "budget-reached")
      assert.match(refused.body.detail, /budget of 5 EUR .* is used up: raise it/)
      // Looked at when a worker starts, then every minute.
      await test.restart()
      const stopped = await waitUntil("it is stopped", async () => {
        const { body } = await test.api(token, "GET", `/workspaces/${workspace}`)
        return body.state === "STOPPED" && body
      })
      const operation = await test.service.services.store.operation(stopped.operation)
      assert.deepEqual([operation?.kind, operation?.requestedBy], ["stop", "budget"])
      const start = await test.api(token, "POST", `/workspaces/${workspace}/start`)
      assert.deepEqual([start.status, start.body.id], [409, "budget-reached"])
      assert.match((await ada.get(`${test.url}/usage`)).text, /no workspace can be started or created/)
      await test.api(token, "PUT", "/budget", { amount: 1_000_000 })
      await done("POST", `/workspaces/${workspace}/start`)
    })

    it("holds back its owner alone", async () => {
      const eve = await test.signIn("eve")
      await test.api(token, "PUT", "/budget", { amount: 5 })
      const answer = await test.api(eve, "POST", "/workspaces", { name: "eve's", sizeClass: "small" })
      assert.equal(answer.status, 202, JSON.stringify(answer.body))
      assert.equal((await test.finished(eve, answer.body.operation.id)).state, "succeeded")
      assert.equal((await test.api(token, "DELETE", "/budget")).body.budget, null)
    })
  })
})

describe("service: the operator's budget", () => {
  let test: TestService
  before(async () => {
    test = await startTestService({ FOOZOL_BUDGET: "20" })
  })
  after(() => test?.close())

  it("holds for who has set none", async () => {
    const ada = await test.signIn("ada")
    assert.equal((await test.api(ada, "GET", "/budget")).body.budget.amount, 20)
    await test.api(ada, "PUT", "/budget", { amount: 30 })
    assert.equal((await test.api(ada, "GET", "/budget")).body.budget.amount, 30)
    assert.equal((await test.api(ada, "DELETE", "/budget")).body.budget.amount, 20)
  })

  it("refuses to go on where the ledger cannot be read, instead of forgetting what was spent", async () => {
    const ada = await test.signIn("ada")
    writeFileSync(join(test.directory, "usage"), "no folder")
    const answer = await test.api(ada, "POST", "/workspaces", { sizeClass: "small" })
    assert.equal(answer.status, 500)
  })
})
