import assert from "node:assert/strict"
import { freePort } from "../../cli/redis-process.ts"
import { startCollector } from "../support/otlp-collector.ts"
import { cookieOf, startTestWorld, type TestWorld } from "../support/service.ts"
import { type ServiceProcess, startServiceProcess } from "../support/service-process.ts"
import { waitUntil } from "../support/wait-until.ts"
import { newWorkspace } from "../support/workspace-life.ts"

describe("service: roles in processes of their own", () => {
  let world: TestWorld
  let web: ServiceProcess
  let worker: ServiceProcess
  let measured: string
  let collector: Awaited<ReturnType<typeof startCollector>>

  before(async () => {
    collector = await startCollector()
    const traced = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: "200" }
    world = await startTestWorld(traced)
    measured = `127.0.0.1:${await freePort(0)}`
    web = await startServiceProcess(world.url, { ...world.env, FOOZOL_ROLES: "web" })
    const env = { ...world.env, FOOZOL_ROLES: "worker", FOOZOL_METRICS_LISTEN: measured }
    worker = await startServiceProcess(`http://${measured}`, env)
  })
  after(async () => {
    await worker?.stop()
    await web?.stop()
    await world?.close()
    await collector?.close()
  })
  const get = async (url: string) => {
    const answer = await fetch(url)
    return { status: answer.status, text: await answer.text() }
  }

  it("one answers, the other makes machines", async () => {
    const desk = await newWorkspace(world, await world.token(await world.signIn("ada")))
    assert.equal((await desk.machines()).length, 1)
    const lines = web.output().trim().split("\n").concat(worker.output().trim().split("\n"))
    for (const line of lines) assert.equal(typeof JSON.parse(line).msg, "string", line)
  })

  it("a worker tells of itself at the port of its metrics, which is not the public one", async () => {
    assert.deepEqual(await get(`http://${measured}/healthz`), { status: 200, text: "ok\n" })
    assert.deepEqual(await get(`http://${measured}/readyz`), { status: 200, text: "ready\n" })
    const { text } = await get(`http://${measured}/metrics`)
    assert.match(text, /^foozol_workspaces\{state="RUNNING"\} 1$/m)
    // The queue knows a moment later than the workspace that it is over.
    const isAtRest = async () =>
      /^foozol_operations\{state="active"\} 0$/m.test((await get(`http://${measured}/metrics`)).text)
    await waitUntil("nothing is under way", isAtRest)
    assert.match(text, /^process_resident_memory_bytes \d+/m)
    assert.equal((await get(`http://${measured}/`)).status, 404)
    assert.equal((await get(`${world.url}/metrics`)).status, 404)
  })

  it("asked to end, it brings what it is doing to its end first", async () => {
    const bob = await world.signIn("bob")
    const token = await world.token(bob)
    const { body } = await world.api(token, "POST", "/workspaces", { sizeClass: "small", region: "fsn1" })
    const operation = body.operation.id as string
    // What it may take to its end is counted in seconds: its engine's part is over then.
    await waitUntil("its machine boots", async () => {
      const { state, spans } = (await world.api(token, "GET", `/operations/${operation}`)).body
      return state === "succeeded" || spans.some((one: { of: string | null }) => one.of === "resources")
    })
    assert.equal(await worker.stop(), 0)
    const over = (await world.api(token, "GET", `/operations/${operation}`)).body
    assert.equal(over.state, "succeeded")

    // The way to the machine, of which the process with the pages tells: in the same trace.
    const way = new URLSearchParams({ workspace: body.workspace.id, after: operation, waited: "1" })
    const headers = { cookie: cookieOf(bob), "sec-fetch-site": "same-origin" }
    await fetch(`${world.url}/connect?${way}`, { headers, redirect: "manual" })
    assert.equal(await web.stop(), 0)
    const senders = (name: string) =>
      collector.spans
        .filter(one => one.name === name && one.traceId === over.trace)
        .map(one => one.resource["service.instance.id"])
    const both = () => senders("step boot").length > 0 && senders("redirect").length > 0
    await waitUntil("both have told", both)
    const [[boot], [redirect]] = [senders("step boot"), senders("redirect")]
    assert.ok(boot && redirect && boot !== redirect, `${boot} and ${redirect}`)
    assert.deepEqual(collector.invalid, [])
  })
})
