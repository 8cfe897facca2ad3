import assert from "node:assert/strict"
import { randomUUID } from "node:crypto"
import fc from "fast-check"
import { Redis } from "ioredis"
import { pino } from "pino"
import { createIdleness, type Idleness } from "../../../service/idleness/idleness.ts"
import { type IdlenessSettings, windowsOf } from "../../../service/idleness/settings.ts"
import { readSignals } from "../../../service/idleness/signals.ts"
import { createMachineChannel, type MachineChannel } from "../../../service/machines/channel.ts"
import { createMachineReports, type MachineReports } from "../../../service/machines/reports.ts"
import type { OperationInfo } from "../../../service/operations/operation.ts"
import { createSubscriber } from "../../../service/redis/subscriber.ts"
import { createWorkspaceStore, KEY, type WorkspaceStore } from "../../../service/workspaces/store.ts"
import { startTestRedis, type TestRedis } from "../../support/redis.ts"
import { share } from "../../support/share.ts"

const SECOND = 1_000
const MINUTE = 60 * SECOND
const WINDOW = 30 * MINUTE
const SETTINGS: IdlenessSettings = {
  ...{ windows: windowsOf(WINDOW, []), stopMs: 2 * MINUTE, warningMs: MINUTE, checkMs: 15 * SECOND },
  ...{ silentMs: 90 * SECOND, busyCpu: 0.1, autoStop: true },
}
/** Reports and looks come so often, as in real life. */
const BEAT = 15 * SECOND

/** What happens to a machine, in order. Times are milliseconds. */
type Event =
  | { do: "work"; kind: "input" | "output" | "work" | "files" | "agent" | "visit" }
  | { do: "wait"; ms: number }
  /** Time passes in which the agent says nothing. */
  | { do: "silence"; ms: number }
  | { do: "set machine's clock"; by: number }
  | { do: "set service's clock"; by: number }
  | { do: "restart agent" }

const works: fc.Arbitrary<Event> = fc.record({
  do: fc.constant("work" as const),
  kind: fc.constantFrom("input", "output", "work", "files", "agent", "visit"),
})
const waits: fc.Arbitrary<Event> = fc.record({
  do: fc.constant("wait" as const),
  ms: fc.oneof(
    fc.integer({ min: 1, max: 40 * SECOND }),
    fc.integer({ min: 20 * MINUTE, max: WINDOW + 4 * MINUTE }),
    // About when a stop is due.
    fc.integer({ min: WINDOW + 2 * MINUTE - 20 * SECOND, max: WINDOW + 2 * MINUTE + 20 * SECOND }),
  ),
})
const days = fc.integer({ min: -2 * 24 * 60 * MINUTE, max: 2 * 24 * 60 * MINUTE })
const jumps: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ do: fc.constant("set machine's clock" as const), by: days }),
  // Less than a silence is no more than a late report.
  fc.record({ do: fc.constant("set service's clock" as const), by: days.filter(by => by < 0 || by > 2 * MINUTE) }),
  fc.constant({ do: "restart agent" as const }),
  fc.record({ do: fc.constant("silence" as const), ms: fc.integer({ min: 1, max: 3 * 60 * MINUTE }) }),
)

/** A machine with its agent, as far as its signals go: what is only in the agent's memory goes with the agent. */
function createMachine(clock: () => number) {
  const kept: { output: number | null; files: number | null } = { output: null, files: null }
  const start = () => ({
    startedAt: randomUUID(),
    input: null as number | null,
    work: null as number | null,
    busy: false,
  })
  let agent = start()
  const time = (at: number | null) => (at === null ? null : new Date(at).toISOString())
  return {
    work(kind: "input" | "output" | "work" | "files" | "agent") {
      if (kind === "agent") agent.busy = true
      else if (kind === "output" || kind === "files") kept[kind] = clock()
      else agent[kind] = clock()
    },
    restartAgent: () => {
      agent = start()
    },
    report() {
      const signals = {
        ...{ viewers: 1, lastInputAt: time(agent.input), workAt: time(agent.work), filesChangedAt: time(kept.files) },
        terminals: kept.output === null ? [] : [{ name: "main:0.0", lastOutputAt: time(kept.output) }],
        agents: [{ name: "codex", pid: 1, cpu: agent.busy ? 0.5 : 0 }],
      }
      agent.busy = false
      return {
        ...{ bootId: "1", ready: true, checks: [], versions: {}, signals },
        ...{ startedAt: agent.startedAt, at: new Date(clock()).toISOString() },
      }
    },
  }
}

/** The whole of it over a real Redis: reports, looks, warnings and stops, under any order of what may happen. */
describe("histories of a workspace's use", () => {
  let server: TestRedis
  let [redis, listening]: Redis[] = []
  let store: WorkspaceStore
  let channel: MachineChannel
  let reports: MachineReports
  /** True time, which no clock may show. */
  let time = 0
  let serviceAhead = 0
  const now = () => Date.UTC(2030, 0, 10) + time + serviceAhead
  let idleness: Idleness
  let stops: string[] = []

  before(async () => {
    server = await startTestRedis()
    redis = new Redis(server.url)
    listening = new Redis(server.url)
    store = createWorkspaceStore(redis)
    channel = createMachineChannel(redis, createSubscriber(listening))
    reports = createMachineReports(redis, SETTINGS.silentMs)
    const operation = (workspace: string, requestedBy: string): OperationInfo => ({
      ...{ id: randomUUID(), workspace, owner: "gh-1", kind: "stop", requestedBy, createdAt: now() },
      estimate: { seconds: null, steps: {} },
    })
    idleness = createIdleness({
      ...{ redis, channel, settings: SETTINGS, now, log: pino({ level: "silent" }), answerMs: 100 },
      workspaces: {
        async stop(by, id, _mode, { unchanged = {} } = {}) {
          const requestedBy = typeof by === "string" ? by : by.requestedBy
          const begun = await store.begin(operation(id, requestedBy), { unchanged })
          stops.push(id)
          return begun.operation
        },
      },
    })
  })
  after(async () => {
    redis?.disconnect()
    listening?.disconnect()
    await server?.close()
  })

  async function run(events: Event[]): Promise<{ stopped: boolean; unusedFor: number }> {
    const client = redis as Redis
    const id = `w-${randomUUID()}`
    ;[time, serviceAhead, stops] = [0, 0, []]
    let machineAhead = 0
    const info = { id, owner: "gh-1", name: id, profile: "browser" }
    await client.hset(KEY.workspace(id), {
      ...{ info: JSON.stringify(info), profile: "browser", state: "RUNNING", since: now(), epoch: 1, operation: "" },
    })
    const machine = createMachine(() => now() - serviceAhead + machineAhead)
    let [used, said, isSilent] = [time, time, false]
    const say = async () => {
      said = time
      const report = machine.report()
      await reports.save(id, report, readSignals(report, now(), SETTINGS.busyCpu), now())
      await channel.announce(id, "reported")
    }
    const forget = await channel.listen(id, order => order.type === "report" && !isSilent && void say())
    const looked = async () => {
      await idleness.look(id)
      return stops.length > 0
    }
    /** Lets time pass as it does: a report and a look every 15 s, not at the same moment. */
    async function pass(ms: number, silent: boolean): Promise<boolean> {
      const end = time + ms
      // Hours of silence or of work look the same every 15 s: beyond some steps they are taken in larger ones.
      isSilent = silent
      const beat = silent ? Math.max(BEAT, Math.ceil(ms / 20)) : BEAT
      while (time < end) {
        time = Math.min(end, time + Math.ceil(beat / 2))
        if (!silent) await say()
        time = Math.min(end, time + Math.ceil(beat / 2))
        if (await looked()) return true
      }
      return false
    }
    try {
      await say()
      for (const event of events) {
        if (event.do === "work") {
          used = time
          if (event.kind === "visit") await idleness.visited(id)
          else machine.work(event.kind)
        } else if (event.do === "restart agent") machine.restartAgent()
        else if (event.do === "set machine's clock") machineAhead += event.by
        else if (event.do === "set service's clock") serviceAhead += event.by
        else if (await pass(event.ms, event.do === "silence")) {
          assert.ok(time - said <= SETTINGS.silentMs, "stopped while its machine was silent")
          return { stopped: true, unusedFor: time - used }
        }
      }
      return { stopped: false, unusedFor: time - used }
    } finally {
      forget()
    }
  }

  it("no stop comes within the time that use counts, whatever clocks, agents and silences do", async () => {
    let stopped = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof({ weight: 4, arbitrary: works }, { weight: 5, arbitrary: waits }, { weight: 2, arbitrary: jumps }),
          {
            minLength: 1,
            maxLength: 14,
          },
        ),
        async events => {
          const end = await run(events)
          if (!end.stopped) return
          stopped++
          assert.ok(end.unusedFor >= WINDOW, `stopped ${end.unusedFor / SECOND} s after its last use`)
        },
      ),
      { numRuns: share(400, 40) },
    )
    assert.ok(stopped >= share(30, 3), `the histories must reach stops to tell anything: ${stopped} did`)
  })

  it("a workspace that nobody uses is stopped, once, after the time for that", async () => {
    const { stopped, unusedFor } = await run([
      { do: "work", kind: "input" },
      { do: "wait", ms: WINDOW + 10 * MINUTE },
    ])
    assert.ok(stopped)
    assert.ok(
      unusedFor >= WINDOW + SETTINGS.stopMs && unusedFor <= WINDOW + SETTINGS.stopMs + 2 * BEAT,
      String(unusedFor),
    )
    assert.equal(stops.length, 1)
  })

  it("use in the last seconds, of which no report has told yet, calls the stop off", async () => {
    const almost = WINDOW + SETTINGS.stopMs - BEAT / 2
    for (const kind of ["input", "output", "work", "files", "agent"] as const) {
      const { stopped } = await run([
        { do: "wait", ms: almost },
        { do: "work", kind },
        { do: "wait", ms: WINDOW },
      ])
      assert.equal(stopped, false, kind)
    }
  })
})
