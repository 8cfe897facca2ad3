import assert from "node:assert/strict"
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { pino } from "pino"
import { projectFindings } from "../../cli/project-findings.ts"
import { reconcile } from "../../service/reconcile/reconcile.ts"
import { startService } from "../../service/start.ts"
import { sweep } from "../../service/sweeps/sweep.ts"
import { openLedger } from "../../service/usage/ledger.ts"
import { type FurtherProject, furtherProject, mainProject } from "../support/further-project.ts"
import { startTestService, type TestService } from "../support/service.ts"
import { waitUntil } from "../support/wait-until.ts"
import { TEST_ZONE, testEngineConfig } from "../support/workspace.ts"
import { askWorkspace, newWorkspace, type WorkspaceLife } from "../support/workspace-life.ts"

const HOUR = 3600_000
const NOTHING = { servers: 0, firewalls: 0, addresses: 0, snapshots: 0 }
const AWAKE = { servers: 1, firewalls: 1, addresses: 2, snapshots: 0 }

describe("service: the provider's project is full, and there is another one", () => {
  let test: TestService
  let main: Pick<FurtherProject, "has">
  let two: FurtherProject
  let token: string
  let ahead = 0
  let here: WorkspaceLife
  let there: WorkspaceLife
  let failed: string

  before(async () => {
    const settings = { FOOZOL_QUOTA_TOTAL: "20", FOOZOL_FINAL_SNAPSHOT_DAYS: "7", FOOZOL_OPERATORS: "ada" }
    test = await startTestService(settings, { projects: ["two"], ahead: () => ahead })
    main = mainProject(test)
    two = furtherProject(test, "two")
    token = await test.token(await test.signIn("ada"))
  })
  after(() => test?.close())

  const addressesOf = async (name: string) => {
    const { rrsets } = await test.cloud.api<{ rrsets: { name: string; type: string; records: { value: string }[] }[] }>(
      "GET",
      `/zones/${TEST_ZONE}/rrsets`,
    )
    return rrsets.filter(one => one.name === name).map(one => [one.type, one.records[0]?.value])
  }
  const inTwo = async (id: string) =>
    (await test.service.services.machines.list({ "foozol-workspace": id })).map(one => [one.project, one.ipv4])
  const sleeps = (ms: number) => {
    ahead += ms
  }

  it("one without the golden image is no place: the creation says that there is no room, and the log why", async () => {
    here = await newWorkspace(test, token)
    await test.cloud.limit("test", "firewall", 1)
    const asked = await askWorkspace(test, token, { name: "There" })
    there = asked.desk
    failed = asked.operation
    const end = await test.finished(token, failed)
    assert.deepEqual([end.state, end.failure?.id, end.failure?.next], ["failed", "no-room", "retry"])
    assert.match(String(end.failure?.message), /no room for another workspace/)
    assert.match(test.logged(), /"project":"two","profile":"browser".*no golden image/)
    const next = await test.api(token, "POST", "/workspaces", { sizeClass: "small", region: "fsn1" })
    assert.deepEqual([next.status, next.body.id], [503, "no-room"])
    assert.deepEqual(await two.has(there.id), NOTHING)
    const [found] = await projectFindings(test.env)
    assert.deepEqual([found?.part, found?.state], ["project two", "optional"])
    assert.match(String(found?.from), /no golden image .* for browser, desktop: nothing is put there/)
  })

  it("with the image, a creation that meets the limit on its way is made there to its end, and leaves nothing behind", async () => {
    const image = await two.makeImages()
    assert.deepEqual(
      (await projectFindings(test.env)).map(({ part, state }) => [part, state]),
      [["project two", "ok"]],
    )
    // What was seen of images counts for a minute.
    sleeps(61_000)
    const again = await test.api(token, "POST", `/operations/${failed}/retry`)
    assert.equal(again.status, 202, JSON.stringify(again.body))
    const operation = again.body.operation.id
    const end = await test.finished(token, operation)
    assert.equal(end.state, "succeeded", JSON.stringify(end.failure))
    assert.deepEqual(await main.has(there.id), NOTHING)
    assert.deepEqual(await two.has(there.id), AWAKE)
    const { project, image: madeOf } = (await test.service.services.store.get(there.id)) ?? {}
    assert.deepEqual([project, madeOf], ["two", image])
  })

  it("its name leads to it, though the zone is the main project's", async () => {
    const [[project, ipv4] = []] = await inTwo(there.id)
    assert.equal(project, "two")
    const addresses = await addressesOf(there.id)
    assert.deepEqual(addresses.map(([type]) => type).sort(), ["A", "AAAA"])
    assert.equal(addresses.find(([type]) => type === "A")?.[1], ipv4)
  })

  it("when it says nothing for a while it is looked for there, and not taken for gone", async () => {
    for (let looks = 0; looks < 3; looks++) {
      sleeps(120_000)
      await reconcile(test.service.services)
    }
    const [newest] = await test.service.services.store.operationsOf(there.id, 1)
    assert.deepEqual([newest?.kind, (await there.shown()).state], ["create", "RUNNING"])
  })

  it("no token is in the state, clear or encrypted, and none in the log", async () => {
    const secret = /two=(\S+)/.exec(String(test.env.FOOZOL_PROJECTS))?.[1] ?? ""
    assert.ok(secret.length > 32)
    const stacks = join(fileURLToPath(String(test.env.FOOZOL_BACKEND_URL)), ".pulumi", "stacks", "foozol-cloud")
    const texts = await Promise.all((await readdir(stacks)).map(name => readFile(join(stacks, name), "utf8")))
    assert.ok(texts.some(text => text.includes('"HCLOUD_TOKEN_TWO"')))
    for (const text of texts) {
      assert.ok(!text.includes(secret) && !text.includes(test.cloud.token))
      const providers = (JSON.parse(text).checkpoint?.latest?.resources ?? []).filter(
        (one: { type: string }) => one.type === "pulumi:providers:hcloud",
      )
      for (const { inputs } of providers) assert.ok(!("token" in inputs))
    }
    assert.ok(!test.logged().includes(secret))
  })

  it("a new one goes there at once, since the limit is known", async () => {
    const before = (await test.cloud.requests())["POST /v1/firewalls"]
    const next = await newWorkspace(test, token)
    assert.equal((await test.cloud.requests())["POST /v1/firewalls"], (before ?? 0) + 1)
    assert.deepEqual([await main.has(next.id), await two.has(next.id)], [NOTHING, AWAKE])
    const gone = await test.api(token, "DELETE", `/workspaces/${next.id}`)
    assert.equal((await test.finished(token, gone.body.operation.id)).state, "succeeded")
    assert.deepEqual(await two.has(next.id), { ...NOTHING, snapshots: 1 })
    assert.deepEqual(await addressesOf(next.id), [])
    // Nothing was removed in the main project: that one is still full.
    const keys = await test.service.services.redis.keys("fz:project-limit:*")
    assert.deepEqual(keys, ["fz:project-limit:main"])
  })

  it("it stops, starts, sleeps, wakes, is resized, backed up, restored and tried out there", async () => {
    const succeeds = async (what: string, body?: unknown) => {
      const end = await there.does(what, body)
      assert.equal(end.state, "succeeded", `${what}: ${JSON.stringify(end.failure)}`)
    }
    await succeeds("stop")
    await succeeds("start")
    await succeeds("backups", { name: "mine" })
    const [backup] = await there.backups()
    await succeeds("restore", { backup: backup.id })
    await succeeds("stop?mode=hibernate")
    assert.deepEqual({ ...(await two.has(there.id)), snapshots: 0 }, { ...AWAKE, servers: 0 })
    await succeeds("start")
    await succeeds("resize", { sizeClass: "medium" })
    const proof = await test.service.services.workspaces.prove(there.id, String(backup.id))
    assert.equal((await test.finished(token, proof)).state, "succeeded")
    assert.equal((await two.has(there.id)).servers, 1)
    assert.deepEqual(await main.has(there.id), NOTHING)
  })

  it("a backup is restored in its own project, and made a new workspace of there", async () => {
    const [backup] = await there.backups()
    const refused = await test.api(token, "POST", `/workspaces/${here.id}/restore`, { backup: backup.id })
    assert.deepEqual([refused.status, refused.body.id], [409, "other-project"])
    const copy = await newWorkspace(test, token, { from: backup.id, sizeClass: "medium" })
    assert.equal((await two.has(copy.id)).servers, 1)
    const gone = await test.api(token, "DELETE", `/workspaces/${copy.id}`)
    assert.equal((await test.finished(token, gone.body.operation.id)).state, "succeeded")
  })

  it("a fault of one project keeps nobody from working in the other", async () => {
    await test.cloud.addFault({ match: { project: "two" }, fault: { kind: "status", status: 503 } })
    assert.equal((await here.does("stop")).state, "succeeded")
    assert.equal((await here.does("start")).state, "succeeded")
    await test.cloud.clearFaults()
  })

  it("the sweep leaves both alone, and takes what a creation has left in a project it went away from", async () => {
    const { redis, store, machines, pool, backups, sizes, images, log } = test.service.services
    const cloud = testEngineConfig(test.directory, test.cloud)
    const further = { two: /two=(\S+)/.exec(String(test.env.FOOZOL_PROJECTS))?.[1] ?? "" }
    const means = {
      ...{ redis, store, machines, pool, backups, sizes, images, log, machineUrl: test.url },
      ledger: openLedger(String(test.env.FOOZOL_USAGE_DIRECTORY), log),
      cloud: { ...cloud, hetzner: { ...cloud.hetzner, further } },
      now: () => Date.now() + ahead,
    }
    const labels = { "managed-by": "foozol-cloud", "foozol-workspace": there.id }
    const late = { name: "late", labels, rules: [] }
    await test.cloud.limit("test", "firewall", null)
    await test.cloud.api("POST", "/firewalls", late)
    await waitUntil("the ledger knows it", async () =>
      (await means.ledger.linesFor(new Date(means.now()).toISOString().slice(0, 7), null)).some(
        line => line.workspace === there.id,
      ),
    )
    const removed: string[] = []
    for (const later of [0, 3 * HOUR, 60_000]) {
      sleeps(later)
      removed.push(...(await sweep(means)).removed.map(one => `${one.project} ${one.name} ${one.workspace}`))
    }
    assert.deepEqual(removed, [`main firewall ${there.id}`])
    assert.equal((await main.has(here.id)).servers, 1)
    assert.equal((await two.has(there.id)).servers, 1)
    assert.equal((await addressesOf(there.id)).length, 2)
  })

  it("a further project that fails keeps nobody from making a workspace where there is room", async () => {
    await test.cloud.addFault({ match: { project: "two" }, fault: { kind: "status", status: 503 } })
    const desk = await newWorkspace(test, token)
    assert.equal((await main.has(desk.id)).servers, 1)
    const gone = await test.api(token, "DELETE", `/workspaces/${desk.id}`)
    assert.equal((await test.finished(token, gone.body.operation.id)).state, "succeeded")
    await test.cloud.clearFaults()
  })

  it("when Redis was emptied, both are found again, each in its project", async () => {
    await test.service.services.redis.flushall()
    await test.restart()
    token = await waitUntil(
      "the records are there again",
      async () => {
        const found = await test.service.services.store.ids()
        return found.length === 2 && test.token(await test.signIn("ada"))
      },
      120_000,
    )
    const { store } = test.service.services
    assert.deepEqual(Object.fromEntries(await store.projects()), { [here.id]: "main", [there.id]: "two" })
    assert.equal((await store.get(there.id))?.project, "two")
    for (const { id } of [here, there]) {
      const gone = await test.api(token, "DELETE", `/workspaces/${id}?leavesNothing=true`)
      assert.equal((await test.finished(token, gone.body.operation.id)).state, "succeeded")
    }
    assert.deepEqual(test.cloud.ledger().alive, [])
    assert.deepEqual(await store.projects(), new Map())
  })
})

describe("service: a number of workspaces for each project", () => {
  let test: TestService
  before(async () => {
    const settings = { FOOZOL_QUOTA_TOTAL: "20", FOOZOL_PROJECT_WORKSPACES: "2" }
    test = await startTestService(settings, { projects: ["two"] })
    await furtherProject(test, "two").makeImages()
  })
  after(() => test?.close())

  it("is kept by creations at the same time; the next is told that there is no room", async () => {
    const token = await test.token(await test.signIn("ada"))
    const wish = { sizeClass: "small", region: "fsn1" }
    const answers = await Promise.all(
      [1, 2, 3, 4, 5].map(n => test.api(token, "POST", "/workspaces", wish, { "idempotency-key": `wish-${n}` })),
    )
    assert.deepEqual(answers.map(({ status }) => status).sort(), [202, 202, 202, 202, 503])
    const { store, projects } = test.service.services
    assert.deepEqual(Object.fromEntries(await store.countByProject()), { main: 2, two: 2 })
    const shown = await projects.shown()
    assert.deepEqual(
      shown.map(({ room }) => room),
      [0, 0],
    )
    const made = answers.filter(({ status }) => status === 202)
    for (const { body } of made) assert.equal((await test.finished(token, body.operation.id)).state, "succeeded")
    const gone = await test.api(token, "DELETE", `/workspaces/${made[0]?.body.workspace.id}`)
    await test.finished(token, gone.body.operation.id)
    await newWorkspace(test, token)
    assert.deepEqual(Object.fromEntries(await store.countByProject()), { main: 2, two: 2 })
  })

  it("without the token of a project that workspaces are in, the service does not start", () =>
    assert.rejects(startService({ ...test.env, FOOZOL_PROJECTS: "" }, { log: pino({ level: "silent" }) }), {
      name: "ConfigError",
      message: /FOOZOL_PROJECTS must name every project .* lacks two \(2\)/,
    }))
})
