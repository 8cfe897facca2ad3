import assert from "node:assert/strict"
import { startTestService, type TestService } from "../support/service.ts"
import { answerPage } from "../support/sign-in.ts"
import { createVisitor, csrfOf, type Visitor } from "../support/visitor.ts"
import { newWorkspace, type WorkspaceLife } from "../support/workspace-life.ts"

/** Bob is in acme, carol in nothing; the stand-in for GitHub knows both. */
const OFFERS = "everyone=hetzner/fsn1/small; org:acme=hetzner/fsn1 hetzner/nbg1/medium; user:ada=*"

/** The operator's setting that says what is offered to whom, from sign-in to the machine. */
describe("service: what is offered to whom", function () {
  this.timeout(240_000)
  let test: TestService
  let [bob, carol]: Visitor[] = []
  let [bobs, carols] = ["", ""]

  before(async () => {
    test = await startTestService({
      FOOZOL_REGIONS: "fsn1,nbg1,hel1",
      FOOZOL_OFFERS: OFFERS,
      FOOZOL_REGION_PROBES: "fsn1=http://127.0.0.1:9/fsn1 nbg1=http://127.0.0.1:9/nbg1 hel1=http://127.0.0.1:9/hel1",
    })
    bob = await test.signIn("bob")
    carol = await test.signIn("carol")
    bobs = await test.token(bob)
    carols = await test.token(carol)
  })
  after(() => test?.close())
  beforeEach(async () => {
    if (test.env.FOOZOL_OFFERS !== OFFERS) await offers(OFFERS)
    await test.forgetLimits()
  })

  const offers = async (rules: string) => {
    test.env.FOOZOL_OFFERS = rules
    await test.restart()
    await test.forgetLimits()
  }
  /** By the API: which size in which region. */
  const listed = async (who: string): Promise<string[]> =>
    (await test.api(who, "GET", "/sizes")).body.sizes
      .flatMap((one: { class: string; regions: object }) =>
        Object.keys(one.regions).map(region => `${region}/${one.class}`),
      )
      .sort()
  const page = async (who: Visitor | undefined, path: string) => (await (who as Visitor).get(`${test.url}${path}`)).text
  const refused = async (who: string, path: string, body?: object) => {
    const answer = await test.api(who, "POST", path, body)
    return [answer.status, answer.body.id, answer.body.detail]
  }

  it("sign-in asks GitHub for the organisations that rules name, and for nothing more where they name none", async () => {
    const scope = async () => {
      const answer = await fetch(`${test.url}/login/github`, { redirect: "manual" })
      return new URL(answer.headers.get("location") ?? "").searchParams.get("scope") ?? ""
    }
    assert.equal(await scope(), "read:org")
    await offers("everyone=*; user:bob=hetzner")
    assert.equal(await scope(), "")
  })

  it("the API lists to each what is theirs", async () => {
    assert.deepEqual(await listed(carols), ["fsn1/small"])
    assert.deepEqual(await listed(bobs), ["fsn1/large", "fsn1/medium", "fsn1/small", "nbg1/medium"])
    const regions = (await test.api(carols, "GET", "/regions")).body
    assert.deepEqual(regions, { regions: [{ id: "fsn1", provider: "hetzner" }], away: [] })
    assert.equal((await listed(await test.token(await test.signIn("ada")))).length, 9)
  })

  it("the form shows no other place, price or probe, and a link cannot choose one", async () => {
    const form = await page(carol, "/new?region=nbg1")
    assert.match(form, /value="fsn1"[^>]*checked/)
    assert.match(form, /nbg1: there is nothing of this for you here at the moment, so another place is chosen below/)
    assert.doesNotMatch(form, /value="(nbg1|hel1)"|9\/(nbg1|hel1)|value="(medium|large)"/)
    const bobsForm = await page(bob, "/new?region=nbg1")
    assert.match(bobsForm, /value="nbg1"[^>]*checked/)
    assert.doesNotMatch(bobsForm, /value="hel1"|there is nothing of this for you/)
    // The policy lets the page measure what it shows.
    assert.match(bobsForm, /data-probe="http:\/\/127\.0\.0\.1:9\/nbg1"/)
  })

  it("a wish for something else is refused in plain words, by API and by form, and makes nothing", async () => {
    const [status, id, words] = await refused(carols, "/workspaces", { region: "nbg1", sizeClass: "small" })
    assert.deepEqual([status, id], [403, "not-offered-to-you"])
    assert.match(
      words,
      /^Machines of size small in nbg1 are not offered to you; what is: small in fsn1\. Ask the operator/,
    )
    assert.deepEqual((await refused(carols, "/workspaces", { sizeClass: "large" })).slice(0, 2), [
      403,
      "not-offered-to-you",
    ])
    assert.deepEqual((await refused(carols, "/workspaces", { region: "mars" })).slice(0, 2), [422, "unknown-region"])
    const form = await (carol as Visitor).get(`${test.url}/workspaces/new`)
    const answer = await (carol as Visitor).post(
      `${test.url}/workspaces`,
      { csrf: csrfOf(form), profile: "browser", region: "nbg1", sizeClass: "medium" },
      { origin: test.url },
    )
    assert.equal(answer.status, 422)
    assert.match(answer.text, /Machines of size medium in nbg1 are not offered to you/)
    assert.deepEqual(test.cloud.ledger().created, [])
  })

  it("who names no size or place gets what is theirs", async () => {
    const { status, body } = await test.api(carols, "POST", "/workspaces", {})
    assert.equal(status, 202, JSON.stringify(body))
    assert.deepEqual([body.workspace.region, body.workspace.sizeClass], ["fsn1", "small"])
    assert.equal((await test.finished(carols, body.operation.id)).state, "succeeded")
    const { body: deleted } = await test.api(carols, "DELETE", `/workspaces/${body.workspace.id}`)
    await test.finished(carols, deleted.operation.id)
  })

  it("a workspace moves, grows and wakes into what its owner may take, and its page shows no more", async () => {
    const desk = await newWorkspace(test, bobs)
    const shown = await page(bob, `/workspaces/${desk.id}`)
    assert.match(shown, /name="sizeClass" value="large"/)
    assert.doesNotMatch(shown, /name="region" value="hel1"/)
    assert.equal((await refused(bobs, `/workspaces/${desk.id}/move`, { region: "nbg1" }))[1], "not-offered-to-you")
    assert.equal((await refused(bobs, `/workspaces/${desk.id}/move`, { region: "hel1" }))[1], "not-offered-to-you")
    assert.equal((await desk.does("resize", { sizeClass: "medium" })).state, "succeeded")
    assert.equal((await desk.does("move", { region: "nbg1" })).state, "succeeded")
    assert.equal((await desk.does("stop?mode=hibernate")).state, "succeeded")
    const elsewhere = await refused(bobs, `/workspaces/${desk.id}/start?sizeClass=large`)
    assert.deepEqual(elsewhere.slice(0, 2), [403, "not-offered-to-you"])
    assert.equal((await desk.does("start?region=fsn1")).state, "succeeded")
    await ended(desk)
  })

  it("what is no longer offered goes on where it is: it stops, sleeps, wakes, is backed up and deleted", async () => {
    const desk = await newWorkspace(test, bobs, { sizeClass: "medium" })
    await offers("everyone=hetzner/hel1/small")
    assert.equal((await desk.does("stop")).state, "succeeded")
    assert.equal((await desk.does("start")).state, "succeeded")
    assert.equal((await desk.does("stop?mode=hibernate")).state, "succeeded")
    assert.equal((await desk.does("start")).state, "succeeded")
    assert.equal((await desk.does("backups", { name: "kept" })).state, "succeeded")
    const [backup] = await desk.backups()
    assert.equal((await desk.does("restore", { backup: backup.id })).state, "succeeded")
    const shown = await page(bob, `/workspaces/${desk.id}`)
    assert.match(shown, /4 vCPU · 8 GB/)
    assert.match(shown, /Its size is not offered there/)
    for (const [path, body] of [
      ["resize", { sizeClass: "large" }],
      ["resize", { sizeClass: "small" }],
      ["move", { region: "nbg1" }],
      ["start?sizeClass=large", undefined],
    ] as const) {
      assert.equal((await refused(bobs, `/workspaces/${desk.id}/${path}`, body))[1], "not-offered-to-you", path)
    }
    const anew = await refused(bobs, "/workspaces", { from: backup.id, region: "fsn1", sizeClass: "medium" })
    assert.deepEqual(anew.slice(0, 2), [403, "not-offered-to-you"])
    for (const { id } of await desk.backups()) await test.api(bobs, "DELETE", `/backups/${id}`)
    await ended(desk)
  })

  it("who has left an organisation has what is everyone's from the next sign-in on, who joins one what is its", async () => {
    const dave = async (organizations: string) => {
      const visitor = createVisitor()
      const asks = await visitor.get(`${test.url}/login/github`)
      assert.equal((await answerPage(visitor, asks, { login: "dave", organizations })).status, 200)
      return test.token(visitor)
    }
    assert.equal((await listed(await dave("acme"))).length, 4)
    assert.deepEqual(await listed(await dave("")), ["fsn1/small"])
    assert.equal((await listed(await dave("acme"))).length, 4)
  })

  it("who is offered nothing is told so, by the form and by the API", async () => {
    await offers("user:ada=hetzner")
    assert.deepEqual(await listed(carols), [])
    const form = await page(carol, "/workspaces/new")
    assert.match(form, /Nothing is offered to you here at the moment: ask the operator/)
    assert.match(form, /<button[^>]* disabled[^>]*>Create workspace/)
    const [status, id, words] = await refused(carols, "/workspaces", {})
    assert.deepEqual([status, id], [403, "not-offered-to-you"])
    assert.match(words, /^Machines at Hetzner Cloud are not offered to you; nothing is at the moment\./)
  })

  async function ended(desk: WorkspaceLife): Promise<void> {
    const { body } = await test.api(bobs, "DELETE", `/workspaces/${desk.id}`)
    assert.equal((await test.finished(bobs, body.operation.id)).state, "succeeded")
  }
})
