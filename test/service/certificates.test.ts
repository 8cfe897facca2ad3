import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Redis } from "ioredis"
import { pino } from "pino"
import { createCertificates } from "../../service/certificates/certificates.ts"
import { named } from "../../service/certificates/settings.ts"
import { createWorkspaceStore, KEY } from "../../service/workspaces/store.ts"
import { foozolCloud } from "../support/command-line.ts"
import { startTestRedis } from "../support/redis.ts"
import { startTestService, type TestService } from "../support/service.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import type { Visitor } from "../support/visitor.ts"
import { waitUntil } from "../support/wait-until.ts"
import { newWorkspace, type WorkspaceLife } from "../support/workspace-life.ts"

const [FIRST, SECOND] = ["https://first.example/dir", "https://second.example/dir"]
const DAY = 86_400_000

/** Pretended machines that get a certificate from whom they are told to ask, unless a test says what becomes of it. */
describe("service: certificates within what authorities grant", function () {
  this.timeout(300_000)
  let test: TestService
  let ada: Visitor
  let token: string
  let operator: string
  const desks: WorkspaceLife[] = []
  /** Directories that refuse, with the word for it. */
  const refusing = new Map<string, string>()

  before(async () => {
    test = await startTestService({
      ...{ FOOZOL_OPERATORS: "root", FOOZOL_QUOTA_TOTAL: "20", FOOZOL_FINAL_SNAPSHOT_DAYS: "0" },
      ...{ FOOZOL_ACME_DIRECTORY: FIRST, FOOZOL_ACME_WEEK: "2" },
    })
    const held = new Map<string, object>()
    test.machines.setCertificate((workspace, authority) => {
      const kind = authority && refusing.get(authority.directory)
      if (held.has(workspace)) return held.get(workspace) as object
      if (authority === null) return own(null)
      if (kind) return own({ kind, reason: `it says ${kind}`, failures: 3, authority: authority.directory })
      held.set(workspace, { ...own(null), state: "issued", issuer: "A CA", authority: authority.directory })
      return held.get(workspace) as object
    })
    ada = await test.signIn("ada")
    token = await test.token(ada)
    operator = await test.token(await test.signIn("root"), "operate")
  })
  after(() => test?.close())

  const own = (problem: object | null) => ({
    ...{ state: "self-signed", issuer: "workspace", asking: false, nextAt: null, problem },
    ...{ issuedAt: new Date(Date.now() - DAY).toISOString(), expiresAt: new Date(Date.now() + 89 * DAY).toISOString() },
  })
  const list = async (query = "") => (await test.api(operator, "GET", `/operator/certificates${query}`)).body
  const rowOf = async ({ id }: WorkspaceLife) =>
    (await list()).certificates.find((one: { workspace: string }) => one.workspace === id)
  const isIssued = (desk: WorkspaceLife) =>
    waitUntil("it has its certificate", async () => (await rowOf(desk))?.state === "issued")
  const lines = () =>
    readdirSync(join(test.directory, "usage"))
      .filter(name => name.startsWith("certificates-"))
      .flatMap(name =>
        readFileSync(join(test.directory, "usage", name), "utf8")
          .trim()
          .split("\n"),
      )
      .map(line => JSON.parse(line) as { workspace: string; authority: string })

  const restart = async (settings: Record<string, string>) => {
    Object.assign(test.env, settings)
    await test.restart(0)
  }

  it("new names are counted, once each, and written down", async () => {
    desks.push(await newWorkspace(test, token), await newWorkspace(test, token))
    for (const desk of desks) await isIssued(desk)
    const { authorities, waiting } = await list()
    assert.deepEqual(
      authorities.map((one: Record<string, unknown>) => [one.name, one.most, one.used, one.closed]),
      [["first.example", 2, 2, null]],
    )
    assert.equal(waiting, 0)
    await waitUntil("both are in the ledger", () => lines().length === 2)
    assert.deepEqual(new Set(lines().map(one => one.workspace)), new Set(desks.map(one => one.id)))
  })

  it("with nothing left the next one is told of its turn, and nobody of an authority", async () => {
    const desk = await newWorkspace(test, token)
    desks.push(desk)
    await waitUntil("it waits", async () => (await rowOf(desk))?.waits)
    const { certificate } = await desk.shown()
    assert.equal(certificate.state, "self-signed")
    const until = Date.parse(certificate.waitsUntil) - Date.now()
    // Of two a week one comes back every three and a half days.
    assert.ok(until > 3.4 * DAY && until <= 3.5 * DAY, `${until} ms`)
    assert.equal((await list("?troubled=true")).certificates.length, 1)
    const page = (await ada.get(`${test.url}/workspaces/${desk.id}`)).text
    assert.match(page, /its certificate authority gives certificates to so many new names a week/i)
    const said = await foozolCloud(["certificates"], { FOOZOL_API_URL: test.url, FOOZOL_API_TOKEN: operator })
    assert.match(said.stdout, /first\.example: 2 of 2 new names in 7 days/)
    assert.match(said.stdout, new RegExp(`${desk.id}.*waits until about`))
  })

  it("nobody but operators sees that", async () => {
    assert.equal((await test.api(token, "GET", "/operator/certificates")).status, 403)
  })

  it("what is used outlives Redis and the service", async () => {
    const { redis } = test.service.services
    for (const key of await redis.keys("fz:certificates*")) await redis.del(key)
    await restart({})
    const [first] = (await list()).authorities
    assert.equal(first.used, 2)
    const again = (await list()).certificates.find((one: { workspace: string }) => one.workspace === desks[0]?.id)
    assert.equal(again.state, "issued")
  })

  it("a machine whose name the authority knows asks again without waiting", async () => {
    const [desk] = desks as [WorkspaceLife]
    await desk.does("stop")
    await desk.does("start")
    await isIssued(desk)
    assert.equal((await list()).authorities[0].used, 2)
  })

  it("a second authority takes those that wait; one that refuses is left for the other", async () => {
    await restart({ FOOZOL_ACME_2_DIRECTORY: SECOND })
    await isIssued(desks[2] as WorkspaceLife)
    refusing.set(SECOND, "rejectedIdentifier")
    await restart({ FOOZOL_ACME_WEEK: "3" })
    const desk = await newWorkspace(test, token)
    await isIssued(desk)
    assert.equal((await list()).authorities[0].used, 3)
    refusing.clear()
    refusing.set(FIRST, "rateLimited")
    await restart({ FOOZOL_ACME_WEEK: "5" })
    const refused = await newWorkspace(test, token)
    await isIssued(refused)
    await waitUntil("what was kept at the first has gone back", async () => (await list()).authorities[0].used === 3)
    assert.equal((await list()).authorities[1].used, 0)
    await waitUntil("all are in the ledger", () => lines().length === 5)
    assert.equal(lines().find(one => one.workspace === refused.id)?.authority, SECOND)
  })

  it("a page of operators shows all of it", async () => {
    const root = await test.signIn("root")
    const page = (await root.get(`${test.url}/operator/certificates`)).text
    assert.match(page, /first\.example/)
    assert.match(page, /3 of 5/)
    assert.match(page, new RegExp(desks[0]?.id as string))
  })
})

describe("service: certificates that many ask for at once", () => {
  it("never go beyond what the authority grants, and each who waits gets a turn in order", async () => {
    const redis = await startTestRedis()
    const client = new Redis(redis.url)
    const folder = await temporaryDirectory()
    let ahead = 0
    try {
      const store = createWorkspaceStore(client)
      const ordered: string[] = []
      const certificates = createCertificates({
        ...{
          redis: client,
          store,
          directory: folder.path,
          log: pino({ level: "silent" }),
          now: () => Date.now() + ahead,
        },
        channel: { order: async workspace => ordered.push(workspace) },
        authorities: [named({ directory: FIRST, contact: null, binding: null, chain: null, trust: null }, 10)],
      })
      const all = Array.from({ length: 40 }, (_, index) => ({ id: `ws-${index}`, owner: `gh-${index}` }))
      for (const info of all)
        await client.hset(KEY.workspace(info.id), { info: JSON.stringify(info), state: "RUNNING" })
      const asked = await Promise.all(all.map(one => certificates.forMachine(one)))
      assert.equal(asked.filter(one => one !== null).length, 10)
      assert.equal(await certificates.waiting(), 30)
      await certificates.look()
      assert.deepEqual(ordered, [])
      // One of ten a week comes back in 16.8 hours.
      ahead = 2 * 17 * 3_600_000
      await certificates.look()
      assert.equal(ordered.length, 2)
      assert.equal(await certificates.waiting(), 28)
      const [state] = await certificates.authorities()
      assert.deepEqual([state?.used, state?.asked], [10, 12])
      // Of those that are gone without a certificate the turn goes back, and others have it.
      for (const id of ordered) await client.del(KEY.workspace(id))
      await certificates.look()
      assert.equal(ordered.length, 4)
    } finally {
      client.disconnect()
      await redis.close()
      await folder.remove()
    }
  })
})
