import assert from "node:assert/strict"
import { MAIN_PROJECT } from "../../infra/projects.ts"
import { startTestService, type TestService } from "../support/service.ts"
import { waitUntil } from "../support/wait-until.ts"
import { newWorkspace, type WorkspaceLife } from "../support/workspace-life.ts"

/** What operators do with what everybody has. */
describe("service: operators", function () {
  this.timeout(300_000)
  let test: TestService
  let root: string
  let ada: string
  let desk: WorkspaceLife
  let other: WorkspaceLife
  before(async () => {
    test = await startTestService({ FOOZOL_OPERATORS: "Root", FOOZOL_READY_SECONDS: "10", FOOZOL_QUOTA_TOTAL: "9" })
    root = await test.token(await test.signIn("root"), "operate")
    ada = await test.token(await test.signIn("ada"))
    desk = await newWorkspace(test, ada)
    other = await newWorkspace(test, await test.token(await test.signIn("bob")))
  })
  after(() => test?.close())

  const asked = (method: string, path: string, body?: object) => test.api(root, method, `/operator${path}`, body)
  const get = async (path: string) => {
    const { status, body } = await asked("GET", path)
    assert.equal(status, 200, JSON.stringify(body))
    return body
  }
  const ids = (body: { workspaces: { id: string }[] }) => body.workspaces.map(one => one.id)
  /** Begins something as the operator and waits for its end. */
  const acts = async (method: string, path: string) => {
    const { status, body } = await asked(method, path)
    assert.equal(status, 202, JSON.stringify(body))
    return { ...body, end: await test.finished(root, body.operation) }
  }

  it("find workspaces by owner, id, state and page", async () => {
    assert.deepEqual(ids(await get("/workspaces")), [other.id, desk.id])
    assert.deepEqual(ids(await get("/workspaces?search=ADA")), [desk.id])
    assert.deepEqual(ids(await get(`/workspaces?search=${other.id.slice(3, 12)}`)), [other.id])
    assert.deepEqual(ids(await get("/workspaces?owner=bob&state=RUNNING")), [other.id])
    assert.deepEqual(ids(await get("/workspaces?state=FAILED")), [])
    const second = await get("/workspaces?perPage=1&page=2")
    assert.deepEqual([ids(second), second.total], [[desk.id], 2])
    const [found] = (await get("/workspaces?search=ada")).workspaces
    assert.deepEqual([found.login, found.state, found.outdated], ["ada", "RUNNING", false])
  })

  it("see everything about one, which the audit log has", async () => {
    const all = await get(`/workspaces/${desk.id}`)
    assert.equal(all.person.login, "ada")
    assert.deepEqual([all.machines.length, all.machines[0].id], [1, all.machineId])
    assert.deepEqual([all.locks, all.leased], [[], false])
    assert.deepEqual([all.operations[0].kind, all.operations[0].requestedBy], ["create", "owner"])
    assert.equal((await asked("GET", "/workspaces/nobody")).status, 404)
    await get(`/workspaces/${desk.id}`)
    const { body } = await test.api(root, "GET", `/audit?workspace=${desk.id}&action=operatorGetWorkspace`)
    assert.equal(body.entries.length, 1, "a page that looks again by itself fills no log")
    assert.deepEqual([body.entries[0].login, body.entries[0].as, body.entries[0].user], ["root", "operator", all.owner])
  })

  it("stop, start, back up and delete, with their name on the operation", async () => {
    const dry = (await asked("POST", `/workspaces/${desk.id}/stop?dryRun=true`)).body
    assert.deepEqual([dry.kind, dry.why, dry.operation, dry.state], ["stop", null, null, "RUNNING"])
    const stopped = await acts("POST", `/workspaces/${desk.id}/stop`)
    assert.deepEqual([stopped.end.state, (await desk.shown()).state], ["succeeded", "STOPPED"])
    const not = (await asked("POST", `/workspaces/${desk.id}/stop?dryRun=true`)).body
    assert.deepEqual([not.kind, not.why], [null, "It is STOPPED, and must be RUNNING or IDLE for that."])
    assert.equal((await asked("POST", `/workspaces/${desk.id}/stop`)).body.id, "illegal-transition")
    assert.equal((await acts("POST", `/workspaces/${desk.id}/start`)).end.state, "succeeded")
    assert.equal((await acts("POST", `/workspaces/${desk.id}/backup`)).end.kind, "backup")
    const { operations } = (await test.api(ada, "GET", `/operations?workspace=${desk.id}`)).body
    assert.deepEqual(
      operations.map((one: { requestedBy: string }) => one.requestedBy),
      ["operator", "operator", "operator", "owner"],
    )
    const [newest] = (await get(`/workspaces/${desk.id}`)).operations
    const { body } = await test.api(root, "GET", `/audit?workspace=${desk.id}&action=operatorBackupWorkspace`)
    assert.deepEqual([body.entries[0].operation, body.entries[0].request], [newest.id, newest.request])
    const gone = await newWorkspace(test, ada)
    assert.equal((await acts("DELETE", `/workspaces/${gone.id}`)).end.state, "succeeded")
    assert.deepEqual(await gone.machines(), [])
  })

  it("see why something failed in words of their own, and try it again", async () => {
    const broken = await newWorkspace(test, ada)
    await acts("POST", `/workspaces/${broken.id}/stop`)
    test.machines.setReady(false)
    const { operation, end } = await acts("POST", `/workspaces/${broken.id}/start`)
    assert.equal(end.state, "failed")
    const failed = (await get("/operations?state=failed")).operations
    assert.deepEqual([failed[0].id, failed[0].fault.id], [operation, end.failure?.id])
    assert.ok(failed[0].fault.message)
    assert.equal((await get("/overview")).operations.failed24h, failed.length)
    assert.deepEqual(ids(await get("/workspaces?state=FAILED")), [broken.id])
    test.machines.setReady(true)
    assert.equal((await acts("POST", `/workspaces/${broken.id}/retry`)).end.state, "succeeded")
    assert.equal((await asked("POST", `/workspaces/${broken.id}/retry`)).body.id, "not-failed")
  })

  it("show nothing of it to others, nor to a token that is not made for it", async () => {
    const write = await test.token(await test.signIn("root"), "write")
    for (const token of [ada, write]) {
      for (const [method, path] of [
        ["GET", "/workspaces"],
        ["GET", `/workspaces/${other.id}`],
        ["DELETE", `/workspaces/${other.id}`],
        ["POST", "/users/bob/suspend"],
        ["POST", "/sweep"],
        ["DELETE", "/drain"],
        ["GET", "/overview"],
      ] as const) {
        const { status } = await test.api(token, method, `/operator${path}`)
        assert.equal(status, 403, `${method} ${path}`)
      }
    }
    const [{ id }] = (await get(`/workspaces/${other.id}`)).operations
    assert.equal((await test.api(write, "GET", `/operations/${id}`)).status, 404)
    assert.equal((await test.api(root, "GET", `/operations/${id}`)).status, 200)
    assert.equal((await test.api(write, "POST", `/workspaces/${other.id}/close-viewers`)).status, 404)
    assert.equal((await test.api(root, "POST", `/workspaces/${other.id}/close-viewers`)).status, 200)
    assert.equal((await other.shown()).state, "RUNNING")
  })

  it("work on a stack by hand only while no operation does", async () => {
    const state = await get(`/workspaces/${desk.id}/stack`)
    assert.equal(state.deployment.resources.length > 3, true)
    const recovered = await asked("POST", `/workspaces/${desk.id}/stack/recover`)
    assert.equal(recovered.status, 200, JSON.stringify(recovered.body))
    assert.equal((await asked("POST", `/workspaces/${desk.id}/stack/unlock`)).status, 200)
    assert.equal((await asked("GET", "/workspaces/nobody/stack")).status, 404)
    const { body } = await asked("POST", `/workspaces/${desk.id}/stop`)
    assert.equal((await asked("POST", `/workspaces/${desk.id}/stack/recover`)).body.id, "busy")
    await test.finished(root, body.operation)
  })

  it("suspend a user: access ends at once, workspaces stop, nobody gets in; resuming lets them in again", async () => {
    const eve = await test.signIn("eve")
    const token = await test.token(eve)
    const theirs = await newWorkspace(test, token)
    const user = (await test.api(token, "GET", "/me")).body.id
    const { tokens, logins, now } = test.service.services
    const [login] = await logins.listOf(user)
    const ticket = await tokens.issueTicket(theirs.id, login?.hash ?? "")
    const vnc = await tokens.redeem(ticket, theirs.id, now())
    assert.equal(await tokens.authorize(vnc.token ?? "", theirs.id, now()), 204)
    const revoked = test.machines.received.length
    const { status, body } = await asked("POST", "/users/EVE/suspend", { why: "a test" })
    assert.deepEqual([status, body.suspended.why, body.suspended.keepRunning], [200, "a test", false])
    assert.equal((await test.api(token, "GET", "/me")).status, 401)
    assert.equal((await test.api(eve, "GET", "/me")).status, 401)
    assert.equal(await tokens.authorize(vnc.token ?? "", theirs.id, now()), 401)
    await waitUntil("the machine is told", () =>
      test.machines.received.slice(revoked).some(one => one.workspace === theirs.id && one.type === "revoke"),
    )
    await waitUntil("it is stopped", async () => (await get(`/workspaces/${theirs.id}`)).state === "STOPPED")
    const refused = await test.signIn("eve").catch(error => String(error))
    assert.match(String(refused), /403 .*Your account is suspended/s)
    assert.equal((await asked("POST", `/workspaces/${theirs.id}/start`)).body.id, "owner-suspended")
    assert.deepEqual(
      (await get("/users?suspended=true")).users.map((one: { login: string }) => one.login),
      ["eve"],
    )
    assert.equal((await asked("POST", "/users/eve/resume", {})).body.suspended, null)
    assert.equal((await asked("POST", "/users/eve/resume", {})).body.id, "not-suspended")
    const again = await test.token(await test.signIn("eve"))
    assert.equal((await test.api(again, "GET", `/workspaces/${theirs.id}`)).body.state, "STOPPED")
    assert.equal((await asked("POST", "/users/root/suspend", {})).status, 403)
    assert.equal((await asked("POST", "/users/nobody/suspend", {})).status, 404)
  })

  it("suspend a user whose workspaces go on when that is wished", async () => {
    await asked("POST", "/users/bob/suspend", { keepRunning: true })
    await test.service.services.suspensions.look()
    assert.equal((await get(`/workspaces/${other.id}`)).state, "RUNNING")
    await asked("POST", "/users/bob/resume", {})
  })

  it("drain: nothing new begins, what goes on ends, pages and API answer on", async () => {
    const drained = (wanted: boolean) =>
      waitUntil("the worker has heard", async () => {
        const { workers } = await get("/drain")
        return workers.length === 1 && workers[0].draining === wanted && workers
      })
    await asked("POST", "/drain", { why: "a deploy" })
    const [worker] = await drained(true)
    const begun = (await asked("POST", `/workspaces/${desk.id}/start`)).body.operation
    const from = Date.now()
    await waitUntil("the queue was compared in vain", () => Date.now() - from > 3_000)
    const { operations } = await get("/operations")
    assert.deepEqual(
      operations.map((one: { id: string; state: string }) => [one.id, one.state]),
      [[begun, "queued"]],
    )
    assert.equal((await get("/drain")).orders[0].why, "a deploy")
    await asked("DELETE", "/drain?target=all")
    await drained(false)
    assert.equal((await test.finished(root, begun)).state, "succeeded")
    assert.equal((await asked("DELETE", "/drain")).status, 404)
    await asked("POST", "/drain", { target: `worker:${worker.id}` })
    await drained(true)
    await asked("DELETE", `/drain?target=worker:${worker.id}`)
    await asked("POST", "/drain", { target: "host:elsewhere" })
    await drained(false)
    await asked("DELETE", "/drain?target=host:elsewhere")
  })

  it("promote and demote images without a restart", async () => {
    const first = String(test.cloud.imageId)
    const newer = await test.cloud.addImage()
    const find = () => test.service.services.images.find("browser", MAIN_PROJECT)
    assert.deepEqual(
      (await get("/images")).images.find((one: { profile: string }) => one.profile === "browser"),
      {
        ...{ id: first, provider: "hetzner", profile: "browser", createdAt: null, ready: true },
        ...{ standing: "set", used: true },
      },
    )
    assert.equal((await asked("POST", `/images/${newer}/promote`, {})).status, 404)
    const promoted = await asked("POST", `/images/${newer}/promote`, { profile: "browser" })
    assert.deepEqual([promoted.status, promoted.body.standing, promoted.body.used], [200, "promoted", true])
    assert.equal(await find(), newer)
    assert.deepEqual(ids(await get("/workspaces?outdated=true")).includes(desk.id), true)
    assert.equal((await asked("POST", "/images/99999/promote", { profile: "browser" })).status, 404)
    const back = await asked("POST", `/images/${newer}/demote`, {})
    assert.deepEqual([back.status, back.body.standing, back.body.used], [200, "demoted", false])
    assert.equal((await asked("POST", `/images/${newer}/demote`, {})).status, 404, "it is one of ours no longer")
    assert.equal(await find(), Number(first))
  })

  it("sweep: what would go is said, then done, and the overview has it", async () => {
    const dry = await get("/sweep")
    assert.ok(dry.held > 0)
    assert.deepEqual(dry.resources, [])
    await test.cloud.api("POST", "/ssh_keys", {
      name: "left-over",
      public_key: `ssh-ed25519 ${Buffer.from(`\0\0\0\x0bssh-ed25519\0\0\0 ${"k".repeat(32)}`).toString("base64")}`,
      labels: {},
    })
    const servers = await test.cloud.api<{ servers: { id: number; labels: object }[] }>("GET", "/servers")
    const [server] = servers.servers
    await test.cloud.api("PUT", `/servers/${server?.id}`, {
      labels: { ...server?.labels, "foozol-workspace": "lost-one" },
    })
    const found = await get("/sweep")
    assert.deepEqual(
      found.resources.map((one: { workspace: string; verdict: string }) => [one.workspace, one.verdict]),
      [["lost-one", "waits"]],
    )
    assert.ok(Date.parse(found.resources[0].until) > Date.now())
    const { status, body } = await waitUntil("the service's own sweep is over", async () => {
      const answer = await asked("POST", "/sweep")
      return answer.status === 409 ? null : answer
    })
    assert.deepEqual([status, body.resources[0].verdict], [200, "waits"])
    const overview = await get("/overview")
    assert.equal(overview.sweep.resources.length, 1)
    assert.equal(overview.weather.isStormy, false)
    assert.deepEqual(
      overview.projects.map(({ requestsLeft, ...one }: { requestsLeft: number }) => [one, requestsLeft > 0]),
      [[{ project: MAIN_PROJECT, provider: "hetzner", isStormy: false }, true]],
    )
    assert.ok(overview.costs[0].forecast > overview.costs[0].amount)
    assert.ok(overview.states.some((one: { state: string }) => one.state === "RUNNING"))
  })
})
