import assert from "node:assert/strict"
import { setTimeout as sleep } from "node:timers/promises"
import {
  type Actor,
  ask,
  enterFor,
  holdsData,
  isAsPromised,
  OPERATORS,
  operationOf,
  prepare,
  putAway,
  type Scenario,
} from "./scenarios.ts"
import { startTestWorld, type TestWorld } from "./service.ts"
import { type ServiceProcess, startServiceProcess } from "./service-process.ts"
import { waitUntil } from "./wait-until.ts"

/** A service in a process of its own that is killed and started again. */
export async function startCrashingService(): Promise<{
  world: TestWorld
  /**
   * Kills the service in the middle of all that is asked for, when the provider has had so many requests.
   * @returns false when everything was over before
   */
  crash(scenarios: Scenario[], atRequest: number): Promise<boolean>
  close(): Promise<void>
}> {
  const world = await startTestWorld({
    ...{ FOOZOL_READY_SECONDS: "60", FOOZOL_FINAL_SNAPSHOT_DAYS: "30", FOOZOL_OPERATIONS_PER_PROVIDER: "10" },
    FOOZOL_OPERATORS: OPERATORS,
  })
  let service: ServiceProcess = await startServiceProcess(world.url, world.env)
  let count = 0
  const isOver = async (one: Actor) => (await operationOf(world, one))?.finishedAt !== null

  async function endsWell(one: Actor, atRequest: number): Promise<void> {
    const what = `${one.scenario.name} at request ${atRequest}`
    const log = () => service.output().split("\n").slice(-40).join("\n")
    const end = await waitUntil(
      "the operation is over",
      async () => {
        await holdsData(one)
        const operation = await operationOf(world, one)
        return operation?.finishedAt ? operation : null
      },
      300_000,
    ).catch(error => {
      throw new Error(`${what}: ${(error as Error).message}\n${log()}`)
    })
    assert.equal(end.state, "succeeded", `${what}: ${JSON.stringify(end.failure)}`)
    await isAsPromised(world, one)
  }

  async function crash(scenarios: Scenario[], atRequest: number): Promise<boolean> {
    const somebody = (one: Scenario) => enterFor(world, `user-${count++}`, one)
    const all = await Promise.all(scenarios.map(async one => prepare(world, await somebody(one), one)))
    if (scenarios.some(one => one.newImage)) {
      await service.stop()
      world.env.FOOZOL_IMAGE_BROWSER = String(await world.cloud.addImage())
      service = await startServiceProcess(world.url, world.env)
    }
    const from = await world.cloud.requestCount()
    await Promise.all(all.map(one => ask(world, one)))
    let wasOver = false
    while ((await world.cloud.requestCount()) - from < atRequest) {
      wasOver = (await Promise.all(all.map(isOver))).every(over => over)
      if (wasOver) break
      await sleep(2)
    }
    await service.kill()
    for (const one of all) await holdsData(one)
    service = await startServiceProcess(world.url, world.env)
    await Promise.all(all.map(one => endsWell(one, atRequest)))
    const { volumes } = await world.cloud.api<{ volumes: unknown[] }>("GET", "/volumes")
    assert.deepEqual(volumes, [], `killed at request ${atRequest}: volumes are left over`)
    await Promise.all(all.map(one => putAway(world, one)))
    return !wasOver
  }

  return {
    world,
    crash,
    async close() {
      await service.stop()
      await world.close()
    },
  }
}
