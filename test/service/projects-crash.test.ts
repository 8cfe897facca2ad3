import assert from "node:assert/strict"
import { setTimeout as sleep } from "node:timers/promises"
import { Redis } from "ioredis"
import { type FurtherProject, furtherProject, mainProject } from "../support/further-project.ts"
import { startTestWorld, type TestWorld } from "../support/service.ts"
import { type ServiceProcess, startServiceProcess } from "../support/service-process.ts"
import { share } from "../support/share.ts"
import { waitUntil } from "../support/wait-until.ts"
import { TEST_ZONE } from "../support/workspace.ts"
import { askWorkspace } from "../support/workspace-life.ts"

const NOTHING = { servers: 0, firewalls: 0, addresses: 0, snapshots: 0 }

describe("service: killed on the way from one project to the next", function () {
  this.timeout(900_000)
  let world: TestWorld
  let two: FurtherProject
  let main: Pick<FurtherProject, "has">
  let service: ServiceProcess
  let redis: Redis
  let count = 0

  before(async () => {
    world = await startTestWorld({ FOOZOL_READY_SECONDS: "60" }, { projects: ["two"] })
    main = mainProject(world)
    two = furtherProject(world, "two")
    await two.makeImages()
    service = await startServiceProcess(world.url, world.env)
    redis = new Redis(world.redis.url)
    // Firewall and addresses can be had; the machine meets the limit, so that there is something to be removed.
    await world.cloud.limit("test", "server", 0)
  })
  after(async () => {
    redis?.disconnect()
    await service?.stop()
    await world?.close()
  })
  const machineRefused = async () => (await world.cloud.requests())["POST /v1/servers"] ?? 0

  // Requests to the provider after the limit was met: before anything is removed, while it is, in the new project.
  for (const later of share([0, 6, 14, 24, 34], [6, 24])) {
    it(`${later} requests after the limit was met: it is made in the other project, and nothing is left in the first`, async () => {
      const token = await world.token(await world.signIn(`user-${count++}`))
      const refused = await machineRefused()
      const { desk, operation } = await askWorkspace(world, token)
      await waitUntil("the limit is met", async () => (await machineRefused()) > refused)
      const from = await world.cloud.requestCount()
      const isOver = async () => (await world.api(token, "GET", `/operations/${operation}`)).body.finishedAt !== null
      while ((await world.cloud.requestCount()) - from < later && !(await isOver())) await sleep(2)
      await service.kill()
      service = await startServiceProcess(world.url, world.env)
      const end = await world.finished(token, operation)
      assert.equal(end.state, "succeeded", `${JSON.stringify(end.failure)}\n${service.output().slice(-3000)}`)
      assert.deepEqual(await main.has(desk.id), NOTHING)
      assert.deepEqual(await two.has(desk.id), { ...NOTHING, servers: 1, firewalls: 1, addresses: 2 })
      const gone = await world.api(token, "DELETE", `/workspaces/${desk.id}`)
      assert.equal((await world.finished(token, gone.body.operation.id)).state, "succeeded")
      assert.deepEqual([await main.has(desk.id), await two.has(desk.id)], [NOTHING, NOTHING])
      const { rrsets } = await world.cloud.api<{ rrsets: { name: string }[] }>("GET", `/zones/${TEST_ZONE}/rrsets`)
      assert.ok(!rrsets.some(({ name }) => name === desk.id))
      // The next one begins in the main project again.
      await redis.del("fz:project-limit:main")
    })
  }
})
