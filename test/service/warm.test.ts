import assert from "node:assert/strict"
import { LABELS } from "../../infra/workspace-spec.ts"
import { WARM_POOL } from "../../service/warm/words.ts"
import type { Workspace } from "../../service/workspaces/workspace.ts"
import { startTestService, type TestService } from "../support/service.ts"
import { waitUntil } from "../support/wait-until.ts"
import { lifeOf, newWorkspace } from "../support/workspace-life.ts"

const WISH = { sizeClass: "small", region: "fsn1" }
const COUNT = 2
/** Whoever looks late finds it idle. */
const isOn = (state: string) => state === "RUNNING" || state === "IDLE"

describe("service: spare machines for new workspaces", function () {
  this.timeout(300_000)
  let test: TestService
  let token: string

  before(async () => {
    test = await startTestService({
      ...{ FOOZOL_WARM: `hetzner/fsn1/small/browser=${COUNT}`, FOOZOL_WARM_MONTHLY: "100" },
      // Nobody is made wait for by what tests leave idle.
      FOOZOL_IDLE_SECONDS: "1",
      FOOZOL_OPERATORS: "olga",
      FOOZOL_QUOTA_TOTAL: "20",
    })
    token = await test.token(await test.signIn("ada"))
  })
  after(() => test?.close())

  const spares = () => test.service.services.store.listOf(WARM_POOL)
  const full = () =>
    waitUntil(
      "the pool is full",
      async () => {
        const all = await spares()
        return all.length === COUNT && all.every(one => one.state === "RUNNING" && one.reportedAt) ? all : null
      },
      120_000,
    )
  const idsOf = (all: Workspace[]) => all.map(one => one.id).sort()
  const serversOf = async (workspace: string) =>
    (
      await test.cloud.api<{ servers: { id: number; labels: Record<string, string> }[] }>(
        "GET",
        `/servers?label_selector=${encodeURIComponent(`${LABELS.workspace}==${workspace}`)}`,
      )
    ).servers
  const create = async (wish: object = {}) => {
    const { status, body } = await test.api(token, "POST", "/workspaces", { ...WISH, ...wish })
    assert.equal(status, 202, JSON.stringify(body))
    const end = await test.finished(token, body.operation.id)
    assert.equal(end.state, "succeeded", JSON.stringify(end.failure))
    return body.workspace.id as string
  }

  it("are made by themselves, are nobody's and in nobody's list, and stay on", async () => {
    const all = await full()
    const { body } = await test.api(token, "GET", "/workspaces")
    assert.deepEqual([body.workspaces, body.unrecorded ?? []], [[], []])
    const { id } = all[0] as Workspace
    assert.equal((await test.api(token, "GET", `/workspaces/${id}`)).status, 404)
    assert.deepEqual(
      (await serversOf(id)).map(one => one.labels[LABELS.owner]),
      [WARM_POOL],
    )
    assert.ok(!(await test.service.services.people.ids()).includes(WARM_POOL))
  })

  it("become the workspace of whoever creates one: same machine, its owner's everywhere, and another one is made", async () => {
    const before = await full()
    const made = test.cloud.ledger().created.length
    const repository = { url: "https://github.com/ada/engine" }
    const id = await create({ name: "Mine", secrets: { API_KEY: "only ada's" }, repository })
    assert.ok(idsOf(before).includes(id))
    const { machineId } = before.find(one => one.id === id) as Workspace
    const [server] = await serversOf(id)
    assert.equal(String(server?.id), machineId, "the machine is the one that was there")

    const { store, pool, cloud } = test.service.services
    const me = (await test.api(token, "GET", "/me")).body.id
    assert.equal(server?.labels[LABELS.owner], me)
    const stacks = await pool.run<{ workspace: string; spec: { owner: string } }[]>(cloud, { action: "records" })
    assert.equal(stacks.find(one => one.workspace === id)?.spec.owner, me)
    const record = (await store.get(id)) as Workspace
    assert.deepEqual([record.owner, record.name], [me, "Mine"])
    assert.ok(isOn(record.state), record.state)
    assert.deepEqual(
      [record.repository?.url, record.unsavedSince !== null],
      ["https://github.com/ada/engine.git", true],
    )
    const shown = (await test.api(token, "GET", "/workspaces")).body.workspaces
    assert.deepEqual(
      shown.map((one: { id: string }) => one.id),
      [id],
    )

    const [creation] = (await test.api(token, "GET", `/operations?workspace=${id}`)).body.operations
    const { spans } = (await test.api(token, "GET", `/operations/${creation.id}`)).body
    const steps = spans.filter((one: { parent: string | null }) => one.parent === null)
    assert.deepEqual(
      steps.map((one: { name: string; of: string | null }) => one.of ?? one.name),
      ["queue", "check", "resources", "boot", "desktop"],
      "where its time went is told as of any other",
    )

    // The machine, which has listened since before, hears what is its owner's, then of the repository.
    const told = await waitUntil("the machine is told", () => {
      const its = test.machines.received.filter(one => one.workspace === id)
      const settings = its.find(one => JSON.stringify(one.data).includes("only ada's"))
      const fetches = its.find(one => one.type === "repository")
      return settings && fetches && its.indexOf(settings) < its.indexOf(fetches) ? its : null
    })
    assert.ok(told.some(one => one.type === "settings"))

    const after = await full()
    assert.ok(!idsOf(after).includes(id), "it is no spare one any more")
    assert.equal(test.cloud.ledger().created.length - made, 1, "one was made in its place, none for the workspace")
  })

  it("cost their owner from the moment they are taken, and the operator before that", async () => {
    await full()
    const id = await create()
    const me = (await test.api(token, "GET", "/me")).body.id
    const record = (await test.service.services.store.get(id)) as Workspace
    const month = new Date().toISOString().slice(0, 7)
    const since = () => (Date.now() - record.createdAt) / 1000
    const atLeast = since()
    const all = await test.service.services.usage.ofAll(month)
    const its = (owner: string) => all.get(owner)?.find(one => one.workspace === id)
    const seconds = (owner: string) => Object.values(its(owner)?.seconds ?? {}).reduce((sum, one) => sum + one, 0)
    const age = since()
    const isWhole = seconds(me) > atLeast - 2 && seconds(me) < age + 2
    assert.ok(isWhole, `${seconds(me)} s of the ${atLeast} to ${age} s since it was taken`)
    assert.ok(seconds(WARM_POOL) > 0)
    assert.deepEqual(
      (await test.service.services.usage.of(WARM_POOL, month)).filter(one => one.workspace === id).length,
      1,
    )
    const before = seconds(WARM_POOL)
    await waitUntil("time goes by", () => Date.now() - record.createdAt > (age + 1) * 1000)
    const later = await test.service.services.usage.of(WARM_POOL, month)
    const again = later.find(one => one.workspace === id)?.seconds
    assert.equal(
      Object.values(again ?? {}).reduce((sum, one) => sum + one, 0),
      before,
      "its part has ended",
    )
  })

  it("go through stop, start and deletion like any other, and do not come back", async () => {
    const [spare] = await full()
    assert.ok(spare)
    const id = await create()
    const desk = lifeOf(test, token, id)
    assert.equal((await desk.does("stop?mode=hibernate")).state, "succeeded")
    assert.equal((await desk.does("start")).state, "succeeded")
    const { body } = await test.api(token, "DELETE", `/workspaces/${id}`)
    assert.equal((await test.finished(token, body.operation.id)).state, "succeeded")
    assert.deepEqual(await serversOf(id), [])
    assert.ok(!idsOf(await full()).includes(id))
  })

  it("are left alone by a wish that they do not fit, which gets a machine of its own", async () => {
    const before = idsOf(await full())
    for (const other of [{ profile: "desktop" }, { sizeClass: "medium" }, { region: "nbg1" }]) {
      const id = await create(other)
      assert.ok(!before.includes(id), JSON.stringify(other))
    }
    assert.deepEqual(idsOf(await full()), before)
  })

  it("are not taken where the provider says that they are somebody's: the record is made again as theirs", async () => {
    const all = await full()
    const { id } = all[0] as Workspace
    const [server] = await serversOf(id)
    const me = (await test.api(token, "GET", "/me")).body.id
    // As when an older Redis was put back, after it had been taken.
    const labels = { ...server?.labels, [LABELS.owner]: me }
    await test.cloud.api("PUT", `/servers/${server?.id}`, { labels })
    const mine = [await create(), await create()]
    assert.ok(!mine.includes(id))
    test.env.FOOZOL_IMAGE_BROWSER = String(await test.cloud.addImage())
    await test.restart()
    await waitUntil(
      "its record is its owner's",
      async () => {
        const { store, sweeps } = test.service.services
        await sweeps.now().catch(() => {})
        return (await store.get(id))?.owner === me
      },
      120_000,
    )
    assert.deepEqual(
      (await serversOf(id)).map(one => one.id),
      [server?.id],
      "the machine is still there",
    )
  })

  it("are thrown away when there is a newer image, and made of that one", async () => {
    const image = Number(test.env.FOOZOL_IMAGE_BROWSER)
    const all = await waitUntil(
      "they are of the newer image",
      async () => {
        const found = await full()
        return found.every(one => one.image === image) ? found : null
      },
      180_000,
    )
    assert.equal(all.length, COUNT)
  })

  it("are nobody's again when Redis is emptied: they are thrown away, what was taken stays its owner's", async () => {
    const before = idsOf(await full())
    const id = await create()
    await test.service.services.redis.flushall()
    // What was under way has ended long ago.
    await test.service.services.redis.set("fz:records-lost", 1)
    await test.restart()
    const again = await waitUntil(
      "its owner has it again",
      async () => {
        const found = await test.service.services.store.get(id)
        return found && isOn(found.state) ? found : null
      },
      180_000,
    )
    token = await test.token(await test.signIn("ada"))
    assert.equal(again.owner, (await test.api(token, "GET", "/me")).body.id)
    const after = idsOf(await full())
    assert.deepEqual(
      after.filter(one => before.includes(one)),
      [],
      "none of those from before is given to anybody",
    )
    for (const one of before.filter(other => other !== id)) {
      await waitUntil(`${one} is gone`, async () => (await serversOf(one)).length === 0, 120_000)
    }
  })

  it("are as many as are asked for, where the settings leave that open", async () => {
    await full()
    await create({ name: "Takes one" })
    const settings = test.env.FOOZOL_WARM
    test.env.FOOZOL_WARM = "hetzner/fsn1/small/browser=0-1; hetzner/fsn1/small/desktop=0-3"
    await test.restart()
    const counts = async () => {
      const all = (await spares()).filter(one => one.state === "RUNNING")
      return ["browser", "desktop"].map(profile => all.filter(one => one.profile === profile).length)
    }
    // Of one kind more were asked for a moment ago than there may be, of the other none.
    await waitUntil("one of the first kind is there", async () => String(await counts()) === "1,0", 120_000)
    const other = await test.token(await test.signIn("grace"))
    await newWorkspace(test, other, { ...WISH, name: "Finds none", profile: "desktop" })
    await waitUntil("one of the other kind, too", async () => String(await counts()) === "1,1", 120_000)
    const operator = await test.token(await test.signIn("olga"), "operate")
    const { body } = await test.api(operator, "GET", "/operator/spares")
    assert.deepEqual(
      body.kinds.map(({ count, least, most }: Record<string, number>) => [count, least, most]),
      [
        [1, 0, 1],
        [1, 0, 3],
      ],
    )
    test.env.FOOZOL_WARM = settings
    await test.restart()
  })

  it("never cost more than they may, and go when they are not wanted", async () => {
    await full()
    const [spare] = await spares()
    const monthly = spare?.price?.monthly ?? 0
    assert.ok(monthly > 0)
    // Enough for one.
    test.env.FOOZOL_WARM_MONTHLY = String(monthly * 1.5)
    await test.restart()
    await waitUntil("one is left", async () => (await spares()).length === 1, 120_000)
    await newWorkspace(test, token, { name: "takes it" })
    const seen: number[] = []
    await waitUntil(
      "another one is made",
      async () => {
        const all = await spares()
        seen.push(all.length)
        return all.length === 1 && all[0]?.id !== spare?.id && all[0]?.state === "RUNNING"
      },
      120_000,
    )
    assert.ok(Math.max(...seen) <= 1)
    test.env.FOOZOL_WARM_MONTHLY = "0"
    await test.restart()
    await waitUntil("none is left", async () => (await spares()).length === 0, 120_000)
    const { servers } = await test.cloud.api<{ servers: { labels: Record<string, string> }[] }>("GET", "/servers")
    assert.deepEqual(
      servers.filter(one => one.labels[LABELS.owner] === WARM_POOL),
      [],
    )
  })
})
