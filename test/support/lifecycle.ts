import assert from "node:assert/strict"
import { readdir } from "node:fs/promises"
import { join } from "node:path"
import { openMachines } from "../../infra/cloud-config.ts"
import { createEnginePool } from "../../infra/engine-pool.ts"
import { RunEnded } from "../../service/operations/lease.ts"
import { KEY } from "../../service/workspaces/store.ts"
import { leftOver, RESOURCES } from "../chaos/left-over.ts"
import { engineKind, engineProcesses } from "./engine-processes.ts"
import {
  type Actor,
  ask,
  CREATION,
  deskOf,
  enterFor,
  holdsData,
  isAsPromised,
  OPERATORS,
  prepare,
  putAway,
  REPAIR,
  SCENARIOS,
  type Scenario,
} from "./scenarios.ts"
import { startTestService } from "./service.ts"
import { waitUntil } from "./wait-until.ts"
import { testEngineConfig } from "./workspace.ts"

/** Every kind of operation: those that replace machines, and those that do with the one there is. */
export const LIFECYCLE: Scenario[] = [
  CREATION,
  ...SCENARIOS,
  REPAIR,
  { name: "stop", asks: async () => ({ path: "stop" }), ends: { state: "STOPPED", snapshots: [] } },
  {
    name: "start",
    before: desk => desk.does("stop"),
    asks: async () => ({ path: "start" }),
    ends: { state: "RUNNING", snapshots: [] },
  },
  {
    name: "backup",
    asks: async () => ({ path: "backups", body: {} }),
    ends: { state: "RUNNING", snapshots: ["backup"] },
  },
]

/** What only looks. */
const LOOKS = /^(list|get|resources|heldResources|sizes|sidePrices|check)/
const RUNS = ["apply", "repair", "destroy"]

/** How often somebody tries again what failed for a reason that is gone. */
const TRIES = 3

type Lifecycle = Awaited<ReturnType<typeof startLifecycle>>

/** Starts it before the tests of a suite, ends it after them, and begins anew after one that failed: what that has left must not be taken for the next one's. */
export function useLifecycle(): () => Lifecycle {
  let now: Lifecycle
  before(async () => {
    now = await startLifecycle()
  })
  after(() => now?.close())
  afterEach(async function () {
    if (this.currentTest?.state !== "failed") return
    await now.close()
    now = await startLifecycle()
  })
  return () => now
}

/** A service whose operations fail, or are lost, at the step that is wished for. */
async function startLifecycle() {
  let steps = 0
  let cutAfter: number | null = null
  /** The worker loses its claim when a step is done: the operation is run again from its beginning. */
  async function step<T>(work: Promise<T>): Promise<T> {
    const result = await work
    if (steps++ !== cutAfter) return result
    throw new RunEnded("lost")
  }
  const test = await startTestService(
    { FOOZOL_READY_SECONDS: "60", FOOZOL_FINAL_SNAPSHOT_DAYS: "30", FOOZOL_OPERATORS: OPERATORS },
    {
      parts: world => {
        const machines = openMachines(testEngineConfig(world.directory, world.cloud))
        const pool = createEnginePool({ size: 1 })
        return {
          machines: new Proxy(machines, {
            get(inner, name: keyof typeof machines) {
              const method = inner[name] as (...given: unknown[]) => Promise<unknown>
              return LOOKS.test(name) ? method : (...given: unknown[]) => step(method(...given))
            },
          }),
          pool: {
            ...pool,
            run: <T>(...given: Parameters<typeof pool.run>) =>
              RUNS.includes(given[1].action) ? step(pool.run<T>(...given)) : pool.run<T>(...given),
          },
        }
      },
    },
  )
  let people = 0

  async function begin(scenario: Scenario): Promise<Actor> {
    await test.forgetLimits()
    const actor = await prepare(test, await enterFor(test, `user-${people++}`, scenario), scenario)
    if (scenario.newImage) {
      test.env.FOOZOL_IMAGE_BROWSER = String(await test.cloud.addImage())
      await test.restart()
    }
    return actor
  }
  const end = (actor: Actor) => test.finished(actor.token, actor.operation)

  /**
   * The request of this number to the provider is refused for good, everything before and after goes well.
   * @returns false: the operation made fewer
   */
  async function failsAt(scenario: Scenario, request: number): Promise<boolean> {
    const actor = await begin(scenario)
    const refused = { kind: "status", status: 403, code: "forbidden", message: "refused on purpose" } as const
    await test.cloud.addFault({ after: request, times: 1, fault: refused })
    await ask(test, actor).catch(async error => {
      // Refused before anything began, and said so: it is asked for again.
      assert.match((error as Error).message, /provider-unauthorized/)
      await ask(test, actor)
    })
    const first = await end(actor)
    const struck = (await test.cloud.faults()).some(one => one.struck > 0)
    await test.cloud.clearFaults()
    const what = `${scenario.name}, refused at request ${request}`
    await holdsData(actor)
    let now = first
    for (let tries = 0; now.state !== "succeeded"; tries++) {
      const { id, message } = now.failure ?? { id: "", message: "" }
      assert.notEqual(id, "internal", `${what}: ${detailOf(actor)}`)
      assert.ok(message.length > 20, `${what}: what is to be done is not said: ${message}`)
      assert.ok(tries < TRIES, `${what}: ${id} again and again: ${message}\n${detailOf(actor)}`)
      const { state } = await deskOf(actor).shown()
      assert.ok(["FAILED", "RUNNING", "STOPPED"].includes(state), `${what}: it is left ${state}`)
      const again = await test.api(actor.token, "POST", `/operations/${actor.operation}/retry`)
      if (again.status === 202) actor.operation = again.body.operation.id
      else {
        assert.notEqual(state, "FAILED", `${what}: failed, and cannot be tried again: ${JSON.stringify(again.body)}`)
        await ask(test, actor)
      }
      now = await end(actor)
    }
    await isAsPromised(test, actor, first.state !== "succeeded")
    await cleanSlate(actor, what)
    return struck
  }

  /** The worker loses its claim after the step of this number. @returns false: the operation has fewer */
  async function runsAgainAfter(scenario: Scenario, number: number): Promise<boolean> {
    const actor = await begin(scenario)
    steps = 0
    cutAfter = number
    await ask(test, actor)
    const { state, failure } = await end(actor)
    const wasCut = steps > number
    cutAfter = null
    const what = `${scenario.name}, run again after step ${number}`
    assert.equal(state, "succeeded", `${what}: ${JSON.stringify(failure)} ${detailOf(actor)}`)
    await holdsData(actor)
    await isAsPromised(test, actor)
    await cleanSlate(actor, what)
    return wasCut
  }

  /** Deletes it, and looks everywhere for what it may have left. */
  async function cleanSlate(actor: Actor, what: string): Promise<void> {
    const { redis, pool } = test.service.services
    const { id } = deskOf(actor)
    await putAway(test, actor)
    const left = await leftOver(test.cloud, [...RESOURCES, "images?type=snapshot"])
    assert.deepEqual([...left], [], `${what}: at the provider`)
    const config = testEngineConfig(test.directory, test.cloud)
    assert.deepEqual(await pool.run(config, { action: "names" }), [], `${what}: stacks`)
    const files = await readdir(join(test.directory, "state"), { recursive: true })
    // What the engine keeps of stacks that are gone: states and what was done, folders of locks.
    const engines = ["backups", "history"].map(name => join(".pulumi", name))
    const kept = files.filter(name => name.includes(id) && !engines.some(folder => name.startsWith(folder)))
    assert.deepEqual(
      kept.filter(name => !/\.json\.(bak|attrs)/.test(name) && !name.endsWith(id)),
      [],
      `${what}: files`,
    )
    assert.equal((await redis.smembers(KEY.workspaces)).includes(id), false, `${what}: the list of workspaces`)
    assert.deepEqual(await redis.zrange(KEY.toDo, "0", "-1"), [], `${what}: what is to be done`)
    await waitUntil(
      "nothing is held or kept for ever",
      async () => {
        const keys = (await Promise.all([id, actor.operation].map(one => redis.keys(`*${one}*`)))).flat()
        const ends = await Promise.all(keys.map(async key => [key, await redis.ttl(key)] as const))
        const forEver = ends.filter(([, seconds]) => seconds === -1).map(([key]) => key)
        if (forEver.length > 0) throw new Error(`${what}: kept for ever: ${forEver.join(", ")}`)
        return true
      },
      120_000,
    ).catch(error => assert.fail((error as Error & { cause?: Error }).cause ?? error))
    await waitUntil(
      `${what}: no engine is left`,
      () => engineProcesses(test.directory).every(pid => engineKind(pid) === "engine child"),
      120_000,
    )
  }

  /** What the operator's log says of an operation. */
  const detailOf = ({ operation }: Actor) =>
    test
      .logged()
      .split("\n")
      .filter(line => line.includes(operation) && /"level":[45]0/.test(line))
      .slice(-3)
      .join("\n")

  return { failsAt, runsAgainAfter, close: () => test.close() }
}
