import assert from "node:assert/strict"
import { connect, createServer, type Server, type Socket } from "node:net"
import { Queue, Worker } from "bullmq"
import type { Redis } from "ioredis"
import { queueConnection } from "../../service/redis/queue-connection.ts"
import { startTestRedis, type TestRedis } from "../support/redis.ts"
import { waitUntil } from "../support/wait-until.ts"

/** The queue is told to connect once; a computer that is too busy for the first try must not cost it for ever. */
describe("the queue's connection", () => {
  let redis: TestRedis
  let way: Server
  let refused = 0
  const open = new Set<Socket>()
  before(async () => {
    redis = await startTestRedis()
    way = createServer(socket => {
      open.add(socket.on("error", () => {}))
      // The first try of each of the three connections comes to nothing.
      if (refused++ < 3) return socket.destroy()
      const onward = connect(Number(new URL(redis.url).port), "127.0.0.1").on("error", () => {})
      socket.pipe(onward).pipe(socket)
    })
    await new Promise<void>(resolve => way.listen(0, "127.0.0.1", resolve))
  })
  after(async () => {
    for (const socket of open) socket.destroy()
    way?.close()
    await redis?.close()
  })

  it("comes about by a later try, for the queue and for whoever works it off", async () => {
    const url = new URL(redis.url)
    url.port = String((way.address() as { port: number }).port)
    const [adding, working] = [queueConnection(url.href), queueConnection(url.href)] as [Redis, Redis]
    const done: string[] = []
    const queue = new Queue("of-a-test", { connection: adding })
    const worker = new Worker("of-a-test", async job => done.push(String(job.id)), { connection: working })
    queue.on("error", () => {})
    worker.on("error", () => {})
    try {
      const added = await waitUntil("something is added", () =>
        queue.add("one", {}, { jobId: "one" }).then(
          job => job.id,
          () => false,
        ),
      )
      assert.equal(added, "one")
      await waitUntil("it is worked off", async () => done.includes("one"))
      assert.ok(refused > 3)
    } finally {
      await worker.close()
      await queue.close()
      for (const connection of [adding, working]) connection.disconnect()
    }
  })
})
