import assert from "node:assert/strict"
import { createBackoff } from "../../../image-builder/agent/backoff.ts"
import { createServiceClient } from "../../../image-builder/agent/service/client.ts"
import { keepReporting } from "../../../image-builder/agent/service/heartbeat.ts"
import { followOrders, parseOrder } from "../../../image-builder/agent/service/orders.ts"
import { createMemoryKeeper, type MemoryKeeper } from "../../../image-builder/agent/sleep/keeper.ts"
import { createRest } from "../../../image-builder/agent/sleep/rest.ts"
import { createSleeper, type Sleeper } from "../../../image-builder/agent/sleep/sleeper.ts"
import { startStandInService } from "../../support/stand-in-service.ts"
import { waitUntil } from "../../support/wait-until.ts"

const SEED = "ab".repeat(64)
const log = { info: () => {}, warn: () => {} }

describe("agent/sleep", () => {
  it("is an order that names its operation", () => {
    assert.deepEqual(parseOrder({ type: "sleep", data: '{"id":"op-1"}' }), { type: "sleep", id: "op-1" })
    for (const data of ["{}", '{"id":"a b"}', '{"id":1}']) assert.throws(() => parseOrder({ type: "sleep", data }))
  })

  describe("createMemoryKeeper()", () => {
    /** A host that answers so, one after the other; what throws is no answer. */
    const host = (...answers: ({ status: number; said?: unknown } | "silent")[]) => {
      const asked: string[] = []
      const keeper = createMemoryKeeper(async (path, method = "GET") => {
        asked.push(`${method} ${path}`)
        const next = answers.shift()
        if (next === undefined || next === "silent") throw new Error("no answer")
        return { said: null, ...next }
      })
      return { asked, keeper }
    }

    it("asks whether it can until there is an answer, and believes that", async () => {
      const { asked, keeper } = host("silent", { status: 200, said: {} })
      assert.deepEqual([await keeper.can(), await keeper.can(), await keeper.can()], [false, true, true])
      assert.equal(asked.length, 2)
      assert.equal(await host({ status: 404 }).keeper.can(), false)
    })

    it("waits until it is told who it is, also when a question was lost on the way", async () => {
      const woken = { machine: "9", now: 1, seed: SEED }
      const wait = { status: 202, said: { againInMs: 1 } }
      const { asked, keeper } = host(wait, wait, "silent", wait, { status: 200, said: woken })
      assert.deepEqual(await keeper.sleep(), woken)
      assert.deepEqual(asked, ["POST sleep", ...Array(4).fill("GET standby")])
      assert.equal(await host({ status: 404 }).keeper.sleep(), null)
    })

    it("waits as well where nobody said that the wish was taken", async () => {
      const woken = { machine: "9", now: 1, seed: SEED }
      const { asked, keeper } = host("silent", { status: 202, said: { againInMs: 1 } }, { status: 200, said: woken })
      assert.deepEqual(await keeper.sleep(), woken)
      assert.deepEqual(asked, ["POST sleep", "GET standby", "GET standby"])
    })
  })

  describe("createSleeper()", () => {
    let heard: string[] = []
    beforeEach(() => {
      heard = []
    })
    const begin = async (
      keeper: MemoryKeeper,
      awake = { code: 0, stdout: "", stderr: "" },
      orders = (sleeper: Sleeper) => sleeper.begin("op-1"),
    ) => {
      const did: string[] = []
      const rest = createRest()
      const sleeper = createSleeper({
        ...{ keeper, rest, log, laterMs: 200 },
        client: {
          hangUp: () => did.push("hang up"),
          awake: async ({ id }) => {
            did.push(`awake ${id}, at rest: ${rest.isOn}`)
            heard.push(id)
          },
        },
        run: async (program, args) => {
          did.push([program, ...args].join(" "))
          return { code: 0, stdout: "", stderr: "" }
        },
        feed: async (program, args, input) => {
          did.push(
            `${[program, ...args].join(" ")} < ${input.trim() === SEED ? "the seed" : input}, at rest: ${rest.isOn}`,
          )
          return awake
        },
        awake: hasSlept => did.push(hasSlept ? "goes on after a sleep" : "goes on"),
        settled: () => did.push("can be looked at"),
        restart: () => did.push("begins anew"),
      })
      await orders(sleeper)
      return did
    }
    const before = ["systemctl start foozol-before-sleep.service foozol-tmux-save.service", "hang up", "sync"]
    const woken = { machine: "9", now: 1_700_000_000_250, seed: SEED }
    const after = [
      ...["date -u -s @1700000000.25", "goes on after a sleep", "awake op-1, at rest: false"],
      ...["/usr/lib/foozol/awake 9 < the seed, at rest: false", "can be looked at"],
    ]

    it("is silent while it falls asleep; awake it sets the clock first, and says so at last", async () => {
      const did = await begin({ can: async () => true, sleep: async () => woken })
      assert.deepEqual(did, [...before, ...after])
    })

    it("begins anew where it is told something else about itself", async () => {
      const keeper = { can: async () => true, sleep: async () => woken }
      const did = await begin(keeper, { code: 0, stdout: "changed\n", stderr: "" })
      assert.equal(did.at(-1), "begins anew")
    })

    it("ordered twice sleeps once; ordered again right after waking it sleeps when all is done that follows on that", async () => {
      const keeper = { can: async () => true, sleep: async () => woken }
      const did = await begin(keeper, undefined, async sleeper => {
        await Promise.all([sleeper.begin("op-1"), sleeper.begin("op-1")])
      })
      assert.deepEqual(did, [...before, ...after])
      heard = []
      const twice = await begin({ can: async () => true, sleep: async () => woken }, undefined, async sleeper => {
        const first = sleeper.begin("op-1")
        // It has said that it is awake, and what follows on that has not begun.
        await waitUntil("it is awake", () => heard.length > 0)
        await Promise.all([first, sleeper.begin("op-2")])
      })
      const second = after.map(line => line.replace("op-1", "op-2"))
      assert.deepEqual(twice, [...before, ...after, ...before, ...second])
    })

    it("goes on where its memory cannot be kept", async () => {
      assert.deepEqual(await begin({ can: async () => false, sleep: async () => null }), ["awake op-1, at rest: false"])
      const on = ["goes on", "awake op-1, at rest: false"]
      assert.deepEqual(await begin({ can: async () => true, sleep: async () => null }), [...before, ...on])
      const silent = { can: async () => true, sleep: () => Promise.reject(new Error("no answer")) }
      assert.deepEqual(await begin(silent), [...before, ...on])
    })
  })

  it("has no line to the service while it rests, and one at once after that", async () => {
    const service = await startStandInService()
    const ending = new AbortController()
    const { signal } = ending
    const rest = createRest()
    const client = createServiceClient({ service: service.url, key: service.key, timeoutMs: 120_000 })
    // Whoever waited for the next try, as after a fault, would wait past this test's end.
    const backoff = () => createBackoff({ first: 600_000, most: 600_000, random: () => 0 })
    const work = [
      followOrders({ client, backoff: backoff(), signal, log, rest, connected: () => {}, obey: () => {} }),
      keepReporting({
        ...{ client, backoff: backoff(), signal, log, rest, ready: Promise.resolve() },
        everyMs: () => 20,
        report: async () => ({}),
      }),
    ]
    try {
      await waitUntil("it listens", () => service.listeners() === 1 && service.reports.length > 0)
      rest.begin()
      client.hangUp()
      await waitUntil("it has hung up", () => service.listeners() === 0)
      rest.end()
      await waitUntil("it listens again", () => service.listeners() === 1)
    } finally {
      ending.abort()
      client.close()
      await Promise.all(work)
      await service.close()
    }
  })
})
