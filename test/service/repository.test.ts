import assert from "node:assert/strict"
import { makeDevContainer } from "../../service/machines/dev-container.ts"
import { foozolCloud } from "../support/command-line.ts"
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
    test.machines.setDevContainer(() => null)
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
    const more = { devcontainer: null, percent: null, into: null, reason: null, container: null }
    assert.deepEqual(repository, { url, branch: "dev", folder: "packages/web", state: "waiting", ...more })
    await waitUntil("its machine heard of it", () => orders(desk.id).length > 0)
    const data = { url, host: "github.com", path: "ada/tool", branch: "dev", folder: "packages/web" }
    assert.deepEqual(orders(desk.id)[0]?.data, { ...data, devcontainer: null, isHeld: false })
    const types = test.machines.received.filter(one => one.workspace === desk.id).map(one => one.type)
    assert.ok(types.indexOf("settings") < types.indexOf("repository"), "tokens come first")

    test.machines.setRepository(() => ({ state: "fetching", percent: 45 }))
    await waitUntil("it is fetched", async () => (await desk.shown()).repository.percent === 45)
    assert.match((await ada.get(`${test.url}/workspaces/${desk.id}`)).text, /Fetching ada\/tool .*: 45 %/)
    assert.match((await ada.get(test.url)).text, /<dt>Repository<\/dt><dd>ada\/tool/)
    test.machines.setRepository(() => ({ state: "fetched", folder: "tool" }))
    await waitUntil("it is there", async () => (await desk.shown()).repository.into === "tool")
    const container = { state: "building", config: ".devcontainer.json", line: "STEP 2: \x1b[1mRUN" }
    test.machines.setRepository(() => ({ state: "fetched", folder: "tool", container }))
    await waitUntil("its dev container is made", async () => (await desk.shown()).repository.container !== null)
    const told = { ...container, line: "STEP 2:  [1mRUN", reason: null, log: null, choices: [] }
    assert.deepEqual((await desk.shown()).repository.container, told)
    assert.match((await ada.get(`${test.url}/workspaces/${desk.id}`)).text, /It is being made from/)
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
      [{ url: NAMED.url, devcontainer: "../../etc/passwd" }, "bad-devcontainer", /devcontainer\.json/],
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
    assert.match(wrong.text, /<details class="more" open><summary>Branch, folder and dev container/)
    const alone = await send({ folder: "web" })
    assert.match(alone.text, /id="repository-error"[\s\S]*The address of the repository is missing/)
    const elsewhere = await send({ repository: NAMED.url, devcontainer: "../devcontainer.json" })
    assert.match(elsewhere.text, /id="devcontainer-error"/)
    assert.deepEqual(await list(), [])
    const devcontainer = ".devcontainer/b/devcontainer.json"
    const made = await send({ repository: "https://github.com/ada/tool/tree/dev", devcontainer })
    assert.match(made.url, /\/operations\//)
    const [{ repository, operation }] = await list()
    const { url, branch } = repository
    assert.deepEqual([url, branch, repository.devcontainer], ["https://github.com/ada/tool.git", "dev", devcontainer])
    await test.finished(token, operation)
  })

  it("a link fills the form in and makes nothing, also for who signs in first", async () => {
    const devcontainer = ".devcontainer/b/devcontainer.json"
    const query = new URLSearchParams({ repo: NAMED.url, branch: "dev", folder: "packages/web", devcontainer })
    const page = await ada.get(`${test.url}/new?${query}`)
    assert.deepEqual([page.status, new URL(page.url).pathname], [200, "/workspaces/new"])
    for (const value of [...Object.values(NAMED), devcontainer])
      assert.ok(page.text.includes(`value="${value}"`), value)
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
  describe("with several dev containers", () => {
    const [A, B] = [".devcontainer/a/devcontainer.json", ".devcontainer/b/devcontainer.json"] as const
    const asked = (workspace: string) =>
      test.machines.received.filter(one => one.workspace === workspace && one.type === "dev-container")
    const says = (container: object) =>
      test.machines.setRepository(() => ({ state: "fetched", folder: "tool", container }))
    const wish = (workspace: string, body: object) =>
      test.api(token, "POST", `/workspaces/${workspace}/devcontainer`, body)

    it("has one chosen on its page and by the API, which its machine makes", async () => {
      const desk = await newWorkspace(test, token, { repository: { url: NAMED.url, devcontainer: A } })
      assert.equal((await desk.shown()).repository.devcontainer, A)
      await waitUntil("its machine heard of it", () => orders(desk.id)[0]?.data.devcontainer === A)
      says({ state: "choose", config: A, choices: [B] })
      await waitUntil("it tells which there are", async () => (await desk.shown()).repository.container !== null)
      const { container } = (await desk.shown()).repository
      assert.deepEqual([container.config, container.choices], [A, [B]])
      const page = await ada.get(`${test.url}/workspaces/${desk.id}`)
      test.machines.setDevContainer(() => {
        says({ state: "starting", config: B })
        return null
      })
      const sent = { csrf: csrfOf(page), devcontainer: B }
      const after = await ada.post(`${test.url}/workspaces/${desk.id}/devcontainer`, sent, { origin: test.url })
      assert.equal(new URL(after.url).pathname, `/workspaces/${desk.id}`)
      assert.equal(asked(desk.id).at(-1)?.data.config, B)
      assert.equal((await wish(desk.id, {})).status, 204)
      assert.equal(asked(desk.id).at(-1)?.data.config, null)
    })

    it("is told why none is made", async () => {
      const desk = await newWorkspace(test, token, { repository: NAMED })
      const refused = async (body: object, status: number, id: string, words: RegExp) => {
        const answer = await wish(desk.id, body)
        assert.deepEqual([answer.status, answer.body.id], [status, id])
        assert.match(answer.body.detail, words)
      }
      for (const devcontainer of ["../.devcontainer.json", "--config", "/etc/passwd"])
        await refused({ devcontainer }, 422, "bad-devcontainer", /enter its path/)
      assert.equal((await wish(desk.id, { devcontainer: "x".repeat(400) })).status, 422)
      assert.deepEqual(asked(desk.id), [], "its machine hears of none of those")
      test.machines.setDevContainer(() => "no-such")
      await refused({ devcontainer: B }, 409, "devcontainer-no-such", /has no such file/)
      const sent = { csrf: csrfOf(await ada.get(`${test.url}/workspaces/${desk.id}`)), devcontainer: B }
      const page = await ada.post(`${test.url}/workspaces/${desk.id}/devcontainer`, sent, { origin: test.url })
      assert.match(page.text, /class="notice error"[\s\S]*has no such file/)
      const eve = await test.signIn("eve")
      const others = await test.api(await test.token(eve), "POST", `/workspaces/${desk.id}/devcontainer`, {})
      assert.equal(others.status, 404)
      const plain = await newWorkspace(test, token, {})
      const none = await wish(plain.id, {})
      assert.deepEqual([none.status, none.body.id], [409, "no-repository"])
    })

    it("is opened, chosen and asked about on the command line", async () => {
      const cli = async (...args: string[]) => {
        const env = { FOOZOL_API_URL: test.url, FOOZOL_API_TOKEN: token }
        const { code, stdout, stderr } = await foozolCloud(args, env)
        assert.equal(code, 0, stderr)
        return stdout
      }
      const open = ["open", "https://github.com/ada/tool/tree/dev", "--print"]
      const made = await cli(...open, "--size", "small", "--region", "fsn1", "--devcontainer", A)
      const [{ id, repository }] = await list()
      assert.deepEqual([repository.branch, repository.devcontainer], ["dev", A])
      assert.ok(made.endsWith(`${test.url}/connect?workspace=${id}&to=terminal\n`), made)
      // It is there: nothing is made again.
      assert.equal(await cli(...open), `${test.url}/connect?workspace=${id}&to=terminal\n`)
      assert.equal((await list()).length, 1)
      test.machines.setDevContainer(({ config }) => {
        says({ state: "starting", config, choices: [A, B] })
        return null
      })
      await cli("workspace", "devcontainer", id, "--choose", B)
      assert.equal(asked(id).at(-1)?.data.config, B)
      const begun = () => cli("workspace", "devcontainer", id)
      const told = `${id}  starting  ${B}\n  ${A}\n  ${B}\n`
      await waitUntil("it tells", async () => (await begun()) === told)
    })

    it("that does not answer is said so, and one that is off too", async () => {
      const desk = await newWorkspace(test, token, { repository: NAMED })
      test.machines.setDevContainer(() => undefined)
      const { channel, store } = test.service.services
      const workspace = await store.get(desk.id)
      assert.ok(workspace)
      await assert.rejects(makeDevContainer(channel, workspace, A, 50), { id: "devcontainer-unanswered", status: 409 })
      await assert.rejects(makeDevContainer(channel, { ...workspace, state: "STOPPED" }, A), { id: "asleep" })
    })
  })
})
