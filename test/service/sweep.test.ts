import assert from "node:assert/strict"
import { rm } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { pino } from "pino"
import { AGREE_MS, GRACE_MS } from "../../infra/sweep.ts"
import { type SweepMeans, sweep } from "../../service/sweeps/sweep.ts"
import { openLedger } from "../../service/usage/ledger.ts"
import { monthOf } from "../../service/usage/months.ts"
import { KEY } from "../../service/workspaces/store.ts"
import { startTestService, type TestService } from "../support/service.ts"
import { waitUntil } from "../support/wait-until.ts"
import { testSecrets as secrets, testEngineConfig, testSpec } from "../support/workspace.ts"
import { newWorkspace } from "../support/workspace-life.ts"

const HOUR = 3600_000

describe("service: what nobody has any more", () => {
  let test: TestService
  let means: SweepMeans
  let ahead = 0
  let lines = ""

  before(async () => {
    test = await startTestService()
    const { redis, store, machines, pool, backups, sizes, images } = test.service.services
    const ledger = openLedger(String(test.env.FOOZOL_USAGE_DIRECTORY), test.service.services.log)
    const log = pino({ level: "warn" }, { write: line => (lines += line) })
    const cloud = testEngineConfig(test.directory, test.cloud)
    const now = () => Date.now() + ahead
    const parts = { redis, store, machines, backups, sizes, images, ledger, pool, cloud }
    means = { ...parts, machineUrl: test.url, log, now }
  })
  after(() => test?.close())

  const alive = () =>
    test.cloud
      .ledger()
      .alive.map(({ labels }) => labels["foozol-workspace"])
      .sort()
  /** A workspace that was made past the service. */
  const makeBeside = (workspace: string) =>
    means.pool.run(means.cloud, {
      ...{ action: "apply", secrets },
      spec: testSpec({ image: test.cloud.imageId, workspace }),
    })
  const loseStack = (workspace: string) => {
    const backend = fileURLToPath(means.cloud.backendUrl)
    const state = join(backend, ".pulumi")
    const file = join(state, "stacks", "foozol-cloud", `${workspace}.json`)
    return Promise.all([
      rm(file),
      rm(`${file}.bak`),
      rm(join(state, "backups", "foozol-cloud", workspace), { recursive: true }),
      rm(join(backend, ".foozol", "specs", `${workspace}.json`)),
    ])
  }

  const isInLedger = (workspace: string) =>
    waitUntil("the ledger knows it", async () =>
      (await means.ledger.linesFor(monthOf(Date.now()), null)).some(line => line.workspace === workspace),
    )

  it("goes after two looks that agree; what has a record or a stack stays", async () => {
    const desk = await newWorkspace(test, await test.token(await test.signIn("ada")))
    await makeBeside("by-hand")
    await makeBeside("another")
    await loseStack("another")
    const { id: stray } = await newWorkspace(test, await test.token(await test.signIn("bob")))
    await isInLedger(stray)
    await loseStack(stray)
    await means.redis.multi().del(KEY.workspace(stray)).srem(KEY.workspaces, stray).exec()
    const [server] = test.cloud.ledger().alive.filter(({ labels }) => labels["foozol-workspace"] === stray)
    const labels = { "managed-by": "foozol-cloud", "foozol-workspace": stray }
    await test.service.services.machines.makeVolume(String(server?.id), { name: "carry-1", gb: 10, labels })

    // Made a moment ago, it may be of a creation that is under way.
    for (ahead of [0, AGREE_MS, GRACE_MS / 2]) assert.deepEqual((await sweep(means)).removed, [])
    ahead = GRACE_MS + HOUR
    const { removed } = await sweep(means)
    assert.deepEqual([...new Set(removed.map(one => one.workspace))], [stray])
    assert.deepEqual(removed.map(one => one.name).sort(), [
      "firewall",
      "ipv4",
      "ipv6",
      "machine",
      "record-A",
      "record-AAAA",
      "record-CNAME",
      "volume",
    ])
    const stay = ["another", "by-hand", desk.id]
    assert.deepEqual(alive(), stay.sort())
    const left = await means.machines.heldResources()
    assert.deepEqual(new Set(left.map(one => one.workspace)), new Set(stay))
    assert.match(lines, /nobody has any more: removed/)
    assert.match(lines, /"workspace":"another".*belong to no workspace that this service ever had: left alone/)
    assert.deepEqual((await sweep(means)).removed, [])
  })

  it("and goes not where the records themselves seem to be lost", async () => {
    for (const login of ["cleo", "dora"]) {
      const { id } = await newWorkspace(test, await test.token(await test.signIn(login)))
      await isInLedger(id)
    }
    const lost: SweepMeans = {
      ...means,
      store: { ids: async () => [], projects: async () => new Map() },
      pool: { run: async () => [] as never },
    }
    for (ahead of [5 * HOUR, 6 * HOUR]) assert.deepEqual((await sweep(lost)).removed, [])
    assert.match(lines, /the records must be wrong: nothing was removed/)
    assert.equal(alive().length, 5)
  })
})

describe("service: its Redis is emptied", () => {
  let test: TestService
  before(async () => {
    test = await startTestService()
  })
  after(() => test?.close())

  it("finds every workspace again, by stacks and labels, and goes on with them", async () => {
    const before = await test.token(await test.signIn("ada"))
    const awake = await newWorkspace(test, before, { sizeClass: "medium" })
    const off = await newWorkspace(test, before, { name: "Off" })
    const asleep = await newWorkspace(test, before, { name: "Asleep" })
    await off.does("stop")
    await asleep.does("stop?mode=hibernate")
    const { epoch } = (await test.service.services.store.get(awake.id)) ?? { epoch: 0 }
    await test.service.services.redis.flushall()
    // Until then the provider's labels alone tell whose they are.
    const listed = async (login: string) => {
      const answer = await test.api(await test.token(await test.signIn(login)), "GET", "/workspaces")
      return (answer.body.workspaces as { id: string; state: string }[]).map(({ id, state }) => `${id} ${state}`)
    }
    const told = await listed("ada")
    assert.ok(told.includes(`${awake.id} RUNNING`) && told.includes(`${off.id} STOPPED`), told.join("\n"))
    assert.deepEqual(await listed("grace"), [])
    // Beginning anew, it looks at once.
    await test.restart()
    const token = await waitUntil(
      "the records are there again",
      async () => {
        const found = await test.service.services.store.ids()
        return found.length === 3 && test.token(await test.signIn("ada"))
      },
      120_000,
    )
    const { workspaces } = (await test.api(token, "GET", "/workspaces")).body
    const shown = new Map<string, { state: string; asleep: boolean; sizeClass: string }>(
      workspaces.map((one: { id: string }) => [one.id, one]),
    )
    assert.deepEqual([shown.get(awake.id)?.state, shown.get(awake.id)?.sizeClass], ["RUNNING", "medium"])
    assert.deepEqual([shown.get(off.id)?.state, shown.get(off.id)?.asleep], ["STOPPED", false])
    assert.deepEqual([shown.get(asleep.id)?.state, shown.get(asleep.id)?.asleep], ["STOPPED", true])
    const now = await test.service.services.store.get(awake.id)
    assert.ok((now?.epoch ?? 0) > epoch, "what was under way before is fenced off")

    for (const { id } of [off, asleep]) {
      const asked = await test.api(token, "POST", `/workspaces/${id}/start`)
      assert.equal(asked.status, 202, JSON.stringify(asked.body))
      assert.equal((await test.finished(token, asked.body.operation.id)).state, "succeeded")
    }
    for (const { id } of [awake, off, asleep]) {
      const asked = await test.api(token, "DELETE", `/workspaces/${id}`)
      assert.equal((await test.finished(token, asked.body.operation.id)).state, "succeeded")
    }
    assert.deepEqual(test.cloud.ledger().alive, [])
  })
})
