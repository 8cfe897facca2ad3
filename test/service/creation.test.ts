import assert from "node:assert/strict"
import type { OperationInfo } from "../../service/operations/operation.ts"
import { CreateWorkspace } from "../../service/workspaces/wishes.ts"
import type { WorkspaceInfo } from "../../service/workspaces/workspace.ts"
import { type Answer, startTestService, type TestService } from "../support/service.ts"
import { csrfOf, type Visitor } from "../support/visitor.ts"
import { waitUntil } from "../support/wait-until.ts"

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
    const form = { csrf: csrfOf(page), sizeClass: "small", region: "fsn1", profile: "browser", provider: "hetzner" }
    const other = { ...form, csrf: csrfOf(await ada.get(`${test.url}/workspaces/new`)) }
    const headers = { origin: test.url }
    const visits = await Promise.all([form, form, other].map(one => ada.post(`${test.url}/workspaces`, one, headers)))
    assert.deepEqual([...new Set(visits.map(visit => visit.status))], [200])
    assert.equal(new Set(visits.map(visit => visit.url)).size, 1)
    assert.match(visits[0]?.url ?? "", /\/operations\/[0-9a-f-]+\?open=1$/)
    assert.equal(await machines(), 1)
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

  it("20 requests at once with one Idempotency-Key are one workspace, over real HTTP", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => create(WISH, "many")))
    assert.deepEqual(answers.map(one => one.status).sort(), [...Array(19).fill(200), 202])
    assert.equal(new Set(answers.map(idOf)).size, 1)
    assert.equal(await machines(), 1)
  })

  it("10,000 creations at once by one user are one machine in the ledger", async () => {
    test.machines.setReady(false)
    const id = await user()
    const wish = CreateWorkspace.parse(WISH)
    const all = await Promise.all(
      Array.from({ length: 10_000 }, () => test.service.services.workspaces.create(id, wish, null)),
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
    const wishes = Array.from({ length: 200 }, (_, index) => ask(index % 2 ? "browser" : "desktop", `key ${index}`))
    const answers = await Promise.all(wishes)
    assert.equal(answers.filter(one => one === "created").length, 3)
    assert.equal(answers.filter(one => one === "quota-reached 409").length, 197)
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
