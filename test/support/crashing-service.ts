import assert from "node:assert/strict"
import { setTimeout as sleep } from "node:timers/promises"
import { startTestWorld, type TestWorld } from "./service.ts"
import { type ServiceProcess, startServiceProcess } from "./service-process.ts"
import { waitUntil } from "./wait-until.ts"
import { newWorkspace, type WorkspaceLife } from "./workspace-life.ts"

/** What a workspace is brought to, and what is then asked for; crashes come in the middle of the latter. */
export interface Scenario {
  name: string
  before?: (desk: WorkspaceLife) => Promise<unknown>
  /** There is a newer image then. */
  newImage?: boolean
  /** Path below the workspace, with its body; `DELETE` for the workspace itself. */
  asks: (desk: WorkspaceLife) => Promise<{ path: string; body?: unknown } | "DELETE">
  /** State it ends in, and the kinds of snapshots that remain. */
  ends: { state: string; snapshots: string[] }
}

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
  })
  let service: ServiceProcess = await startServiceProcess(world.url, world.env)
  let count = 0
  const requests = async () => Object.values(await world.cloud.requests()).reduce((sum, one) => sum + one, 0)

  /** Somebody's workspace, brought to where the scenario begins. */
  async function prepare(scenario: Scenario) {
    const token = await world.token(await world.signIn(`user-${count++}`))
    const desk = await newWorkspace(world, token)
    world.machines.write(desk.id, `precious of ${desk.id}`)
    await scenario.before?.(desk)
    return { scenario, token, desk, operation: "" }
  }
  type Prepared = Awaited<ReturnType<typeof prepare>>

  async function ask(one: Prepared): Promise<void> {
    const { scenario, desk, token } = one
    const wish = await scenario.asks(desk)
    const answer =
      wish === "DELETE"
        ? await world.api(token, "DELETE", `/workspaces/${desk.id}`)
        : await world.api(token, "POST", `/workspaces/${desk.id}/${wish.path}`, wish.body)
    assert.equal(answer.status, 202, JSON.stringify(answer.body))
    one.operation = answer.body.operation.id
  }

  async function isOver({ token, operation }: Prepared): Promise<boolean> {
    return (await world.api(token, "GET", `/operations/${operation}`)).body.finishedAt !== null
  }

  async function endsWell({ scenario, desk, token, operation }: Prepared, atRequest: number): Promise<void> {
    const log = () => service.output().split("\n").slice(-40).join("\n")
    const end = await waitUntil(
      "the operation is over",
      async () => {
        await holdsData(desk, scenario)
        const { status, body } = await world.api(token, "GET", `/operations/${operation}`)
        return status === 200 && body.finishedAt !== null && body
      },
      300_000,
    ).catch(error => {
      throw new Error(`${scenario.name} at request ${atRequest}: ${(error as Error).message}\n${log()}`)
    })
    assert.equal(end.state, "succeeded", `${scenario.name} at request ${atRequest}: ${JSON.stringify(end.failure)}`)
    await isAsPromised(desk, scenario)
    const content = await contentOf(token, desk, scenario)
    assert.equal(content, `precious of ${desk.id}`, `${scenario.name} at request ${atRequest}`)
  }

  /** What is on its disk: one that has no machine at its end gets one again for that. */
  async function contentOf(token: string, desk: WorkspaceLife, { ends, name }: Scenario): Promise<string | null> {
    if (ends.state === "STOPPED") assert.equal((await desk.does("start")).state, "succeeded", name)
    if (ends.state !== "TERMINATED") return world.machines.read(desk.id)
    const [last] = await desk.snapshots()
    const anew = await newWorkspace(world, token, { from: String(last?.id) })
    const copied = world.machines.read(anew.id)
    const gone = await world.api(token, "DELETE", `/workspaces/${anew.id}`)
    await world.finished(token, gone.body.operation.id)
    for (const { id } of await anew.snapshots()) await world.cloud.api("DELETE", `/images/${id}`)
    return copied
  }

  async function putAway({ scenario, desk, token }: Prepared): Promise<void> {
    if (scenario.ends.state !== "TERMINATED") {
      const gone = await world.api(token, "DELETE", `/workspaces/${desk.id}`)
      await world.finished(token, gone.body.operation.id)
    }
    for (const { id } of await desk.snapshots()) await world.cloud.api("DELETE", `/images/${id}`)
  }

  async function crash(scenarios: Scenario[], atRequest: number): Promise<boolean> {
    const all = await Promise.all(scenarios.map(prepare))
    if (scenarios.some(one => one.newImage)) {
      await service.stop()
      world.env.FOOZOL_IMAGE_BROWSER = String(await world.cloud.addImage())
      service = await startServiceProcess(world.url, world.env)
    }
    const from = await requests()
    await Promise.all(all.map(ask))
    let wasOver = false
    while ((await requests()) - from < atRequest) {
      wasOver = (await Promise.all(all.map(isOver))).every(over => over)
      if (wasOver) break
      await sleep(2)
    }
    await service.kill()
    for (const { desk, scenario } of all) await holdsData(desk, scenario)
    service = await startServiceProcess(world.url, world.env)
    await Promise.all(all.map(one => endsWell(one, atRequest)))
    const { volumes } = await world.cloud.api<{ volumes: unknown[] }>("GET", "/volumes")
    assert.deepEqual(volumes, [], `killed at request ${atRequest}: volumes are left over`)
    await Promise.all(all.map(putAway))
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

/** Whatever happened: there is a machine, or a snapshot that it can be made from again. */
async function holdsData(desk: WorkspaceLife, { ends, name }: Scenario): Promise<void> {
  if (ends.state === "TERMINATED") return
  // Machine first: one that is made while this looks has its snapshot still.
  const machines = await desk.machines()
  const snapshots = await desk.snapshots()
  const again = machines.length === 0 && snapshots.length === 0 ? await desk.machines() : machines
  assert.ok(again.length + snapshots.length > 0, `${name}: neither a machine nor a snapshot is left`)
}

async function isAsPromised(desk: WorkspaceLife, { ends, name }: Scenario): Promise<void> {
  const machines = await desk.machines()
  const kinds = (await desk.snapshots()).map(({ kind }) => kind).sort()
  assert.deepEqual(kinds, ends.snapshots, `${name}: snapshots`)
  if (ends.state === "TERMINATED") return assert.deepEqual(machines, [])
  const { state, asleep } = await desk.shown()
  assert.equal(state, ends.state, name)
  assert.equal(machines.length, asleep ? 0 : 1, `${name}: machines`)
  if (state === "RUNNING") assert.equal(machines[0]?.status, "running")
}

/** What is worth a crash in its middle. */
export const SCENARIOS: Scenario[] = [
  {
    name: "hibernation",
    asks: async () => ({ path: "stop?mode=hibernate" }),
    ends: { state: "STOPPED", snapshots: ["sleep"] },
  },
  {
    name: "waking",
    before: desk => desk.does("stop?mode=hibernate"),
    asks: async () => ({ path: "start" }),
    ends: { state: "RUNNING", snapshots: [] },
  },
  {
    name: "restore",
    before: desk => desk.does("backups", {}),
    asks: async desk => ({ path: "restore", body: { backup: (await desk.backups())[0].id } }),
    ends: { state: "RUNNING", snapshots: ["backup", "safety"] },
  },
  {
    name: "resize",
    asks: async () => ({ path: "resize", body: { sizeClass: "medium" } }),
    ends: { state: "RUNNING", snapshots: [] },
  },
  {
    name: "move",
    asks: async () => ({ path: "move", body: { region: "nbg1" } }),
    ends: { state: "RUNNING", snapshots: [] },
  },
  {
    name: "upgrade",
    newImage: true,
    asks: async () => ({ path: "upgrade" }),
    ends: { state: "RUNNING", snapshots: ["safety"] },
  },
  {
    name: "deletion",
    asks: async () => "DELETE",
    ends: { state: "TERMINATED", snapshots: ["final"] },
  },
]
