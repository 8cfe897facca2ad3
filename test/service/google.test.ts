import assert from "node:assert/strict"
import { pino } from "pino"
import { preempt } from "../../local-cloud/gcp/instances.ts"
import { reconcile } from "../../service/reconcile/reconcile.ts"
import { startService } from "../../service/start.ts"
import { GCP_IMAGE, GCP_PROJECT } from "../support/gcp-cloud.ts"
import { GCP_ZONE, startTwoProviders, type TwoProviders } from "../support/gcp-service.ts"
import type { Visitor } from "../support/visitor.ts"
import { waitUntil } from "../support/wait-until.ts"
import { TEST_ZONE } from "../support/workspace.ts"
import { lifeOf, newWorkspace, type WorkspaceLife } from "../support/workspace-life.ts"

const AT_GOOGLE = { provider: "gcp", region: "us-central1-a", sizeClass: "medium" }

/** The whole service with Google beside Hetzner: its API and pages, Redis, machines at the local Google. */
describe("service: workspaces at Google Cloud", function () {
  this.timeout(300_000)
  let both: TwoProviders
  let ada: Visitor
  let token: string
  let ahead = 0

  before(async () => {
    both = await startTwoProviders(
      { FOOZOL_GCP_MARKET: "spot", FOOZOL_QUOTA_TOTAL: "20", FOOZOL_READY_SECONDS: "20" },
      { ahead: () => ahead },
    )
    ada = await both.test.signIn("ada")
    token = await both.test.token(ada)
  })
  after(() => both?.close())
  beforeEach(() => both.test.forgetLimits())

  const page = async (path: string) => (await ada.get(`${both.test.url}${path}`)).text
  const newest = async (desk: WorkspaceLife) =>
    (await both.test.service.services.store.operationsOf(desk.id, 1))[0] ?? assert.fail("no operation")
  const gone = (desk: WorkspaceLife) => waitUntil("all of it is gone", () => both.left(desk.id).length === 0)
  async function destroyed(desk: WorkspaceLife): Promise<void> {
    const { body } = await both.test.api(token, "DELETE", `/workspaces/${desk.id}`)
    assert.equal((await both.test.finished(token, body.operation.id)).state, "succeeded")
    await gone(desk)
  }

  it("one is created, stopped, started, put to sleep, woken and deleted, and nothing of it is left", async () => {
    const desk = await newWorkspace(both.test, token, AT_GOOGLE)
    const made = await desk.shown()
    assert.deepEqual(
      [made.state, made.provider, made.region, made.size, made.price.currency],
      ["RUNNING", "gcp", "us-central1-a", "e2-highmem-2", "USD"],
    )
    assert.equal(made.image.current, GCP_IMAGE)
    assert.equal(made.address, `https://${desk.id}.${GCP_ZONE}`)
    assert.match(both.pathOf(desk.id), new RegExp(`^projects/${GCP_PROJECT}/zones/us-central1-a/`))
    assert.equal((await desk.does("stop")).state, "succeeded")
    assert.deepEqual([both.statusOf(desk.id), (await desk.shown()).state], ["TERMINATED", "STOPPED"])
    assert.match(await page(`/workspaces/${desk.id}`), /us-central1-a/)
    assert.equal((await desk.does("start")).state, "succeeded")
    assert.deepEqual([both.statusOf(desk.id), (await desk.shown()).state], ["RUNNING", "RUNNING"])
    assert.equal((await desk.does("stop?mode=hibernate")).state, "succeeded")
    assert.deepEqual([both.statusOf(desk.id), (await desk.shown()).asleep], [undefined, true])
    assert.equal((await desk.does("start")).state, "succeeded")
    assert.deepEqual([both.statusOf(desk.id), (await desk.shown()).asleep], ["RUNNING", false])
    await destroyed(desk)
    assert.deepEqual(both.google.deviations, [])
  })

  it("its backup is restored, and made a new workspace of at Google, whatever is asked for", async () => {
    const desk = await newWorkspace(both.test, token, AT_GOOGLE)
    assert.equal((await desk.does("backups", { name: "before" })).state, "succeeded")
    const [backup] = await desk.backups()
    assert.equal(backup.name, "before")
    assert.equal((await desk.does("restore", { backup: backup.id })).state, "succeeded")
    const form = await page(`/workspaces/new?from=${backup.id}`)
    assert.match(form, /value="us-central1-a"/)
    assert.doesNotMatch(form, /value="fsn1"/)
    const second = await newWorkspace(both.test, token, {
      from: backup.id,
      region: "us-central1-b",
      sizeClass: "medium",
    })
    assert.deepEqual([(await second.shown()).provider, both.statusOf(second.id)], ["gcp", "RUNNING"])
    for (const one of [second, desk]) {
      for (const { id } of await one.backups())
        assert.equal((await both.test.api(token, "DELETE", `/backups/${id}`)).status, 204)
      await destroyed(one)
    }
  })

  it("a newer image reaches it: by a volume, on a disk in the place of the old one, with a snapshot of how it was", async () => {
    const { images } = both.test.service.services
    const desk = await newWorkspace(both.test, token, AT_GOOGLE)
    const newer = "foozol-image-newer"
    both.google.gcp.state.add(`projects/${GCP_PROJECT}/global/images/${newer}`, {
      ...{ kind: "compute#image", name: newer, status: "READY", diskSizeGb: "20", architecture: "X86_64" },
      labels: { "managed-by": "foozol-cloud", "foozol-profile": "browser", "foozol-image-state": "ready" },
    })
    const listed = (await images.list()).find(one => one.id === newer)
    assert.deepEqual([listed?.provider, listed?.ready, listed?.used], ["gcp", true, false])
    assert.equal((await images.promote(newer)).used, true)
    assert.equal((await desk.shown()).image.outdated, true)
    const { state, failure } = await desk.does("upgrade")
    assert.equal(state, "succeeded", JSON.stringify(failure))
    assert.deepEqual((await desk.shown()).image, { current: newer, newest: newer, outdated: false })
    const [boot] = both.google.gcp.state.get(both.pathOf(desk.id)).disks as { source: string }[]
    const disk = both.google.gcp.state.get(String(boot?.source).replace(/^.*\/compute\/v1\//, ""))
    assert.match(String(disk.sourceImage), new RegExp(`${newer}$`))
    // What a machine sees of a disk at Google is the name of its device.
    assert.match(await page(`/operations/${(await newest(desk)).id}`), /carry-[0-9a-f-]{36}/)
    const [safety] = await desk.backups()
    assert.equal(safety.kind, "safety")
    assert.equal((await both.test.api(token, "DELETE", `/backups/${safety.id}`)).status, 204)
    await destroyed(desk)
    await images.demote(newer)
  })

  it("Hetzner's go on beside them, and a region tells whose it is", async () => {
    const here = await newWorkspace(both.test, token)
    assert.equal((await here.shown()).provider, "hetzner")
    const there = await newWorkspace(both.test, token, { region: "us-central1-b", sizeClass: "small" })
    assert.deepEqual([(await there.shown()).provider, (await there.shown()).size], ["gcp", "e2-standard-2"])
    const wrong = await both.test.api(token, "POST", "/workspaces", { provider: "gcp", region: "fsn1" })
    assert.deepEqual([wrong.status, wrong.body.id], [422, "unknown-region"])
    assert.match(wrong.body.detail, /Google Cloud.*us-central1-a, us-central1-b/)
    const { sizes } = (await both.test.api(token, "GET", "/sizes")).body
    const { regions } = (await both.test.api(token, "GET", "/regions")).body
    assert.deepEqual(new Set(sizes.map((one: { provider: string }) => one.provider)), new Set(["hetzner", "gcp"]))
    assert.ok(regions.some((one: object) => JSON.stringify(one) === '{"id":"us-central1-a","provider":"gcp"}'))
    for (const desk of [here, there]) {
      const { body } = await both.test.api(token, "DELETE", `/workspaces/${desk.id}`)
      assert.equal((await both.test.finished(token, body.operation.id)).state, "succeeded")
    }
    await gone(there)
  })

  it("while Google is away, workspaces at Hetzner are made, used and shown, and the form offers those", async () => {
    const { services } = both.test.service
    const away = { status: 503, reason: "backendError", message: "Internal error" }
    const fault = { at: /./, refusal: away, times: 10_000 }
    both.google.gcp.faults.push(fault)
    // What was seen counts for a minute.
    ahead += 61_000
    try {
      const desk = await newWorkspace(both.test, token)
      assert.equal((await desk.does("stop")).state, "succeeded")
      assert.match(await page(`/workspaces/${desk.id}`), /It costs <strong>€.*There is none yet/s)
      const form = await page("/workspaces/new")
      assert.match(form, /value="fsn1"/)
      assert.doesNotMatch(form, /us-central1/)
      const { regions } = (await both.test.api(token, "GET", "/regions")).body
      assert.ok(regions.every((one: { provider: string }) => one.provider === "hetzner"))
      const refused = await both.test.api(token, "POST", "/workspaces", AT_GOOGLE)
      assert.ok(refused.status >= 500, JSON.stringify(refused.body))
      assert.equal((await services.weathers.of("main").now()).isStormy, false)
      const { body } = await both.test.api(token, "DELETE", `/workspaces/${desk.id}`)
      assert.equal((await both.test.finished(token, body.operation.id)).state, "succeeded")
    } finally {
      fault.times = 0
    }
    ahead += 61_000
  })

  it("the form has both, with prices of each, and a link may choose", async () => {
    const form = await page("/workspaces/new?provider=gcp")
    for (const text of ["Hetzner Cloud", "Google Cloud", 'value="fsn1"', "e2-highmem-2"]) assert.ok(form.includes(text))
    assert.match(form, /value="us-central1-a"[^>]*checked/)
    assert.match(form, /\$/)
    assert.match(form, /€/)
  })

  it("a stock-out at the creation: its owner reads what to do, and another zone has it", async () => {
    both.google.gcp.state.stockouts.add("us-central1-a")
    const asked = await both.test.api(token, "POST", "/workspaces", AT_GOOGLE)
    const failed = await both.test.finished(token, asked.body.operation.id)
    assert.deepEqual([failed.state, failed.failure?.id], ["failed", "provider-no-capacity"])
    assert.match(await page(`/operations/${asked.body.operation.id}`), /no room for this machine type in this zone now/)
    const desk = lifeOf(both.test, token, asked.body.workspace.id)
    await destroyed(desk)
    const other = await newWorkspace(both.test, token, { ...AT_GOOGLE, region: "us-central1-b" })
    both.google.gcp.state.stockouts.clear()
    await destroyed(other)
  })

  for (const mode of ["power-off", "hibernate"]) {
    it(`a stock-out at the start after ${mode}: it goes on being stopped, and its owner is offered other places`, async () => {
      const desk = await newWorkspace(both.test, token, AT_GOOGLE)
      assert.equal((await desk.does(`stop?mode=${mode}`)).state, "succeeded")
      both.google.gcp.state.stockouts.add("us-central1-a")
      const { state, failure } = await desk.does("start")
      assert.deepEqual([state, failure?.id], ["failed", "sold-out"])
      assert.match(failure?.message ?? "", /no room for this machine type in this zone now.*Nothing is lost/)
      assert.equal((await desk.shown()).state, "STOPPED")
      const shown = await page(`/operations/${(await newest(desk)).id}`)
      assert.match(shown, /Where it can be had now/)
      assert.match(shown, /name="region" value="us-central1-b"/)
      both.google.gcp.state.stockouts.clear()
      assert.equal((await desk.does("start")).state, "succeeded")
      await destroyed(desk)
    })
  }

  it("a quota is used up: nothing was begun there, and its owner is told whose it is to mend", async () => {
    const { quotas } = both.google.gcp.state.settings
    const before = quotas.CPUS as number
    quotas.CPUS = 1
    const asked = await both.test.api(token, "POST", "/workspaces", AT_GOOGLE)
    const failed = await both.test.finished(token, asked.body.operation.id)
    assert.deepEqual([failed.state, failed.failure?.id], ["failed", "no-room"])
    assert.match(await page(`/operations/${asked.body.operation.id}`), /There is no room for another workspace/)
    assert.ok(both.test.logged().includes("quota CPUS in us-central1 is 1"), "the operator reads which")
    quotas.CPUS = before
    await destroyed(lifeOf(both.test, token, asked.body.workspace.id))
  })

  it("Google takes a spot machine back while somebody works: it has stopped, says why, and starts with its disk", async () => {
    const desk = await newWorkspace(both.test, token, AT_GOOGLE)
    const { state } = both.google.gcp
    const disk = () => JSON.stringify(state.get(both.pathOf(desk.id)).disks)
    const before = disk()
    preempt(state, both.pathOf(desk.id))
    await waitUntil("it is off", () => both.statusOf(desk.id) === "TERMINATED")
    for (let looks = 0; looks < 2; looks++) {
      ahead += 120_000
      await reconcile(both.test.service.services)
    }
    const stop = await waitUntil("what was begun is over", async () => {
      const operation = await newest(desk)
      return operation.requestedBy === "reconciler" && operation.finishedAt ? operation : null
    })
    assert.deepEqual([stop.kind, stop.state], ["stop", "succeeded"])
    assert.match(stop.wish?.because ?? "", /spot machines at any moment; its disk is there, start it again/)
    assert.equal((await desk.shown()).state, "STOPPED")
    assert.equal((await desk.does("start")).state, "succeeded")
    assert.equal(disk(), before)
    await destroyed(desk)
  })

  it("no credential of Google's is in what is stored or logged", async () => {
    const { redis } = both.test.service.services
    const dump = await Promise.all((await redis.keys("*")).map(key => redis.dumpBuffer(key)))
    assert.ok(dump.every(one => !one?.includes(both.google.token)))
    assert.ok(!both.test.logged().includes(both.google.token))
  })
})

describe("service: Google Cloud alone", function () {
  this.timeout(300_000)
  let alone: TwoProviders

  before(async () => {
    alone = await startTwoProviders({ HCLOUD_TOKEN: "", HCLOUD_ENDPOINT: "", FOOZOL_GCP_DNS_ZONE: "" })
  })
  after(() => alone?.close())

  it("a workspace is made there without a word about where, and nothing of Hetzner is offered", async () => {
    const { test } = alone
    const ada = await test.signIn("ada")
    const token = await test.token(ada)
    const asked = await test.api(token, "POST", "/workspaces", {})
    assert.equal(asked.status, 202, JSON.stringify(asked.body))
    assert.equal((await test.finished(token, asked.body.operation.id)).state, "succeeded")
    const desk = lifeOf(test, token, asked.body.workspace.id)
    const { provider, region, size, address } = await desk.shown()
    assert.deepEqual([provider, region, size], ["gcp", "us-central1-a", "e2-highmem-2"])
    assert.equal(address, `https://${desk.id}.${TEST_ZONE}`)
    const form = (await ada.get(`${test.url}/workspaces/new`)).text
    assert.match(form, /Machines are at Google Cloud/)
    assert.doesNotMatch(form, /Hetzner/)
    const wrong = await test.api(token, "POST", "/workspaces", { provider: "hetzner" })
    assert.deepEqual([wrong.status, wrong.body.id], [422, "unknown-provider"])
    const { sizes } = (await test.api(token, "GET", "/sizes")).body
    assert.ok(sizes.length > 0 && sizes.every((one: { provider: string }) => one.provider === "gcp"))
    await test.restart()
    assert.equal((await desk.shown()).state, "RUNNING")
    assert.equal((await desk.does("stop")).state, "succeeded")
  })

  it("without its project the service does not start: its machines would look as if they were gone", async () => {
    const { test } = alone
    const { FOOZOL_GCP_PROJECTS: _, ...env } = test.env
    const other = { ...env, FOOZOL_GCP_PROJECTS: "other-desks", FOOZOL_LISTEN: "127.0.0.1:0" }
    await assert.rejects(startService(other, { log: pino({ level: "silent" }) }), (error: Error) => {
      assert.match(error.message, /lacks test-desks \(1\)/)
      return true
    })
  })
})
