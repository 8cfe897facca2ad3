import assert from "node:assert/strict"
import type { OperationInfo } from "../../service/operations/operation.ts"
import { CreateWorkspace } from "../../service/workspaces/wishes.ts"
import type { WorkspaceInfo } from "../../service/workspaces/workspace.ts"
import { type Answer, startTestService, type TestService } from "../support/service.ts"
import { share } from "../support/share.ts"
import { csrfOf, type Visit, type Visitor } from "../support/visitor.ts"
import { waitUntil } from "../support/wait-until.ts"

const ASKED = share(10_000, 2_000)
const WISH = { sizeClass: "small", region: "fsn1" }

describe("service: one wish is one machine", () => {
  let test: TestService
  let ada: Visitor
  let token: string
  let made: number
  let count = 0

  before(async () => {
    test = await startTestService()
  })
  after(() => test?.close())
  beforeEach(async () => {
    ada = await test.signIn(`ada${count++}`)
    token = await test.token(ada)
    made = test.cloud.ledger().created.length
    test.machines.setReady(true)
  })

  const user = async () => (await test.api(token, "GET", "/me")).body.id as string
  const create = (wish: object, key?: string) =>
    test.api(token, "POST", "/workspaces", wish, key === undefined ? {} : { "idempotency-key": key })
  /** The form of a page, with what the page itself put into it. */
  function filledIn(page: Visit) {
    const [, idempotencyKey = ""] = /name="idempotencyKey" value="([\w-]+)"/.exec(page.text) ?? []
    assert.notEqual(idempotencyKey, "")
    return { ...WISH, csrf: csrfOf(page), idempotencyKey, profile: "browser", provider: "hetzner" }
  }
  const idOf = (answer: Answer) => answer.body.workspace.id as string
  /** Waits for all that was begun and returns how many machines were made since the test began. */
  async function machines(): Promise<number> {
    test.machines.setReady(true)
    await waitUntil("nothing is under way", async () => {
      const { workspaces } = (await test.api(token, "GET", "/workspaces")).body
      return workspaces.every((one: { state: string }) => one.state === "RUNNING")
    })
    return test.cloud.ledger().created.length - made
  }

  it("a double click on the form, and a second tab, lead to the same progress", async () => {
    test.machines.setReady(false)
    const page = await ada.get(`${test.url}/workspaces/new`)
    const form = filledIn(page)
    const other = filledIn(await ada.get(`${test.url}/workspaces/new`))
    assert.notEqual(form.idempotencyKey, other.idempotencyKey)
    const headers = { origin: test.url }
    const visits = await Promise.all([form, form, other].map(one => ada.post(`${test.url}/workspaces`, one, headers)))
    assert.deepEqual([...new Set(visits.map(visit => visit.status))], [200])
    assert.equal(new Set(visits.map(visit => visit.url)).size, 1)
    assert.match(visits[0]?.url ?? "", /\/operations\/[0-9a-f-]+\?open=1$/)
    assert.equal(await machines(), 1)
  })

  it("a form sent again when its workspace is ready leads to that one; with other entries it is asked for once more", async () => {
    test.machines.setReady(false)
    const first = filledIn(await ada.get(`${test.url}/workspaces/new`))
    const second = filledIn(await ada.get(`${test.url}/workspaces/new`))
    const send = (form: object) => ada.post(`${test.url}/workspaces`, { ...form }, { origin: test.url })
    const { url } = await send(first)
    assert.match(url, /\/operations\/[0-9a-f-]+\?open=1$/)
    assert.equal((await send(second)).url, url, "while it is made, a second tab means the same")
    assert.equal(await machines(), 1)
    assert.deepEqual([(await send(first)).url, (await send(second)).url], [url, url])
    assert.equal(await machines(), 1)
    const changed = await send({ ...first, name: "Another" })
    assert.equal(changed.status, 422)
    assert.match(changed.text, /made by this form before, with other entries/)
    assert.match(changed.text, /name="name"[^>]*value="Another"/)
    const more = await send({ ...filledIn(changed), name: "Another" })
    assert.match(more.url, /\/operations\//)
    assert.notEqual(more.url, url)
    assert.equal(await machines(), 2)
  })

  it("the same Idempotency-Key with another body is refused, and with another user is another wish", async () => {
    const first = await create(WISH, "one")
    const other = await create({ ...WISH, name: "Another" }, "one")
    assert.deepEqual([other.status, other.body.id], [422, "idempotency-key-reused"])
    const eve = await test.token(await test.signIn(`eve${count}`))
    const theirs = await test.api(eve, "POST", "/workspaces", WISH, { "idempotency-key": "one" })
    assert.equal(theirs.status, 202)
    assert.notEqual(idOf(theirs), idOf(first))
    await test.finished(eve, theirs.body.operation.id)
    assert.equal(await machines(), 2)
  })

  it("repo, size and provider say the same as the long names; both names of one thing are refused, naming it", async () => {
    const url = "https://github.com/ada/tool"
    const first = await create({ repo: url, size: "small", provider: "hetzner", region: "fsn1" }, "short")
    assert.equal(first.status, 202, first.body.detail)
    assert.equal(first.body.workspace.sizeClass, "small")
    assert.equal(first.body.workspace.repository.url, `${url}.git`)
    const long = { repository: { url }, sizeClass: "small", provider: "hetzner", region: "fsn1" }
    const again = await create(long, "short")
    assert.deepEqual([again.status, idOf(again)], [200, idOf(first)], "the same wish by its other names")
    for (const [wish, field] of [
      [{ ...WISH, repo: url, repository: { url } }, /repo: is another name of repository: send only one of the two/],
      [{ ...WISH, size: "small" }, /size: is another name of sizeClass: send only one of the two/],
      [{ size: "huge" }, /size: /],
      [{ repo: { url } }, /repo: /],
    ] as const) {
      const { status, body } = await create(wish)
      assert.deepEqual([status, body.id], [422, "invalid-request"])
      assert.match(body.detail, field)
    }
    for (const repo of [
      "file:///etc/passwd",
      "https://evil.example/a/b",
      "https://github.com/-x/--upload-pack=x",
      "",
    ]) {
      const [short, whole] = [await create({ repo }), await create({ repository: { url: repo } })]
      assert.deepEqual([short.status, short.body.id, short.body.detail], [422, whole.body.id, whole.body.detail], repo)
    }
    assert.equal(await machines(), 1)
  })

  it("20 requests at once with one Idempotency-Key are one workspace, over real HTTP", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => create(WISH, "many")))
    assert.deepEqual(answers.map(one => one.status).sort(), [...Array(19).fill(200), 202])
    assert.equal(new Set(answers.map(idOf)).size, 1)
    assert.equal(await machines(), 1)
  })

  it(`${ASKED} creations at once by one user are one machine in the ledger`, async () => {
    test.machines.setReady(false)
    const id = await user()
    const wish = CreateWorkspace.parse(WISH)
    const all = await Promise.all(
      Array.from({ length: ASKED }, () => test.service.services.workspaces.create(id, wish, null)),
    )
    assert.equal(all.filter(one => one.created).length, 1)
    assert.equal(new Set(all.map(one => one.workspace.id)).size, 1)
    assert.equal(new Set(all.map(one => one.operation)).size, 1)
    assert.equal(await machines(), 1)
  })

  it("never more than the quota, however many are asked for at once: 3 in all, 1 desktop", async () => {
    test.machines.setReady(false)
    const { workspaces } = test.service.services
    const id = await user()
    const ask = (profile: "browser" | "desktop", key: string) =>
      workspaces.create(id, CreateWorkspace.parse({ ...WISH, profile }), key).then(
        () => "created",
        error => `${error.id} ${error.status}`,
      )
    const answers = async (count: number, profileOf: (index: number) => "browser" | "desktop") => {
      const wishes = Array.from({ length: count }, (_, index) => ask(profileOf(index), `key ${count} ${index}`))
      return Object.groupBy(await Promise.all(wishes), answer => answer)
    }
    // Of both at once, those whose usual times are known already would be faster: there may be no desktop among the first three.
    const desktops = await answers(60, () => "desktop")
    assert.deepEqual([desktops.created?.length, desktops["quota-reached 409"]?.length], [1, 59])
    const both = await answers(140, index => (index % 2 ? "browser" : "desktop"))
    assert.deepEqual([both.created?.length, both["quota-reached 409"]?.length], [2, 138])
    const { body } = await test.api(token, "GET", "/workspaces")
    assert.equal(body.workspaces.filter((one: { profile: string }) => one.profile === "desktop").length, 1)
    const over = await create(WISH, "more")
    assert.match(over.body.detail, /3 workspaces in all/)
    assert.equal(await machines(), 3)
  })

  it("a name leads to nobody else's machine, while its workspace is there and for 30 days afterwards", async () => {
    const { store, redis } = test.service.services
    const name = "calm-otter-2b3c4d"
    const { info, asked } = sample(name)
    const wish = () => store.create(info, asked, { key: null, digest: "d", quota: { profile: 9, total: 9 } })
    const isTaken = (error: { id?: string }) => error.id === "name-taken"
    await redis.hset(`fz:ws:${name}`, { info: JSON.stringify(info), state: "TERMINATED", since: 1, epoch: 3 })
    await assert.rejects(wish(), isTaken)
    await store.forget(name)
    assert.equal(await redis.exists(`fz:ws:${name}`), 0)
    await assert.rejects(wish(), isTaken)
    const days = (await redis.ttl(`fz:ws:${name}:released`)) / 86_400
    assert.ok(days > 29.9 && days <= 30, `${days} days`)
  })

  it("what is refused leaves no secrets behind that stay", async () => {
    const { redis } = test.service.services
    test.machines.setReady(false)
    await create(WISH)
    const repeated = await create({ ...WISH, secrets: { A_KEY: "value" } })
    assert.equal(repeated.status, 200)
    assert.deepEqual(await redis.keys("fz:ws:*:secrets"), [], "nothing of the wish that made nothing")
    assert.equal(await machines(), 1)
  })

  it("a request repeated with its Idempotency-Key is answered as before, even when nothing is left to be had", async () => {
    const first = await create(WISH, "one")
    assert.equal(first.status, 202)
    assert.equal(await machines(), 1)
    const { soldOut } = test.cloud.cloud.context
    for (const { name, regions } of await test.service.services.sizes.all("hetzner")) {
      for (const region of Object.keys(regions)) soldOut.add(`${name}@${region}`)
    }
    // What can be had is known for a minute; a service that has just started looks anew.
    await test.restart()
    const again = await create(WISH, "one")
    assert.deepEqual([again.status, idOf(again)], [200, idOf(first)])
    assert.equal(again.body.operation.id, first.body.operation.id)
    const sold = await create(WISH, "two")
    assert.deepEqual([sold.status, sold.body.id], [409, "sold-out"])
    assert.equal(await machines(), 1)
    soldOut.clear()
  })
})

/** Somebody else's wish for a workspace of a name. */
function sample(id: string): { info: WorkspaceInfo; asked: OperationInfo } {
  const [owner, createdAt] = ["gh-77", Date.now()]
  return {
    info: {
      ...{ id, owner, name: id, profile: "browser", provider: "hetzner", region: "fsn1", createdAt },
      ...{ size: "cx23", sizeClass: "small", price: null, image: 1 },
    },
    asked: {
      ...{ id: "op-other", workspace: id, kind: "create", owner, requestedBy: owner, createdAt },
      estimate: { seconds: null, steps: {} },
    } as OperationInfo,
  }
}
