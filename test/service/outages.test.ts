import assert from "node:assert/strict"
import { once } from "node:events"
import { queueConnection } from "../../service/redis/queue-connection.ts"
import { type EventReader, readEvents, statesOf, stepsOf } from "../support/event-reader.ts"
import { startTestRedis } from "../support/redis.ts"
import { startTestService, type TestService } from "../support/service.ts"
import { waitUntil } from "../support/wait-until.ts"

const WISH = { sizeClass: "small", region: "fsn1" }

describe("service: outages", () => {
  let test: TestService
  let token: string
  let count = 0
  let made: number

  before(async () => {
    test = await startTestService({ FOOZOL_OPERATIONS_PER_PROVIDER: "1" })
  })
  after(() => test?.close())
  beforeEach(async () => {
    await test.forgetLimits()
    token = await test.token(await test.signIn(`ada${count++}`))
    made = test.cloud.ledger().created.length
    test.machines.setReady(true)
  })

  async function create(): Promise<{ id: string; operation: string; reader: EventReader }> {
    const { status, body } = await test.api(token, "POST", "/workspaces", WISH)
    assert.equal(status, 202)
    const operation = body.operation.id as string
    return { id: body.workspace.id, operation, reader: await readEvents(test.url, { token, operation }) }
  }
  const begun = (reader: EventReader, step: string) =>
    waitUntil(`the step ${step}`, () => stepsOf(reader.events).includes(`${step} begun`))
  /** Waits for its end over everything that is away meanwhile. */
  const over = (operation: string) =>
    waitUntil("the operation is over", async () => {
      const { status, body } = await test.api(token, "GET", `/operations/${operation}`)
      return status === 200 && ["succeeded", "failed", "cancelled"].includes(body.state) && body
    })
  async function isWell({ id, operation }: { id: string; operation: string }): Promise<void> {
    const end = await over(operation)
    assert.equal(end.state, "succeeded", JSON.stringify(end.failure))
    assert.equal((await test.api(token, "GET", `/workspaces/${id}`)).body.state, "RUNNING")
    assert.equal(test.cloud.ledger().created.length - made, 1, "one machine was made")
    // Told again from the beginning, it has exactly one end.
    const reader = await readEvents(test.url, { token, operation })
    await reader.ended
    const ends = statesOf(reader.events).filter(state => state !== "running")
    assert.deepEqual(ends, ["succeeded"])
  }

  for (const step of ["resources", "desktop"]) {
    it(`the service is cut off at the step ${step} of a creation: the next one finishes it, with one machine`, async () => {
      if (step === "desktop") test.machines.setReady(false)
      const creation = await create()
      await begun(creation.reader, step)
      await test.restart(0)
      test.machines.setReady(true)
      await isWell(creation)
    })

    it(`Redis crashes at the step ${step} of a creation: it is finished, with one machine`, async () => {
      if (step === "desktop") test.machines.setReady(false)
      const creation = await create()
      await begun(creation.reader, step)
      await test.redis.crash()
      test.machines.setReady(true)
      await isWell(creation)
    })
  }

  it("Redis is away for a while at the end of a creation: it is finished, with one machine", async () => {
    test.machines.setReady(false)
    const creation = await create()
    await begun(creation.reader, "desktop")
    await test.redis.kill()
    test.machines.setReady(true)
    // Long enough for the look that a waiting run takes every 2 s.
    await new Promise(resolve => setTimeout(resolve, 3_000))
    await test.redis.resume()
    await isWell(creation)
  })

  it("an operation that was cancelled while it waited for a worker makes nothing", async () => {
    test.machines.setReady(false)
    const first = await create()
    await begun(first.reader, "desktop")
    const other = await test.token(await test.signIn(`eve${count}`))
    const { body } = await test.api(other, "POST", "/workspaces", WISH)
    const waiting = body.operation.id as string
    assert.equal((await test.api(other, "POST", `/operations/${waiting}/cancel`)).status, 202)
    test.machines.setReady(true)
    assert.equal((await test.finished(other, waiting)).state, "cancelled")
    await isWell(first)
  })

  it("a connection for the queue says that it ends, even while it waits for its next try", async () => {
    const redis = await startTestRedis()
    try {
      const connection = queueConnection(redis.url)
      const copy = connection.duplicate()
      copy.on("error", () => {})
      await waitUntil("both are connected", () => [connection, copy].every(one => one.status === "ready"))
      await redis.kill()
      await waitUntil("both wait for their next try", () =>
        [connection, copy].every(one => one.status === "reconnecting"),
      )
      const ends = [connection, copy].map(one => once(one, "end"))
      connection.disconnect()
      copy.disconnect()
      await Promise.all(ends)
    } finally {
      await redis.close()
    }
  })
})
