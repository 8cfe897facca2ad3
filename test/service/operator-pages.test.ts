import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdir, writeFile } from "node:fs/promises"
import { hostname } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { LOCKS, STACKS } from "../../infra/state-backend.ts"
import { byHand } from "../support/by-hand.ts"
import { startTestService, type TestService } from "../support/service.ts"
import { csrfOf, type Visitor } from "../support/visitor.ts"
import { waitUntil } from "../support/wait-until.ts"
import { newWorkspace, type WorkspaceLife } from "../support/workspace-life.ts"

const PATHS = ["", "/operations", "/users", "/upkeep", "/audit"]

describe("service: the pages of operators", function () {
  this.timeout(300_000)
  let test: TestService
  let root: Visitor
  let ada: Visitor
  let desk: WorkspaceLife
  before(async () => {
    test = await startTestService({ FOOZOL_OPERATORS: "root" })
    root = await test.signIn("root")
    ada = await test.signIn("ada")
    desk = await newWorkspace(test, await test.token(ada))
  })
  after(() => test?.close())
  const get = (who: Visitor, path: string) => who.get(`${test.url}/operator${path}`)
  const post = async (path: string, fields: Record<string, string> = {}, from = "") =>
    root.post(`${test.url}/operator${path}`, { csrf: csrfOf(await get(root, from)), ...fields }, { origin: test.url })
  const state = async () => (await desk.shown()).state

  it("are there for operators alone, who find the way to them", async () => {
    assert.match((await root.get(`${test.url}/`)).text, /href="\/operator"/)
    assert.doesNotMatch((await ada.get(`${test.url}/`)).text, /href="\/operator"/)
    const places = ["", "/destroy", "/stack"].map(part => `/workspaces/${desk.id}${part}`)
    for (const path of [...PATHS, ...places]) {
      assert.equal((await get(root, path)).status, 200, path)
      assert.equal((await get(ada, path)).status, 404, path)
    }
    const csrf = csrfOf(await ada.get(`${test.url}/account`))
    for (const path of [
      ...["stop", "stack/recover", "stack/unlock"].map(what => `/workspaces/${desk.id}/${what}`),
      "/sweep",
      "/drain",
      "/users/gh-1/suspend",
    ]) {
      const { status } = await ada.post(`${test.url}/operator${path}`, { csrf, target: "all" }, { origin: test.url })
      assert.equal(status, 404, path)
    }
  })

  it("show the fleet, find in it, and keep what is written into names as text", async () => {
    const token = await test.token(ada)
    await test.api(token, "PATCH", `/workspaces/${desk.id}`, { name: "<b>bold</b>" })
    const { text } = await get(root, "?search=ADA&state=RUNNING")
    assert.match(text, /1 workspace found/)
    assert.match(text, /&lt;b&gt;bold&lt;\/b&gt;/)
    assert.doesNotMatch(text, /<b>bold|id="drift"/)
    assert.match((await get(root, "?state=FAILED")).text, /No workspace is selected/)
    assert.match((await get(root, "?page=zero")).text, /1 workspace/)
  })

  it("do what is asked, say what cannot be done, and write both down", async () => {
    const to = `/workspaces/${desk.id}`
    assert.equal((await post(`${to}/stop`, {}, to)).status, 200)
    await waitUntil("it is off", async () => (await state()) === "STOPPED")
    const again = await post(`${to}/stop`, {}, to)
    assert.equal(again.status, 409)
    assert.match(again.text, /A workspace that is STOPPED cannot be stopped/)
    const wrong = await post(`${to}/destroy`, { confirm: "another" }, to)
    assert.deepEqual([wrong.status, /This is not the workspace&#39;s id/.test(wrong.text)], [422, true])
    assert.equal(await state(), "STOPPED")
    const log = (await get(root, `/audit?workspace=${desk.id}`)).text
    assert.match(log, /operatorStopWorkspace/)
    assert.match(log, /illegal-transition/)
    const [, csv = ""] = /href="(\/api\/v1\/audit\.csv[^"]*)"/.exec(log) ?? []
    assert.match((await root.get(`${test.url}${csv}`)).text, /^time,who[\s\S]*operatorStopWorkspace/)
    assert.match(log, /GET \/operator\/workspaces\/:id/)
  })

  it("show what differs at the provider, repair it, let it stay, and read it into the stack", async () => {
    const to = `/workspaces/${desk.id}`
    const hand = byHand(test.cloud, desk.id)
    const press = (what: string, fields: Record<string, string> = {}) => post(`${to}/drift/${what}`, fields, to)
    /** Begun by a form, and over. */
    const over = () =>
      waitUntil("it is over", async () => /Look now/.test((await get(root, to)).text) && (await get(root, to)).text)
    assert.match((await get(root, to)).text, /It was not looked at yet/)
    assert.doesNotMatch((await press("look")).text, /drift\/repair/)
    await hand.addRule("22")
    assert.match((await press("look")).text, /A firewall rule was added by hand: TCP 22[\s\S]*drift\/repair/)
    await press("repair")
    assert.match(await over(), /It is at the provider as it shall be/)
    assert.deepEqual(await hand.rules(), ["443"])

    await hand.addRule("22")
    const found = (await press("look")).text
    const [, difference = ""] = /name="difference" value="([^"]+)"/.exec(found) ?? []
    const silent = await press("accept", { difference, reason: " " })
    assert.deepEqual([silent.status, /Say why it shall stay/.test(silent.text)], [409, true])
    await press("accept", { difference, reason: "<support>" })
    assert.match(await over(), /Let stay<\/h3>[\s\S]*TCP 22[\s\S]*root, [\s\S]*&lt;support&gt;/)
    const again = await press("accept", { difference, reason: "twice" })
    assert.deepEqual([again.status, /no such difference/.test(again.text)], [404, true])
    await press("unaccept", { difference })
    await over()
    assert.match((await press("look")).text, /A firewall rule was added by hand/)
    assert.equal((await press("refresh")).status, 200)
    await press("repair")
    assert.match(await over(), /It is at the provider as it shall be/)
    const log = (await get(root, `/audit?workspace=${desk.id}`)).text
    for (const action of ["lookForDrift", "repairWorkspace", "acceptDrift", "unacceptDrift", "operatorRefreshStack"])
      assert.match(log, new RegExp(action))
    const csrf = csrfOf(await ada.get(`${test.url}/account`))
    const theirs = await ada.post(`${test.url}/operator${to}/drift/repair`, { csrf }, { origin: test.url })
    assert.equal(theirs.status, 404)
  })

  it("show what recovering and unlocking a stack would do, and do it", async () => {
    const to = `/workspaces/${desk.id}`
    const at = `${to}/stack`
    const backend = fileURLToPath(test.env.FOOZOL_BACKEND_URL ?? "")
    const press = (what: string, fields: Record<string, string> = {}) => post(`${at}/${what}`, fields, at)
    const hold = async (pid: number) => {
      const file = join(backend, LOCKS, desk.id, `${pid}.json`)
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, JSON.stringify({ pid, hostname: hostname(), timestamp: new Date().toISOString() }))
      return file
    }
    assert.match((await get(root, to)).text, new RegExp(`href="/operator${at}"`))
    const { text } = await get(root, at)
    assert.match(text, /State and provider agree; there is nothing to mend\.[\s\S]*Nobody holds it/)
    assert.doesNotMatch(text, /stack\/unlock/)
    assert.match((await press("recover")).text, /State and provider agree; there was nothing to mend/)

    await writeFile(join(backend, STACKS, `${desk.id}.json`), "")
    assert.match((await get(root, at)).text, /its newest backup would take its place/)
    assert.match((await press("recover")).text, /its newest backup has taken its place[\s\S]*agree; there is nothing/)

    const dead = await hold(spawnSync("true").pid)
    assert.match((await get(root, at)).text, /It is proven dead: unlocking removes its lock[\s\S]*stack\/unlock/)
    assert.equal(existsSync(dead), true, "a look changes nothing")
    assert.match((await press("unlock")).text, /Nobody holds it/)
    assert.equal(existsSync(dead), false)

    const alive = await hold(process.pid)
    assert.match((await get(root, at)).text, /It is not proven dead[\s\S]*Break the lock/)
    for (const what of ["recover", "unlock"]) {
      const refused = await press(what)
      assert.deepEqual([refused.status, /not proven dead: nothing was changed/.test(refused.text)], [409, true], what)
    }
    const wrong = await press("unlock", { force: "true", confirm: "another" })
    assert.deepEqual([wrong.status, /This is not the workspace&#39;s id/.test(wrong.text)], [422, true])
    assert.equal(existsSync(alive), true)
    assert.match((await press("unlock", { force: "true", confirm: desk.id })).text, /Nobody holds it/)
    const log = (await get(root, `/audit?workspace=${desk.id}`)).text
    for (const found of [/operatorRecoverStack/, /operatorUnlockStack/, /force/, /stack-locked/])
      assert.match(log, found)
  })

  it("have a stack's state as a file, with its secrets encrypted", async () => {
    const { text } = await get(root, `/workspaces/${desk.id}/stack`)
    const [, href = "", name] = /href="(\/api\/v1\/[^"]+)" download="([^"]+)"/.exec(text) ?? []
    assert.equal(name, `${desk.id}-stack.json`)
    const state = await root.get(`${test.url}${href}`)
    const { deployment } = JSON.parse(state.text)
    assert.equal(deployment.secrets_providers.type, "passphrase")
    assert.match(state.text, /"ciphertext":"v1:/)
    assert.doesNotMatch(state.text, /"plaintext"/)
    assert.equal((await ada.get(`${test.url}${href}`)).status, 403)
  })

  it("suspend somebody whose name was typed, and let them in again", async () => {
    const { id } = (await test.api(ada, "GET", "/me")).body
    const to = `/users/${id}`
    assert.match((await post(`${to}/suspend`, { confirm: "bob" }, to)).text, /not their login name/)
    const done = await post(`${to}/suspend`, { confirm: "ada", why: "a look" }, to)
    assert.match(done.text, /root has suspended them/)
    assert.equal((await test.api(ada, "GET", "/me")).status, 401)
    assert.match((await post(`${to}/resume`, {}, to)).text, /Suspend ada/)
  })

  it("begin a roll-out, drain and sweep", async () => {
    const none = await post("/roll-out", { wave: "10", stopAt: "20" }, "/upkeep")
    assert.deepEqual([none.status, /of the newest image already/.test(none.text)], [409, true])
    const look = await get(root, "/upkeep?rollOut=look&wave=10&stopAt=20")
    assert.deepEqual([look.status, /of the newest image already/.test(look.text)], [409, true])
    assert.match((await get(root, "/upkeep?rollOut=look&wave=0&stopAt=20")).text, /A wave has 1 to 100 %/)
    assert.match(
      (await post("/drain", { target: "all" }, "/upkeep")).text,
      /<strong>all<\/strong> takes no new operations/,
    )
    assert.doesNotMatch((await post("/undrain", { target: "all" }, "/upkeep")).text, /<strong>all<\/strong>/)
    assert.match((await get(root, "/upkeep?sweep=dry")).text, /A sweep now[^<]* sees \d+ resources, 0 of them/)
    const swept = await waitUntil("the service has started, and its own sweep is over", async () => {
      const answer = await post("/sweep", {}, "/upkeep")
      if (answer.status === 409) assert.match(answer.text, /A sweep is going on already|has just started/)
      // Whoever asks too often is asked to wait.
      return [409, 429].includes(answer.status) ? null : answer
    })
    assert.deepEqual([swept.status, /The newest sweep/.test(swept.text)], [200, true], swept.text)
  })
})
