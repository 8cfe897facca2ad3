import assert from "node:assert/strict"
import { reconcile } from "../../service/reconcile/reconcile.ts"
import { startTestService, type TestService } from "../support/service.ts"
import { waitUntil } from "../support/wait-until.ts"
import { newWorkspace, type WorkspaceLife } from "../support/workspace-life.ts"

describe("service: a machine that ought to run and says nothing", function () {
  this.timeout(300_000)
  let test: TestService
  let token: string
  let desk: WorkspaceLife
  let ahead = 0

  beforeEach(async () => {
    ahead = 0
    test = await startTestService({ FOOZOL_READY_SECONDS: "20" }, { ahead: () => ahead })
    token = await test.token(await test.signIn("ada"))
    desk = await newWorkspace(test, token)
    test.machines.write(desk.id, "precious")
  })
  afterEach(() => test?.close())

  /** Two minutes later. */
  async function look(): Promise<void> {
    ahead += 120_000
    await reconcile(test.service.services)
  }
  const newest = async () => (await test.service.services.store.operationsOf(desk.id, 1))[0]
  const ended = () =>
    waitUntil("what was begun is over", async () => {
      const operation = await newest()
      return operation?.requestedBy === "reconciler" && operation.finishedAt ? operation : null
    })

  it("is left alone while it runs, and while it reports nothing is asked", async () => {
    const requests = () => test.cloud.requests()
    const before = JSON.stringify(await requests())
    await reconcile(test.service.services)
    assert.equal(JSON.stringify(await requests()), before)
    for (let times = 0; times < 4; times++) await look()
    assert.equal((await desk.shown()).state, "RUNNING")
  })

  it("was switched off from within: the workspace has stopped, says why, and starts again with all that was there", async () => {
    const [machine] = await desk.machines()
    await test.cloud.api("POST", `/servers/${machine?.id}/actions/poweroff`)
    await waitUntil("it is off", async () => (await desk.machines())[0]?.status === "off")
    await look()
    assert.equal((await desk.shown()).state, "RUNNING")
    await look()
    const stop = await ended()
    assert.deepEqual([stop.kind, stop.state], ["stop", "succeeded"])
    assert.equal(stop.wish?.because, "its machine had been switched off")
    const shown = await desk.shown()
    assert.equal(shown.state, "STOPPED")
    assert.equal((await test.api(token, "GET", `/operations/${stop.id}`)).body.requestedBy, "reconciler")
    assert.equal((await desk.does("start")).state, "succeeded")
    assert.equal(test.machines.read(desk.id), "precious")
  })

  it("was deleted by hand: the workspace has failed and says what to do, and a backup brings it back", async () => {
    assert.equal((await desk.does("backups", {})).state, "succeeded")
    const [backup] = await desk.backups()
    const [machine] = await desk.machines()
    const protection = { delete: false, rebuild: false }
    await test.cloud.api("POST", `/servers/${machine?.id}/actions/change_protection`, protection)
    await test.cloud.api("DELETE", `/servers/${machine?.id}`)
    await waitUntil("it is gone", async () => (await desk.machines()).length === 0)
    await look()
    await look()
    const stop = await ended()
    assert.deepEqual([stop.state, stop.failure?.id], ["failed", "machine-missing"])
    const { state, failure } = await desk.shown()
    assert.equal(state, "FAILED")
    assert.match(failure.message, /restore a backup/)
    const restored = await desk.does("restore", { backup: backup.id })
    assert.equal(restored.state, "succeeded", JSON.stringify(restored.failure))
    assert.equal(test.machines.read(desk.id), "precious")
  })
})
