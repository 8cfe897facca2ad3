import assert from "node:assert/strict"
import { startTestService, type TestService } from "../support/service.ts"
import { csrfOf, type Visitor } from "../support/visitor.ts"
import { waitUntil } from "../support/wait-until.ts"
import { askWorkspace, newWorkspace } from "../support/workspace-life.ts"

const WISH = { sizeClass: "small", region: "fsn1" }
const NAMED = { url: "https://github.com/ada/tool", branch: "dev", folder: "packages/web" }

describe("service: a workspace from a git repository", () => {
  let test: TestService
  let ada: Visitor
  let token: string
  let count = 0

  before(async () => {
    test = await startTestService({ FOOZOL_QUOTA_TOTAL: "9" })
  })
  after(() => test?.close())
  beforeEach(async () => {
    await test.forgetLimits()
    test.machines.setReady(true)
    test.machines.setRepository(() => null)
    ada = await test.signIn(`ada${count++}`)
    token = await test.token(ada)
  })

  const create = (wish: object) => test.api(token, "POST", "/workspaces", { ...WISH, ...wish })
  const orders = (workspace: string) =>
    test.machines.received.filter(one => one.workspace === workspace && one.type === "repository")
  const list = async () => (await test.api(token, "GET", "/workspaces")).body.workspaces

  it("is told to its machine at each connection, and what that reports is told to its owner", async () => {
    const desk = await newWorkspace(test, token, { repository: NAMED })
    const url = "https://github.com/ada/tool.git"
    const { repository } = await desk.shown()
    const more = { percent: null, into: null, reason: null }
    assert.deepEqual(repository, { url, branch: "dev", folder: "packages/web", state: "waiting", ...more })
    await waitUntil("its machine heard of it", () => orders(desk.id).length > 0)
    const data = { url, host: "github.com", path: "ada/tool", branch: "dev", folder: "packages/web", isHeld: false }
    assert.deepEqual(orders(desk.id)[0]?.data, data)
    const types = test.machines.received.filter(one => one.workspace === desk.id).map(one => one.type)
    assert.ok(types.indexOf("settings") < types.indexOf("repository"), "tokens come first")

    test.machines.setRepository(() => ({ state: "fetching", percent: 45 }))
    await waitUntil("it is fetched", async () => (await desk.shown()).repository.percent === 45)
    assert.match((await ada.get(`${test.url}/workspaces/${desk.id}`)).text, /Fetching ada\/tool .*: 45 %/)
    assert.match((await ada.get(test.url)).text, /<dt>Repository<\/dt><dd>ada\/tool/)
    test.machines.setRepository(() => ({ state: "fetched", folder: "tool" }))
    await waitUntil("it is there", async () => (await desk.shown()).repository.into === "tool")
    // What makes no sense is nothing, and the report counts all the same.
    test.machines.setRepository(() => ({ state: "eaten" }))
    await waitUntil("that is nothing", async () => (await desk.shown()).repository.state === "waiting")

    const before = orders(desk.id).length
    await test.restart()
    await waitUntil("it hears of it again", () => orders(desk.id).length > before)
  })

  it("is held back while an upgrade brings another home", async () => {
    const desk = await newWorkspace(test, token, { repository: NAMED })
    const redis = () => test.service.services.redis
    const operation = await redis().hget(`fz:ws:${desk.id}`, "operation")
    const info = JSON.parse((await redis().hget(`fz:op:${operation}`, "info")) ?? "{}")
    await redis().hset(`fz:op:${operation}`, { info: JSON.stringify({ ...info, kind: "upgrade" }), state: "running" })
    const before = orders(desk.id).length
    await test.restart()
    await waitUntil("it connects again", () => orders(desk.id).length > before)
    assert.equal(orders(desk.id).at(-1)?.data.isHeld, true)
    // The upgrade goes on to start the machine anew, with the home that it has brought.
    await redis().hset(`fz:op:${operation}`, "mark:carried", "")
    const held = orders(desk.id).length
    await test.restart()
    await waitUntil("it connects once more", () => orders(desk.id).length > held)
    assert.equal(orders(desk.id).at(-1)?.data.isHeld, false)
    await redis().hset(`fz:op:${operation}`, { info: JSON.stringify(info), state: "succeeded" })
  })

  it("that cannot be one is refused in words, and makes nothing", async () => {
    const refused: [object, string, RegExp][] = [
      [{ url: "https://evil.example/a/b" }, "unknown-host", /only on: github\.com/],
      [{ url: "file:///etc/passwd" }, "bad-repository", /https or ssh only/],
      [{ url: NAMED.url, branch: "--upload-pack=x" }, "bad-branch", /branch/],
      [{ url: NAMED.url, folder: "../.." }, "bad-folder", /folder/],
      [{ url: "" }, "bad-repository", /missing/],
    ]
    for (const [repository, id, words] of refused) {
      const { status, body } = await create({ repository })
      assert.deepEqual([status, body.id], [422, id], JSON.stringify(repository))
      assert.match(body.detail, words)
    }
    const both = await create({ repository: NAMED, from: "1" })
    assert.deepEqual([both.status, both.body.id], [422, "repository-and-backup"])
    assert.equal((await create({ repository: { ...NAMED, depth: 1 } })).status, 422)
    assert.deepEqual(await list(), [])
  })

  it("a wish for another repository is another workspace, the same one again is the same", async () => {
    test.machines.setReady(false)
    const { desk } = await askWorkspace(test, token, { repository: NAMED })
    const same = await create({ repository: { ...NAMED, url: "https://GitHub.com/ada/tool.git" } })
    assert.deepEqual([same.status, same.body.workspace.id], [200, desk.id])
    const other = await create({ repository: { url: "https://github.com/ada/other" } })
    const none = await create({})
    assert.deepEqual([other.status, none.status], [202, 202])
    assert.equal((await list()).length, 3)
    test.machines.setReady(true)
    for (const { operation } of await list()) await test.finished(token, operation)
  })

  it("is entered into the form, whose errors stand at their fields", async () => {
    const fields = { ...WISH, profile: "browser", provider: "hetzner" }
    const send = async (more: Record<string, string>) => {
      const csrf = csrfOf(await ada.get(`${test.url}/workspaces/new`))
      return ada.post(`${test.url}/workspaces`, { csrf, ...fields, ...more }, { origin: test.url })
    }
    const wrong = await send({ repository: "https://github.com/ada/tool", branch: "a..b" })
    assert.equal(wrong.status, 422)
    assert.match(wrong.text, /id="branch-error"/)
    assert.match(wrong.text, /<details class="more" open><summary>Branch and folder/)
    const alone = await send({ folder: "web" })
    assert.match(alone.text, /id="repository-error"[\s\S]*The address of the repository is missing/)
    assert.deepEqual(await list(), [])
    const made = await send({ repository: "https://github.com/ada/tool/tree/dev" })
    assert.match(made.url, /\/operations\//)
    const [{ repository, operation }] = await list()
    assert.deepEqual([repository.url, repository.branch], ["https://github.com/ada/tool.git", "dev"])
    await test.finished(token, operation)
  })

  it("a link fills the form in and makes nothing, also for who signs in first", async () => {
    const query = new URLSearchParams({ repo: NAMED.url, branch: "dev", folder: "packages/web" })
    const page = await ada.get(`${test.url}/new?${query}`)
    assert.deepEqual([page.status, new URL(page.url).pathname], [200, "/workspaces/new"])
    for (const value of Object.values(NAMED)) assert.ok(page.text.includes(`value="${value}"`), value)
    assert.match(page.text, /Nothing is created before you press/)
    assert.deepEqual(await list(), [])
    const evil = await ada.get(`${test.url}/new?repo=${encodeURIComponent("https://ada:canary@evil.example/a/b")}`)
    assert.match(evil.text, /id="repository-error"/)
    assert.doesNotMatch(evil.text, /canary|Nothing is created before/)
    ada.cookies.clear()
    const stranger = await ada.get(`${test.url}/new?${query}`)
    const login = stranger.way.find(url => url.includes("/login/github")) ?? ""
    assert.equal(new URL(login).searchParams.get("next"), `/workspaces/new?${query}`)
  })
})
