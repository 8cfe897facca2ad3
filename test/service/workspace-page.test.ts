import assert from "node:assert/strict"
import { startTestService, type TestService } from "../support/service.ts"
import { csrfOf, type Visit, type Visitor } from "../support/visitor.ts"
import { waitUntil } from "../support/wait-until.ts"
import { newWorkspace, type WorkspaceLife } from "../support/workspace-life.ts"

/** What a person sees and does about the life of a workspace, by forms without scripts. */
describe("service: the page of a workspace", () => {
  let test: TestService
  let ada: Visitor
  let token: string
  let desk: WorkspaceLife
  let count = 0
  let ahead = 0

  before(async () => {
    test = await startTestService({ FOOZOL_READY_SECONDS: "20" }, { ahead: () => ahead })
  })
  after(() => test?.close())
  beforeEach(async () => {
    await test.forgetLimits()
    test.cloud.cloud.context.soldOut.clear()
    ada = await test.signIn(`ada${count++}`)
    token = await test.token(ada)
    desk = await newWorkspace(test, token, { name: "My desk" })
  })

  const page = (path = "") => ada.get(`${test.url}/workspaces/${desk.id}${path}`)
  const send = async (form: string, fields: Record<string, string> = {}, from = "") =>
    ada.post(
      `${test.url}/workspaces/${desk.id}/${form}`,
      { csrf: csrfOf(await page(from)), ...fields },
      { origin: test.url },
    )
  /** Sends a form that leads to an operation, and waits for its end. */
  const does = async (form: string, fields: Record<string, string> = {}, from = "") => {
    const visit = await send(form, fields, from)
    const [, id = ""] = /\/operations\/([0-9a-f-]+)/.exec(visit.url) ?? []
    assert.ok(id, `${visit.status} ${visit.url}: ${visit.text.slice(0, 2000)}`)
    return { id, ...(await test.finished(token, id)) }
  }
  const succeeds = async (form: string, fields: Record<string, string> = {}, from = "") => {
    const { state, failure } = await does(form, fields, from)
    assert.equal(state, "succeeded", JSON.stringify(failure))
  }
  /** The text of a page's part, without tags. */
  const words = ({ text }: Visit, part?: string) =>
    (part ? (new RegExp(`<section[^>]*aria-labelledby="${part}"[\\s\\S]*?</section>`).exec(text)?.[0] ?? "") : text)
      .replace(/<[^>]+>/g, " ")
      .replace(/\s+/g, " ")

  it("is linked from the card, and is nobody else's", async () => {
    assert.match((await ada.get(test.url)).text, new RegExp(`<a href="/workspaces/${desk.id}">My desk</a>`))
    assert.equal((await page()).status, 200)
    const eve = await test.signIn(`eve${count}`)
    assert.equal((await eve.get(`${test.url}/workspaces/${desk.id}`)).status, 404)
    const csrf = csrfOf(await eve.get(`${test.url}/account`))
    for (const form of ["stop", "resize", "move", "backups", "rename", "restore", "start", "auto-stop"]) {
      const { status } = await eve.post(`${test.url}/workspaces/${desk.id}/${form}`, { csrf }, { origin: test.url })
      assert.ok(status === 404 || status === 422, `${form}: ${status}`)
    }
    assert.equal((await desk.shown()).state, "RUNNING")
  })

  it("says what each way to stop costs, stops that way, and how long waking took", async () => {
    const first = words(await page(), "stop")
    // cx23 at 2.99 and an address at 0.50 a month.
    assert.match(first, /Switch it off .* €0\.11 a day , before tax\. It has not been woken from that yet\./)
    // 40 GB at most at 0.011, and the address.
    assert.match(first, /Put it to sleep .* at most €0\.0309 a day , before tax/)
    await succeeds("stop", { mode: "power-off" })
    const off = await page()
    assert.match(
      words(off, "start"),
      /It is switched off It costs €0\.11 a day .* Cheaper while you do not need it Put it to sleep/,
    )
    await succeeds("start")
    assert.match(words(await page(), "stop"), /Switch it off .* Waking took \d+ s the last time/)
    await succeeds("stop", { mode: "hibernate" })
    const asleep = await page()
    assert.match(asleep.text, /<span class="badge off">Asleep<\/span>/)
    assert.match(words(asleep, "start"), /It is asleep It costs €0\.\d+ a day/)
    assert.match(words(asleep, "backups"), /It is asleep: the snapshot it sleeps in is its newest state/)
    assert.doesNotMatch(asleep.text, /Back up now/)
    await succeeds("start")
    assert.match(words(await page(), "stop"), /Put it to sleep .* Waking took \d+ s the last time/)
    assert.match(words(await page()), /What was done with it Woken Done .* Put to sleep Done .* Created Done/)
  })

  it("backs up, restores after the name was typed, and removes", async () => {
    await succeeds("backups", { name: "before the <weekend>" })
    const [backup] = await desk.backups()
    const shown = await page()
    assert.match(shown.text, /before the &lt;weekend&gt;/)
    assert.match(words(shown, "backups"), /kept until you remove it No restore of it was proven yet/)
    assert.ok(shown.text.includes(`/workspaces/new?from=${backup.id}`))
    const from = await ada.get(`${test.url}/workspaces/new?from=${backup.id}`)
    assert.match(words(from), /New workspace from a backup .* of My desk, made just now/)
    assert.match(from.text, new RegExp(`name="from" value="${backup.id}".*name="profile" value="browser"`))
    const eve = await test.signIn(`eve${count}`)
    assert.equal((await eve.get(`${test.url}/workspaces/new?from=${backup.id}`)).status, 404)
    const ask = `/restore?backup=${backup.id}`
    assert.match(words(await page(ask)), /How it is now is kept first, as a snapshot/)
    const wrong = await send("restore", { backup: backup.id, confirm: "my desk" }, ask)
    assert.deepEqual([wrong.status, /This is not the workspace&#39;s name/.test(wrong.text)], [422, true])
    await succeeds("restore", { backup: backup.id, confirm: "My desk" }, ask)
    assert.equal(String((await desk.machines())[0]?.madeFrom), backup.id)
    assert.match(words(await page(), "backups"), /before it was changed Before a change/)

    const all = await ada.get(`${test.url}/backups`)
    assert.match(words(all, "living"), /before it was changed .* Of My desk .* before the/)
    const remove = await ada.get(`${test.url}/backups/${backup.id}/remove`)
    const gone = await ada.post(
      `${test.url}/backups/${backup.id}/remove`,
      { csrf: csrfOf(remove) },
      { origin: test.url },
    )
    assert.equal(gone.url, `${test.url}/workspaces/${desk.id}`)
    assert.ok(!(await desk.backups()).some(one => one.id === backup.id))
    assert.equal((await ada.get(`${test.url}/backups/${backup.id}/remove`)).status, 404)
    const long = await send("backups", { name: "x".repeat(101) })
    assert.deepEqual([long.status, /at most 100 characters/.test(long.text)], [422, true])
  })

  it("takes another size where the disk fits, and says why not where it does not", async () => {
    assert.match(words(await page(), "size"), /Small 2 vCPU .* Now .* Medium .* Take medium Large/)
    await succeeds("resize", { sizeClass: "medium" })
    const medium = await page()
    assert.match(words(medium, "size"), /Take small Medium .* Now/, "its disk was kept small, so it can go back")
    await succeeds("resize", { sizeClass: "small" })

    // Asleep and woken in another size its disk has grown.
    await succeeds("stop", { mode: "hibernate" })
    await succeeds("start", { sizeClass: "medium", region: "fsn1" })
    const grown = await page()
    assert.match(words(grown, "size"), /Its disk has (\d+) GB, and this one only 40 GB Take small/)
    assert.match(grown.text, /<button class="button small" disabled>Take small<\/button>/)
    const refused = await send("resize", { sizeClass: "small" })
    assert.equal(refused.status, 422)
    assert.match(words(refused), /a disk cannot be made smaller: take a larger size/)
    assert.equal((await desk.shown()).state, "RUNNING")
    const api = await test.api(token, "POST", `/workspaces/${desk.id}/resize`, { sizeClass: "small" })
    assert.deepEqual([api.status, api.body.id], [409, "disk-too-large"])
  })

  it("moves to another region", async () => {
    assert.match(words(await page(), "region"), /Falkenstein, Germany Now/)
    await succeeds("move", { region: "hel1" })
    assert.match(words(await page(), "region"), /Helsinki, Finland Now/)
    const nowhere = await send("move", { region: "mars1" })
    assert.match(words(nowhere), /no region "mars1"|no region &quot;mars1&quot;/)
  })

  it("sold out on wake: offers other places with one click, nothing lost", async () => {
    const size = (await desk.machines())[0]?.size
    await succeeds("stop", { mode: "hibernate" })
    // What is known of availability may be a minute old; then the operation finds it. It has just been asked for.
    ahead += 61_000
    await page()
    test.cloud.cloud.context.soldOut.add(`${size}@fsn1`)
    const { id, state, failure } = await does("start")
    assert.deepEqual([state, failure?.id], ["failed", "sold-out"])
    const told = await ada.get(`${test.url}/operations/${id}`)
    assert.match(words(told), /Where it can be had now Medium, in the same region .* The same size, in/)
    assert.doesNotMatch(told.text, /Try again<|Delete the workspace/)
    const [, form = ""] =
      /<form method="post" action="[^"]+\/start">((?:(?!<\/form>)[\s\S])*value="hel1"[\s\S]*?)<\/form>/.exec(
        told.text,
      ) ?? []
    assert.match(form, /name="sizeClass" value="small"/)
    await succeeds("start", { sizeClass: "small", region: "hel1" })
    const awake = await desk.shown()
    assert.deepEqual([awake.state, awake.region, awake.sizeClass], ["RUNNING", "hel1", "small"])
  })

  it("is renamed, asleep too, and everything calls it by its new name", async () => {
    const short = await send("rename", { name: "" })
    assert.deepEqual([short.status, /A name must not be empty/.test(short.text)], [422, true])
    await succeeds("stop", { mode: "hibernate" })
    assert.match((await send("rename", { name: "Sleeper" })).text, /<h1>Sleeper<\/h1>/)
    const renamed = await test.api(token, "PATCH", `/workspaces/${desk.id}`, { name: "Deep sleeper" })
    assert.deepEqual([renamed.status, renamed.body.name, renamed.body.asleep], [200, "Deep sleeper", true])
    await succeeds("start")
    assert.equal((await desk.shown()).name, "Deep sleeper")
    const told = await waitUntil("usage names it", async () => {
      const { workspaces } = (await test.api(token, "GET", "/usage")).body
      return workspaces.find((one: { workspace: string }) => one.workspace === desk.id)
    })
    assert.equal(told.name, "Deep sleeper")
    await succeeds("stop", { mode: "power-off" })
    assert.match((await send("rename", { name: "Sleeper" })).text, /<h1>Sleeper<\/h1>/)
  })

  it("keeps it on and says whether it stops by itself, also while it is off", async () => {
    assert.match((await send("keep-on", { back: "workspace", hours: "72" })).text, /that ends <time[^>]*>in 3 days/)
    await succeeds("stop", { mode: "power-off" })
    const switched = await send("auto-stop", { back: "workspace", on: "false" })
    assert.equal(switched.url, `${test.url}/workspaces/${desk.id}`)
    assert.match(switched.text, /role="switch" aria-checked="false"/)
    assert.equal((await send("keep-on", { hours: "0" })).url, `${test.url}/`)
    assert.equal((await desk.shown()).keepOnUntil, null)
  })

  it("wakes by its bookmark, and leads on to what was asked for", async () => {
    await succeeds("stop", { mode: "power-off" })
    const goals = [
      ["&to=files", "files", /my files/],
      ["&to=terminal", "terminal", /my terminals/],
      ["&to=agents", "agents", /my agents/],
      ["", "1", /my desktop/],
    ] as const
    for (const [to, open, said] of goals) {
      const connect = await ada.get(`${test.url}/connect?workspace=${desk.id}${to}`)
      assert.match(words(connect), /Start and open my/)
      assert.match(words(connect), said)
      const hidden = Object.fromEntries(
        [...connect.text.matchAll(/<input type="hidden" name="(workspace|to)" value="([^"]+)"/g)].map(
          ([, name, value]) => [name, value],
        ),
      )
      const csrf = csrfOf(connect)
      const opened = await ada.post(`${test.url}/connect`, { csrf, ...hidden }, { origin: test.url })
      const [, id = "", wish] = /\/operations\/([0-9a-f-]+)\?open=(.*)$/.exec(opened.url) ?? []
      assert.equal(wish, open)
      assert.equal((await test.finished(token, id)).state, "succeeded")
      if (to) await succeeds("stop", { mode: "power-off" })
    }
  })

  it("of a deleted one there is no page, and its last snapshot is among the backups", async () => {
    test.service.services.config.finalSnapshotDays = 30
    await succeeds("delete", { confirm: "My desk" })
    test.service.services.config.finalSnapshotDays = 0
    assert.equal((await page()).status, 404)
    const all = words(await ada.get(`${test.url}/backups`), "left")
    assert.match(
      all,
      /My desk, deleted Left by a deleted workspace Of My desk \(deleted\) .* removed by itself in 1 month/,
    )
  })

  // Last: what is sold out is remembered for a minute.
  it("says on its page that it is sold out, where that is known, and leads there from the bookmark", async () => {
    const size = (await desk.machines())[0]?.size
    await succeeds("stop", { mode: "hibernate" })
    test.cloud.cloud.context.soldOut.add(`${size}@fsn1`)
    // Started anew, the service asks the provider anew.
    await test.restart()
    const asleep = await page()
    assert.match(
      words(asleep, "start"),
      /asleep, and sold out where it was .* Nothing is lost: .* Medium, in the same region/,
    )
    const refused = await send("start")
    assert.equal(refused.status, 422)
    assert.match(words(refused), /sold out in fsn1/)
    const connect = await ada.get(`${test.url}/connect?workspace=${desk.id}`)
    const opened = await ada.post(
      `${test.url}/connect`,
      { csrf: csrfOf(connect), workspace: desk.id },
      { origin: test.url },
    )
    assert.equal(opened.url, `${test.url}/workspaces/${desk.id}`)
  })
})
