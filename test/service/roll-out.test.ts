import assert from "node:assert/strict"
import { foozolCloud } from "../support/command-line.ts"
import { startTestService, type TestService } from "../support/service.ts"
import { waitUntil } from "../support/wait-until.ts"
import { newWorkspace, type WorkspaceLife } from "../support/workspace-life.ts"

/** Newer images for everybody, wave by wave. */
describe("service: a roll-out", function () {
  this.timeout(300_000)
  let test: TestService
  let operator: string
  let desks: WorkspaceLife[]

  beforeEach(async () => {
    test = await startTestService({ FOOZOL_READY_SECONDS: "20", FOOZOL_OPERATORS: "Root" })
    operator = await test.token(await test.signIn("root"), "operate")
    desks = await Promise.all(
      ["ada", "bob", "eve", "dan"].map(async name => newWorkspace(test, await test.token(await test.signIn(name)))),
    )
    for (const desk of desks) test.machines.write(desk.id, desk.id)
  })
  afterEach(() => test?.close())

  async function newImage(): Promise<number> {
    const id = await test.cloud.addImage()
    test.env.FOOZOL_IMAGE_BROWSER = String(id)
    await test.restart()
    return id
  }
  const rollOut = async (method = "GET", body?: object) => (await test.api(operator, method, "/roll-out", body)).body
  const ended = () =>
    waitUntil("the roll-out is over", async () => {
      const now = await rollOut()
      return now.state !== "running" && now
    })
  const madeFrom = () => Promise.all(desks.map(async desk => (await desk.machines())[0]?.madeFrom))

  it("brings all to the newest image in waves, over a restart of the service; those that are off stay off", async () => {
    const image = await newImage()
    await desks[0]?.does("stop")
    const asked = await rollOut("POST", { wave: 50, inUse: true })
    assert.deepEqual([asked.state, asked.total, asked.by], ["running", 4, "root"])
    const again = await test.api(operator, "POST", "/roll-out", {})
    assert.deepEqual([again.status, again.body.id], [409, "roll-out-running"])
    await waitUntil("the first wave has begun", async () => (await rollOut()).waves.length === 1)
    await test.restart(0)
    const end = await ended()
    assert.deepEqual([end.state, end.why], ["done", null])
    assert.deepEqual(
      end.waves.map((wave: { succeeded: number }) => wave.succeeded),
      [2, 2],
    )
    assert.deepEqual(await madeFrom(), [image, image, image, image])
    assert.deepEqual(await Promise.all(desks.map(async desk => (await desk.shown()).state)), [
      "STOPPED",
      "RUNNING",
      "RUNNING",
      "RUNNING",
    ])
    for (const desk of desks) assert.equal(test.machines.read(desk.id), desk.id)
    const { body } = await test.api(operator, "POST", "/roll-out", {})
    assert.equal(body.id, "up-to-date")
  })

  it("waits for what somebody is using, and ends when it is told to", async () => {
    await newImage()
    await rollOut("POST", {})
    // No condition tells that nothing happens; two looks of the worker would have begun a wave.
    const from = Date.now()
    await waitUntil("two looks", () => Date.now() - from > 11_000)
    assert.deepEqual((await rollOut()).waves, [])
    const { state, why } = await rollOut("DELETE")
    assert.deepEqual([state, why], ["stopped", "root has stopped it."])
  })

  it("stops by itself when more of a wave failed than may; those are as they were", async () => {
    await newImage()
    test.machines.setCarrying(() => "failed")
    const before = await madeFrom()
    await rollOut("POST", { wave: 50, stopAt: 40, inUse: true })
    const end = await ended()
    assert.equal(end.state, "stopped")
    assert.match(end.why, /of 2 workspaces of wave 1 failed/)
    await waitUntil("what has begun is over", async () => (await rollOut()).waves[0].running === 0)
    assert.deepEqual(await madeFrom(), before)
    for (const desk of desks) assert.equal((await desk.shown()).state, "RUNNING")
  })

  it("from a shell: one workspace of one's own, and everybody's", async () => {
    const image = await newImage()
    const ada = { FOOZOL_API_URL: test.url, FOOZOL_API_TOKEN: await test.token(await test.signIn("ada")) }
    const own = await foozolCloud(["workspace", "upgrade", desks[0]?.id ?? ""], ada)
    assert.equal(own.code, 0, own.stderr)
    assert.match(own.stderr, /Step 3 of 9: Putting your files and programs aside/)
    assert.equal((await madeFrom())[0], image)
    const again = await foozolCloud(["workspace", "upgrade", desks[0]?.id ?? ""], ada)
    assert.match(again.stderr, /of the newest image already/)
    const unclear = await foozolCloud(["workspace", "upgrade", "--all", "--status"], ada)
    assert.match(unclear.stderr, /one of --all, --status and --halt/)
    const root = { ...ada, FOOZOL_API_TOKEN: operator }
    const all = await foozolCloud(
      ["workspace", "upgrade", "--all", "--wave", "100%", "--in-use", "--yes", "--json"],
      root,
    )
    assert.deepEqual(JSON.parse(all.stdout).settings, { wave: 100, stopAt: 20, inUse: true })
    await ended()
    const { stdout } = await foozolCloud(["workspace", "upgrade", "--status"], root)
    assert.match(stdout, /^done\n3 outdated when root began it/)
    assert.deepEqual(new Set(await madeFrom()), new Set([image]))
  })

  it("is for operators alone", async () => {
    const ada = await test.token(await test.signIn("ada"))
    for (const method of ["GET", "POST", "DELETE"]) {
      const answer = await test.api(ada, method, "/roll-out", method === "POST" ? {} : undefined)
      assert.deepEqual([answer.status, answer.body.id], [403, "forbidden"], method)
    }
  })
})
