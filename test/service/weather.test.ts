import assert from "node:assert/strict"
import { startTestService, type TestService } from "../support/service.ts"
import { waitUntil } from "../support/wait-until.ts"
import { newWorkspace } from "../support/workspace-life.ts"

describe("service: what the provider is like", () => {
  let test: TestService
  let ahead: number
  before(async () => {
    ahead = 0
    test = await startTestService(
      { FOOZOL_OPERATORS: "Root", FOOZOL_PROVIDER_PATIENCE_SECONDS: "60" },
      { ahead: () => ahead },
    )
  })
  after(() => test?.close())
  const weather = () => test.service.services.weather.now()
  const storm = async () => {
    for (let i = 0; i < 1_000; i++) test.service.services.weather.hear({ isFault: true, budget: null })
    await waitUntil("the storm was heard", async () => (await weather()).isStormy)
  }
  const faults = async () => (await test.service.services.weather.facts()).faults

  it("is known from answers: how many requests are left, and what failed", async () => {
    const token = await test.token(await test.signIn("ada"))
    await newWorkspace(test, token)
    const { budget } = await waitUntil("something was heard", async () => {
      const facts = await test.service.services.weather.facts()
      return facts.budget && facts.answers > 0 && facts
    })
    assert.equal(budget?.limit, 1_000_000)
    assert.equal(await faults(), 0)
    assert.equal((await weather()).isStormy, false)
    await test.cloud.addFault({ match: { method: "GET" }, fault: { kind: "status", status: 503 } })
    await assert.rejects(test.service.services.machines.sizes(), { id: "provider-failed" })
    const heard = await waitUntil("the faults were heard", async () => (await faults()) > 0 && faults())
    assert.ok(heard >= 4)
    await test.cloud.clearFaults()
  })

  it("while it is stormy a roll-out begins nothing, and goes on when it is calm", async () => {
    const operator = await test.token(await test.signIn("root"), "operate")
    const image = await test.cloud.addImage()
    test.env.FOOZOL_IMAGE_BROWSER = String(image)
    await test.restart()
    await storm()
    assert.equal((await test.api(operator, "POST", "/roll-out", { inUse: true })).status, 202)
    // No condition tells that nothing happens; two looks of the worker would have begun a wave.
    const from = Date.now()
    await waitUntil("two looks", () => Date.now() - from > 11_000)
    assert.deepEqual((await test.api(operator, "GET", "/roll-out")).body.waves, [])
    assert.match(test.logged(), /backups, trials, roll-outs and sweeps wait/)
    // A minute later nothing of it counts.
    ahead += 70_000
    await waitUntil("a wave has begun", async () => {
      const { body } = await test.api(operator, "GET", "/roll-out")
      return body.waves.length > 0
    })
    assert.match(test.logged(), /the provider is well again/)
  })

  it("while it is stormy, operations that met a fault try one after the other, and end well", async () => {
    const { weathers } = test.service.services
    const { names } = weathers
    const mayTry = () => weathers.mayTry(names[0] as string)
    assert.deepEqual([await mayTry(), await mayTry()], [true, true], "when it is calm, all of them")
    await storm()
    assert.deepEqual((await Promise.all([mayTry(), mayTry()])).sort(), [false, true])
    await test.cloud.addFault({
      match: { method: "POST", path: "^/v1/servers$" },
      times: 2,
      fault: { kind: "status", status: 503 },
    })
    const desk = await newWorkspace(test, await test.token(await test.signIn("grace")))
    assert.equal((await desk.machines()).length, 1)
    assert.match(test.logged(), /the provider failed; it is tried again/)
    await test.cloud.clearFaults()
  })
})
