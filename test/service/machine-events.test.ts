import assert from "node:assert/strict"
import { once } from "node:events"
import { type ClientRequest, type IncomingMessage, request } from "node:http"
import { workspaceKey } from "../../service/machines/workspace-key.ts"
import { startTestService, type TestService } from "../support/service.ts"
import { waitUntil } from "../support/wait-until.ts"
import { newWorkspace } from "../support/workspace-life.ts"

/** Whoever has a machine has its key: what they open and do not read must cost the service little. */
describe("service: streams of what machines are told", () => {
  let test: TestService
  let id: string
  const open: ClientRequest[] = []

  before(async () => {
    test = await startTestService()
    id = (await newWorkspace(test, await test.token(await test.signIn("ada")))).id
    // Its own machine listens too, and would come again.
    test.machines.close()
  })
  after(async () => {
    for (const call of open) call.destroy()
    await test?.close()
  })

  async function listen() {
    const authorization = `Bearer ${workspaceKey(test.service.services.keys, id)}`
    const call = request(`${test.url}/machine/events`, { headers: { authorization }, agent: false }).end()
    call.on("error", () => {})
    open.push(call)
    const [answer] = (await once(call, "response")) as [IncomingMessage]
    const stream = { answer, isOver: false }
    answer.on("error", () => {}).once("close", () => (stream.isOver = true))
    return stream
  }

  it("are three of a workspace at most: a newer one ends the oldest", async () => {
    const streams: Awaited<ReturnType<typeof listen>>[] = []
    for (let count = 0; count < 6; count++) {
      const stream = await listen()
      stream.answer.resume()
      streams.push(stream)
    }
    await waitUntil("the oldest have ended", () => streams.slice(0, 3).every(one => one.isOver))
    assert.deepEqual(
      streams.slice(3).map(one => one.isOver),
      [false, false, false],
    )
  })

  it("end when they are not read", async () => {
    const stream = await listen()
    stream.answer.pause()
    const { channel } = test.service.services
    const reason = "x".repeat(256 * 1024)
    for (let order = 0; order < 100; order++)
      await channel.order(id, { type: "stopping", data: { reason, at: null, inMs: 1_000 } })
    stream.answer.resume()
    let came = 0
    stream.answer.on("data", part => (came += part.length))
    await waitUntil("it has ended", () => stream.isOver)
    assert.ok(came < 90 * reason.length, `${came} bytes came`)
  })
})
