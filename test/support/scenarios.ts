import assert from "node:assert/strict"
import { byHand } from "./by-hand.ts"
import type { TestWorld } from "./service.ts"
import { askWorkspace, newWorkspace, type WorkspaceLife } from "./workspace-life.ts"

/** What a workspace is brought to, and what is then asked for; what goes wrong does so in the middle of the latter. */
export interface Scenario {
  name: string
  before?: (desk: WorkspaceLife, world: TestWorld) => Promise<unknown>
  /** There is a newer image then. */
  newImage?: boolean
  /** Path below the workspace, with its body; `CREATE` and `DELETE` for the workspace itself. */
  asks: "CREATE" | "DELETE" | ((desk: WorkspaceLife) => Promise<{ path: string; body?: unknown }>)
  /** Does an operator ask for it? */
  byOperator?: true
  /** What else must be so at its end. */
  holds?: (desk: WorkspaceLife, world: TestWorld) => Promise<unknown>
  /** State it ends in, and the kinds of snapshots that remain. */
  ends: { state: string; snapshots: string[] }
}

/** Somebody with a workspace that is where a scenario begins. */
export interface Actor {
  scenario: Scenario
  token: string
  /** Null where creating it is the scenario, until that is asked for. */
  desk: WorkspaceLife | null
  /** Id of what was asked for. */
  operation: string
}

/** For FOOZOL_OPERATORS: whoever acts in a test by the name of `user-N` may ask for what operators ask for. */
export const OPERATORS = Array.from({ length: 1_000 }, (_, number) => `user-${number}`).join(", ")

/** Signs somebody in who can ask for what a scenario asks for. @returns a token */
export const enterFor = async (world: TestWorld, login: string, { byOperator }: Scenario): Promise<string> =>
  world.token(await world.signIn(login), byOperator ? "operate" : "write")

/** @param token of whoever it is that acts */
export async function prepare(world: TestWorld, token: string, scenario: Scenario): Promise<Actor> {
  if (scenario.asks === "CREATE") return { scenario, token, desk: null, operation: "" }
  const desk = await newWorkspace(world, token)
  world.machines.write(desk.id, preciousOf(desk))
  await scenario.before?.(desk, world)
  return { scenario, token, desk, operation: "" }
}

export async function ask(world: TestWorld, actor: Actor): Promise<void> {
  const { scenario, token } = actor
  if (scenario.asks === "CREATE") return void Object.assign(actor, await askWorkspace(world, token))
  const desk = deskOf(actor)
  const wish = scenario.asks === "DELETE" ? null : await scenario.asks(desk)
  const answer = wish
    ? await world.api(token, "POST", `/workspaces/${desk.id}/${wish.path}`, wish.body)
    : await world.api(token, "DELETE", `/workspaces/${desk.id}`)
  assert.equal(answer.status, 202, JSON.stringify(answer.body))
  actor.operation = answer.body.operation.id
}

/** The operation that was asked for; null while the service does not answer. */
export async function operationOf(
  world: TestWorld,
  { token, operation }: Actor,
): Promise<{ state: string; failure: unknown; finishedAt: string | null } | null> {
  const { status, body } = await world.api(token, "GET", `/operations/${operation}`)
  return status === 200 ? body : null
}

/** Whatever happened: there is a machine, or a snapshot that it can be made from again. */
export async function holdsData(actor: Actor): Promise<void> {
  const { ends, name, asks } = actor.scenario
  if (ends.state === "TERMINATED" || asks === "CREATE") return
  const desk = deskOf(actor)
  // Machine first: one that is made while this looks has its snapshot still.
  const machines = await desk.machines()
  const snapshots = await desk.snapshots()
  const again = machines.length === 0 && snapshots.length === 0 ? await desk.machines() : machines
  assert.ok(again.length + snapshots.length > 0, `${name}: neither a machine nor a snapshot is left`)
}

/**
 * It is at the scenario's end, with what belongs there, nothing beside it, and what its user has written.
 * @param again it was asked for more than once, and may have kept a snapshot for safety each time
 */
export async function isAsPromised(world: TestWorld, actor: Actor, again = false): Promise<void> {
  const { ends, name, asks } = actor.scenario
  const desk = deskOf(actor)
  const machines = await desk.machines()
  const kinds = (await desk.snapshots()).map(({ kind }) => kind).sort()
  const kept = again ? kinds.filter((kind, at) => kind !== "safety" && kinds.indexOf(kind) === at) : kinds
  const belongs = again ? ends.snapshots.filter(kind => kind !== "safety") : ends.snapshots
  assert.deepEqual(kept, belongs, `${name}: snapshots`)
  if (ends.state === "TERMINATED") assert.deepEqual(machines, [], `${name}: machines`)
  else {
    const { state, asleep } = await desk.shown()
    assert.equal(state, ends.state, name)
    assert.equal(machines.length, asleep ? 0 : 1, `${name}: machines`)
    if (state === "RUNNING") assert.equal(machines[0]?.status, "running", name)
  }
  await actor.scenario.holds?.(desk, world)
  if (asks !== "CREATE")
    assert.equal(await contentOf(world, actor), preciousOf(desk), `${name}: what its user has written`)
}

/** What is on its disk: one that has no machine at its end gets one again for that. */
async function contentOf(world: TestWorld, actor: Actor): Promise<string | null> {
  const { scenario, token } = actor
  const desk = deskOf(actor)
  if (scenario.ends.state === "STOPPED") assert.equal((await desk.does("start")).state, "succeeded", scenario.name)
  if (scenario.ends.state !== "TERMINATED") return world.machines.read(desk.id)
  const [last] = await desk.snapshots()
  const anew = await newWorkspace(world, token, { from: String(last?.id) })
  const copied = world.machines.read(anew.id)
  await remove(world, token, anew)
  return copied
}

/** Ends it with all it has left. */
export async function putAway(world: TestWorld, actor: Actor): Promise<void> {
  const desk = deskOf(actor)
  if (actor.scenario.ends.state !== "TERMINATED") return remove(world, actor.token, desk)
  await removeSnapshots(world, desk)
}

async function remove(world: TestWorld, token: string, desk: WorkspaceLife): Promise<void> {
  const gone = await world.api(token, "DELETE", `/workspaces/${desk.id}`)
  assert.equal((await world.finished(token, gone.body.operation.id)).state, "succeeded")
  await removeSnapshots(world, desk)
}

async function removeSnapshots(world: TestWorld, desk: WorkspaceLife): Promise<void> {
  for (const { id } of await desk.snapshots()) await world.cloud.api("DELETE", `/images/${id}`)
}

export function deskOf({ desk, scenario }: Actor): WorkspaceLife {
  if (!desk) throw new Error(`Nothing was asked for yet: ${scenario.name}.`)
  return desk
}

/** What its user writes on a workspace's disk before anything is asked for. */
export const preciousOf = ({ id }: WorkspaceLife) => `precious of ${id}`

export const CREATION: Scenario = {
  name: "creation",
  asks: "CREATE",
  ends: { state: "RUNNING", snapshots: [] },
}

/** What changes the machine of a workspace that is there. */
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
    asks: "DELETE",
    ends: { state: "TERMINATED", snapshots: ["final"] },
  },
]

/** What somebody has done by hand is changed back, by an operator, under its user's work. */
export const REPAIR: Scenario = {
  name: "repair",
  byOperator: true,
  async before(desk, world) {
    const hand = byHand(world.cloud, desk.id)
    await Promise.all([hand.addRule("22"), hand.point("A", "203.0.113.7"), hand.removeRecord("AAAA")])
    await hand.protect(false)
    await hand.powerOff()
  },
  asks: async () => ({ path: "repair" }),
  ends: { state: "RUNNING", snapshots: [] },
  async holds(desk, world) {
    const hand = byHand(world.cloud, desk.id)
    assert.deepEqual(await hand.rules(), ["443"], "repair: rules")
    const { ipv4, ipv6 } = await hand.addresses()
    assert.deepEqual(await hand.pointsTo("A"), [ipv4], "repair: its name")
    assert.deepEqual(await hand.pointsTo("AAAA"), [ipv6?.replace(/::\/64$|::$/, "::1")], "repair: its name")
    assert.equal((await hand.machine()).protection.delete, true, "repair: protection")
  },
}
