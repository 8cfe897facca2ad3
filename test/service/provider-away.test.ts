import assert from "node:assert/strict"
import { rebuildRecords } from "../../service/sweeps/rebuild.ts"
import { KEY } from "../../service/workspaces/store.ts"
import { GCP_PROJECT } from "../support/gcp-cloud.ts"
import { startTwoProviders, type TwoProviders } from "../support/gcp-service.ts"
import type { Visitor } from "../support/visitor.ts"
import { waitUntil } from "../support/wait-until.ts"
import { testEngineConfig } from "../support/workspace.ts"
import { newWorkspace, type WorkspaceLife } from "../support/workspace-life.ts"

/** Longest that a page may wait for a provider that says nothing, milliseconds: 2 s, and what a busy machine takes itself. */
const PATIENT_MS = 30_000

describe("service: one of two providers is away", function () {
  this.timeout(300_000)
  let both: TwoProviders
  let [ada, root]: Visitor[] = []
  let [adas, roots] = ["", ""]
  let here: WorkspaceLife
  let there: WorkspaceLife
  let ahead = 0

  before(async () => {
    both = await startTwoProviders(
      { FOOZOL_OPERATORS: "root", FOOZOL_QUOTA_TOTAL: "20", FOOZOL_READY_SECONDS: "20" },
      { ahead: () => ahead },
    )
    ada = await both.test.signIn("ada")
    root = await both.test.signIn("root")
    adas = await both.test.token(ada)
    roots = await both.test.token(root, "operate")
    here = await newWorkspace(both.test, adas)
    there = await newWorkspace(both.test, adas, { provider: "gcp", region: "us-central1-a", sizeClass: "medium" })
    await here.does("backups", { name: "at Hetzner" })
    await there.does("backups", { name: "at Google" })
  })
  after(() => both?.close())
  beforeEach(() => both.test.forgetLimits())

  const page = async (who: Visitor | undefined, path: string) => {
    const { status, text } = await (who as Visitor).get(`${both.test.url}${path}`)
    assert.equal(status, 200, path)
    return text
  }
  const api = async (who: string, path: string) => (await both.test.api(who, "GET", path)).body
  /** Google fails while something is done; what was seen before counts for a minute. */
  async function whileAway<T>(work: () => Promise<T>, more: { hangs?: true } = {}): Promise<T> {
    const refusal = more.hangs ? null : { status: 503, reason: "backendError", message: "Internal error" }
    const fault = { at: /./, refusal, times: 100_000, ...more }
    both.google.gcp.faults.push(fault)
    ahead += 61_000
    try {
      return await work()
    } finally {
      fault.times = 0
      ahead += 61_000
    }
  }

  it("people see their backups of the other one, are told what is missing, and remove what is there", async () => {
    const [second] = await here.backups()
    const [googles] = await there.backups()
    await whileAway(async () => {
      const list = await page(ada, "/backups")
      assert.match(list, /at Hetzner/)
      assert.match(list, /Google Cloud does not answer at the moment: backups there are not in this list for now/)
      assert.doesNotMatch(list, /at Google/)
      const { backups, away } = await api(adas, "/backups")
      assert.deepEqual([backups.length, away], [1, ["gcp"]])
      const unknown = await both.test.api(adas, "DELETE", `/backups/${googles.id}`)
      assert.deepEqual([unknown.status, unknown.body.id, unknown.body.next], [502, "provider-away", "retry"])
      assert.equal((await both.test.api(adas, "DELETE", `/backups/${second.id}`)).status, 204)
    })
    const { backups, away } = await api(adas, "/backups")
    assert.deepEqual([backups.length, away], [1, []])
  })

  it("the form, sizes and regions are those of the other one, and say whose are missing", async () => {
    await whileAway(async () => {
      const form = await page(ada, "/workspaces/new")
      assert.match(form, /Google Cloud does not answer at the moment: what it has is left out/)
      assert.match(form, /value="fsn1"/)
      for (const path of ["/sizes", "/regions"]) {
        const { away, ...rest } = await api(adas, path)
        assert.deepEqual(away, ["gcp"])
        const found = Object.values(rest).flat() as { provider: string }[]
        assert.ok(found.length > 0 && found.every(one => one.provider === "hetzner"))
      }
    })
    assert.doesNotMatch(await page(ada, "/workspaces/new"), /does not answer/)
  })

  it("operators see images and the sweep of the other one, and what is missing", async () => {
    await whileAway(async () => {
      const upkeep = await page(root, "/operator/upkeep?sweep=dry")
      assert.match(upkeep, /Google Cloud does not answer at the moment: what is there is missing here/)
      assert.match(upkeep, new RegExp(`${GCP_PROJECT} does not answer at the moment`))
      const { images, away } = await api(roots, "/operator/images")
      assert.deepEqual(away, ["gcp"])
      assert.ok(images.length > 0)
      assert.deepEqual((await api(roots, "/operator/sweep")).away, [GCP_PROJECT])
      assert.match(await page(root, `/operator/workspaces/${here.id}`), /Running/)
    })
    assert.deepEqual((await api(roots, "/operator/sweep")).away, [])
  })

  it("sweeps, rounds of backups and records that were lost go on with the other one, and touch nothing of it", async () => {
    const { services } = both.test.service
    const { redis, store, machines, pool, backups, sizes, images, log } = services
    await waitUntil("records are whole", async () => (await redis.exists("fz:records-whole")) === 1)
    const left = both.left(there.id).length
    await whileAway(async () => {
      // The service has its own at times.
      const report = await waitUntil("a sweep of ours", () => services.sweeps.now())
      assert.deepEqual([report.away, report.resources], [[GCP_PROJECT], []])
      assert.ok(report.held > 0)
      await services.lookAfterBackups(AbortSignal.timeout(60_000))
      await redis.del(KEY.workspace(here.id))
      const cloud = { ...testEngineConfig(both.test.directory, both.test.cloud), gcp: services.cloud.gcp }
      const means = { redis, machines, pool, backups, sizes, images, log, machineUrl: both.test.url, now: Date.now }
      assert.deepEqual(await rebuildRecords({ ...means, cloud }), [here.id])
      assert.equal((await store.get(here.id))?.state, "RUNNING")
    })
    assert.equal(both.left(there.id).length, left)
  })

  it("chores wait where it fails, and there alone", async () => {
    const { weathers } = both.test.service.services
    for (let i = 0; i < 1_000; i++) weathers.hear(GCP_PROJECT, { isFault: true, budget: null })
    await waitUntil("the storm was heard", async () => (await weathers.of(GCP_PROJECT).now()).isStormy)
    assert.deepEqual(await weathers.waiting(), new Set([GCP_PROJECT]))
    const fleet = await page(root, "/operator")
    const row = (project: string) => new RegExp(`<code>${project}</code>[\\s\\S]*?</tr>`).exec(fleet)?.[0] ?? ""
    assert.match(row("main"), /Hetzner Cloud[\s\S]*>Well</)
    assert.match(row(GCP_PROJECT), /Google Cloud[\s\S]*>Fails</)
    const { weather, projects } = await api(roots, "/operator/overview")
    const stormy = projects.map((one: { project: string; isStormy: boolean }) => [one.project, one.isStormy])
    assert.deepEqual([weather.isStormy, Object.fromEntries(stormy)], [true, { main: false, [GCP_PROJECT]: true }])
    for (let i = 0; i < 1_000; i++) weathers.hear("main", { isFault: true, budget: null })
    await waitUntil("it is everywhere", async () => (await weathers.waiting()) === null)
    ahead += 120_000
    assert.deepEqual(await weathers.waiting(), new Set())
  })

  it("one that says nothing at all keeps nobody waiting", async () => {
    const took = async (path: string) => {
      const since = performance.now()
      const text = await page(ada, path)
      return { ms: performance.now() - since, text }
    }
    await whileAway(
      async () => {
        for (const [path, words] of [
          ["/workspaces/new", /Google Cloud does not answer at the moment/],
          ["/", /Running/],
          [`/workspaces/${there.id}`, /The provider does not answer at the moment/],
          ["/backups", /Google Cloud does not answer at the moment/],
        ] as const) {
          const { ms, text } = await took(path)
          assert.match(text, words, path)
          assert.ok(ms < PATIENT_MS, `${path} took ${ms} ms`)
        }
      },
      { hangs: true },
    )
  })
})
