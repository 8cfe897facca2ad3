import assert from "node:assert/strict"
import { randomUUID } from "node:crypto"
import fc from "fast-check"
import { Redis } from "ioredis"
import { ServiceError } from "../../../service/errors.ts"
import { claim } from "../../../service/operations/lease.ts"
import type { OperationInfo } from "../../../service/operations/operation.ts"
import { loadScript } from "../../../service/redis/scripts.ts"
import { createWorkspaceStore, KEY, type WorkspaceStore } from "../../../service/workspaces/store.ts"
import {
  admits,
  isLegal,
  isMoving,
  KINDS,
  type Kind,
  SHIFTS,
  STATES,
  type State,
  TRANSITIONS,
} from "../../../service/workspaces/transitions.ts"
import type { WorkspaceInfo } from "../../../service/workspaces/workspace.ts"
import { startTestRedis, type TestRedis } from "../../support/redis.ts"

describe("the table of transitions", () => {
  it("reaches every state, and leaves every state but TERMINATED", () => {
    const reached = new Set<State | null>(
      Object.values(TRANSITIONS).flatMap(move => [move.during, move.done, move.failed]),
    )
    for (const { to } of Object.values(SHIFTS)) reached.add(to)
    assert.deepEqual(
      STATES.filter(state => !reached.has(state)),
      [],
    )
    const left = STATES.filter(from => STATES.some(to => isLegal(from, to)))
    assert.deepEqual(
      STATES.filter(state => !left.includes(state)),
      ["TERMINATED"],
    )
  })

  it("lets what is RUNNING be IDLE and back, and nothing else", () => {
    assert.deepEqual(
      STATES.filter(from => isLegal(from, "IDLE")),
      ["RUNNING"],
    )
    assert.ok(isLegal("IDLE", "RUNNING"))
  })

  it("lets everything be deleted, and nothing come back from that", () => {
    for (const state of STATES) assert.equal(isLegal(state, "TERMINATING"), !state.startsWith("TERMINAT"), state)
    for (const state of STATES) assert.equal(isLegal("TERMINATED", state), false)
    assert.deepEqual(
      STATES.filter(state => isLegal("TERMINATING", state)),
      ["FAILED", "TERMINATED"],
    )
  })

  it("lets people in where a machine runs, and nowhere else", () => {
    assert.deepEqual(STATES.filter(admits), ["RUNNING", "IDLE"])
    assert.deepEqual(STATES.filter(isMoving), ["PROVISIONING", "STOPPING", "STARTING", "TERMINATING"])
  })
})

/** What a user or a worker may do next, at random. */
type Step =
  | { do: "begin"; kind: Exclude<Kind, "create">; retry: boolean }
  | { do: "claim"; age: number }
  | { do: "finish"; claim: number; success: boolean }
  | { do: "lose lease" }

const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant("begin" as const),
    kind: fc.constantFrom(...KINDS.filter(kind => kind !== "create")),
    retry: fc.boolean(),
  }),
  fc.record({
    do: fc.constant("begin" as const),
    kind: fc.constantFrom("start" as const, "stop" as const),
    retry: fc.constant(false),
  }),
  fc.record({ do: fc.constant("claim" as const), age: fc.nat(3) }),
  fc.record({ do: fc.constant("finish" as const), claim: fc.nat(5), success: fc.boolean() }),
  fc.record({ do: fc.constant("finish" as const), claim: fc.constant(0), success: fc.constant(true) }),
  fc.constant({ do: "lose lease" as const }),
)

/** The scripts themselves, in a real Redis, under any order of what users and workers do. */
describe("transitions in Redis", () => {
  const finishScript = loadScript(new URL("../../../service/operations/lua/finish.lua", import.meta.url))
  let server: TestRedis
  let redis: Redis
  let store: WorkspaceStore

  before(async () => {
    server = await startTestRedis()
    redis = new Redis(server.url)
    store = createWorkspaceStore(redis)
  })
  after(async () => {
    redis?.disconnect()
    await server?.close()
  })

  const operation = (workspace: string, kind: Kind): OperationInfo => ({
    ...{ id: randomUUID(), workspace, owner: "gh-1", kind, requestedBy: "gh-1", createdAt: 1 },
    estimate: { seconds: null, steps: {} },
  })
  async function create(owner: string): Promise<{ workspace: string; first: OperationInfo }> {
    const id = `w-${randomUUID()}`
    const info: WorkspaceInfo = {
      ...{ id, owner, name: id, profile: "browser", provider: "hetzner", region: "fsn1", size: "cx23" },
      ...{ sizeClass: "small", image: 1, price: null, createdAt: 1 },
    }
    const first = operation(id, "create")
    await store.create(info, first, { key: null, digest: "", quota: { profile: 1_000_000, total: 1_000_000 } })
    return { workspace: id, first }
  }
  interface Claimed {
    operation: OperationInfo
    token: string
    epoch: number
  }
  async function finish({ operation: { id, kind, workspace }, token, epoch }: Claimed, success: boolean) {
    const move = TRANSITIONS[kind]
    return finishScript.run(
      redis,
      [
        ...[KEY.operation(id), KEY.workspace(workspace), KEY.lease(workspace), KEY.toDo],
        ...[KEY.workspacesOf("gh-1"), KEY.workspaces, KEY.changes, KEY.failed],
        KEY.elsewhere,
      ],
      [
        ...[id, epoch, token, success ? "succeeded" : "failed", (success ? move.done : move.failed) ?? "", 2],
        ...[
          success ? "" : '{"id":"x","next":"retry","message":"x"}',
          kind,
          workspace,
          3600,
          "machineId",
          `of-${epoch}`,
        ],
      ],
    )
  }

  it("random orders make no illegal move, epochs grow, and an old epoch writes nothing", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 25 }), async todo => {
        const { workspace, first } = await create(`gh-${randomUUID()}`)
        const asked: OperationInfo[] = [first]
        const claims: Claimed[] = []
        let before = await store.get(workspace)
        assert.ok(before)
        for (const step of todo) {
          let mayWrite = true
          if (step.do === "begin") {
            const wish = operation(workspace, step.kind)
            const said = await store.begin(wish, { retry: step.retry }).catch((error: ServiceError) => error)
            if (said instanceof ServiceError) {
              assert.equal(said.id, "illegal-transition")
              mayWrite = false
            } else if (said.operation === wish.id) asked.push(wish)
            else mayWrite = false
          } else if (step.do === "claim") {
            const wanted = asked.at(-1 - (step.age % asked.length)) as OperationInfo
            const token = randomUUID()
            const claimed = await claim(redis, wanted, token, 1)
            if (claimed.word === "claimed") {
              assert.equal(wanted.id, before.operation, "only the newest operation is worked on")
              claims.push({ operation: wanted, token, epoch: claimed.epoch })
            }
          } else if (step.do === "finish") {
            const claimed = claims.at(-1 - (step.claim % Math.max(1, claims.length)))
            if (!claimed) continue
            const current: boolean = before.operation === claimed.operation.id && before.epoch === claimed.epoch
            // A worker finishes once: after its end a second word of it is as late as any old one.
            const isOver = (await redis.hget(KEY.operation(claimed.operation.id), "state")) !== "running"
            if (isOver && current) continue
            assert.equal(await finish(claimed, step.success), current ? "done" : "fenced")
            mayWrite = current
          } else {
            await redis.del(KEY.lease(workspace))
            mayWrite = false
          }
          const after = await store.get(workspace)
          assert.ok(after)
          assert.ok(after.epoch >= before.epoch, "epochs never fall")
          if (after.state !== before.state) {
            assert.ok(mayWrite, `${JSON.stringify(step)} wrote`)
            assert.ok(isLegal(before.state, after.state), `${before.state} → ${after.state}`)
          }
          if (!mayWrite) assert.deepEqual(after, before, `${JSON.stringify(step)} changed something`)
          if (after.operation !== before.operation)
            assert.ok(after.epoch > before.epoch, "a new operation fences off the old")
          before = after
        }
        const epochs = claims.map(one => one.epoch)
        assert.deepEqual(
          epochs,
          [...new Set(epochs)].sort((a, b) => a - b),
          "each claim has an epoch of its own",
        )
        // What is to be done is exactly what is not over, and each is known to the workspace.
        const toDo = new Set(await redis.zrange(KEY.toDo, "0", "-1"))
        for (const { id } of asked) {
          const state = await redis.hget(KEY.operation(id), "state")
          assert.equal(toDo.has(id), state === "queued" || state === "running", `${id} is ${state}`)
        }
        assert.equal(await redis.sismember(KEY.workspaces, workspace), before.state === "TERMINATED" ? 0 : 1)
      }),
      { numRuns: 400 },
    )
  })

  it("of many who claim at once one gets it, and of many wishes at once one is begun", async () => {
    const { workspace, first } = await create("gh-2")
    const claims = await Promise.all(Array.from({ length: 50 }, () => claim(redis, first, randomUUID(), 1)))
    assert.equal(claims.filter(one => one.word === "claimed").length, 1)
    assert.equal(claims.filter(one => one.word === "busy").length, 49)
    const wishes = await Promise.all(
      Array.from({ length: 50 }, () => store.begin(operation(workspace, "destroy")).then(one => one.operation)),
    )
    assert.equal(new Set(wishes).size, 1)
    assert.equal((await store.get(workspace))?.state, "TERMINATING")
  })

  it("what gives way cuts off nothing that goes on, and the same wish is still one", async () => {
    const { workspace, first } = await create("gh-4")
    await redis.hset(KEY.operation(first.id), "state", "succeeded")
    await redis.hset(KEY.workspace(workspace), "state", "RUNNING" satisfies State)
    const repair = await store.begin(operation(workspace, "repair"), { givesWay: true })
    const again = await store.begin(operation(workspace, "repair"), { givesWay: true })
    assert.deepEqual([again.operation, repair.overtaken], [repair.operation, null])
    for (const kind of ["backup", "stop", "upgrade"] as const)
      await assert.rejects(store.begin(operation(workspace, kind), { givesWay: true }), {
        ...{ id: "busy", message: "Its repair goes on: wait until that is over." },
      })
    assert.equal((await store.operation(repair.operation))?.state, "queued")
    // A person's wish does not wait.
    assert.equal((await store.begin(operation(workspace, "stop"))).overtaken, repair.operation)
  })

  it("every kind is refused in every state that the table does not name", async () => {
    const { workspace } = await create("gh-3")
    let going: Kind = "create"
    for (const state of STATES) {
      for (const kind of KINDS) {
        const { from } = TRANSITIONS[kind]
        await redis.hset(KEY.workspace(workspace), "state", state satisfies State)
        const answer = await store.begin(operation(workspace, kind)).then(
          () => "begun",
          (error: ServiceError) => error.id,
        )
        // What is asked for a second time while it goes on is the same operation.
        const expected: string = from.includes(state) || kind === going ? "begun" : "illegal-transition"
        assert.equal(answer, expected, `${kind} of ${state}`)
        if (from.includes(state)) going = kind
      }
    }
    await assert.rejects(store.begin(operation("w-nobody", "start")), /no such workspace/)
  })
})
