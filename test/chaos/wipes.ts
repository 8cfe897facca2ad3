import { setTimeout as sleep } from "node:timers/promises"
import { GRACE_MS } from "../../infra/sweep.ts"
import {
  type Actor,
  ask,
  CREATION,
  deskOf,
  operationOf,
  preciousOf,
  prepare,
  putAway,
  SCENARIOS,
  type Scenario,
} from "../support/scenarios.ts"
import { seeded } from "../support/seeded.ts"
import { startTestService, type TestService } from "../support/service.ts"
import { waitUntil } from "../support/wait-until.ts"
import { testEngineConfig } from "../support/workspace.ts"
import { newWorkspace, type WorkspaceLife } from "../support/workspace-life.ts"
import { type Campaign, type Outcome, one, type Plan, quantile, shares, totals } from "./campaign.ts"
import { pick } from "./drawn-rounds.ts"
import { leftOver, RESOURCES } from "./left-over.ts"
import { comeBack, type Return } from "./returns.ts"

/** People who ask for the same at the same moment, at most. */
const TOGETHER = 3

/** How everything in Redis can be gone. */
const WIPES: Record<string, (test: TestService) => Promise<unknown>> = {
  FLUSHALL: test => test.service.services.redis.flushall(),
  "its disk lost": test => test.redis.lose(),
}

interface Verdict {
  /** Operations that were under way. */
  under: number
  askedAgain: number
  back: number[]
  lost: number
  duplicates: number
  orphans: number
  words: string[]
}

/** Rounds in one world: a provider and a service whose clocks can be set ahead, and two people who only have something. */
async function startWorld() {
  let ahead = 0
  const test = await startTestService(
    { FOOZOL_READY_SECONDS: "60", FOOZOL_FINAL_SNAPSHOT_DAYS: "30", FOOZOL_OPERATIONS_PER_PROVIDER: "10" },
    { ahead: () => ahead },
  )
  const lasts = new Map<string, number>()
  async function enter(login: string): Promise<string> {
    await test.forgetLimits()
    return test.token(await test.signIn(login))
  }

  async function begin(scenario: Scenario, people: string[]): Promise<Actor[]> {
    const actors = await Promise.all(people.map(async login => prepare(test, await enter(login), scenario)))
    if (scenario.newImage) {
      test.env.FOOZOL_IMAGE_BROWSER = String(await test.cloud.addImage())
      await test.restart()
    }
    await Promise.all(actors.map(actor => ask(test, actor)))
    return actors
  }
  const isOver = async (actor: Actor) => (await operationOf(test, actor))?.finishedAt !== null

  /** How long it takes where nothing goes wrong, ms. */
  async function usual(scenario: Scenario): Promise<number> {
    const known = lasts.get(scenario.name)
    if (known !== undefined) return known
    const [actor] = (await begin(scenario, ["pacemaker"])) as [Actor]
    const began = performance.now()
    await waitUntil("a round without a blow ends", () => isOver(actor))
    const took = performance.now() - began
    lasts.set(scenario.name, took)
    await putAway(test, actor)
    return took
  }

  /** Two that nobody asks anything of: one is at work, one sleeps. */
  async function resting(): Promise<{ login: string; desk: WorkspaceLife }[]> {
    return Promise.all(
      ["rests-awake", "rests-asleep"].map(async login => {
        const desk = await newWorkspace(test, await enter(login))
        test.machines.write(desk.id, preciousOf(desk))
        if (login === "rests-asleep") await desk.does("stop?mode=hibernate")
        return { login, desk }
      }),
    )
  }

  async function round(scenario: Scenario, people: number, at: number, wipe: string): Promise<Verdict> {
    const takes = await usual(scenario)
    const bystanders = await resting()
    const logins = Array.from({ length: people }, (_, number) => `user-${number}`)
    const actors = await begin(scenario, logins)
    await sleep(at * takes)
    const under = await Promise.all(actors.map(async actor => !(await isOver(actor))))
    const wipedAt = Date.now()
    await WIPES[wipe]?.(test)
    const verdict: Verdict = {
      ...{
        under: under.filter(Boolean).length,
        askedAgain: 0,
        back: [],
        lost: 0,
        duplicates: 0,
        orphans: 0,
        words: [],
      },
    }
    const returns: Return[] = [
      ...bystanders.map(({ login, desk }) => ({ login, id: desk.id, actor: null, wasUnder: false, wipedAt })),
      ...actors.map((actor, number) => ({
        ...{ login: logins[number] as string, id: deskOf(actor).id, actor, wasUnder: under[number] === true, wipedAt },
      })),
    ]
    const ends = await Promise.all(
      returns.map(async one => {
        const end = await comeBack(test, one).catch(error => ({
          ...{ words: [(error as Error).message], askedAgain: 0, back: null, isLost: true, machines: 0 },
        }))
        verdict.words.push(...end.words.map(words => `${one.actor?.scenario.name ?? one.login} of ${one.id}: ${words}`))
        return end
      }),
    )
    for (const { askedAgain, back, isLost, machines } of ends) {
      verdict.askedAgain += askedAgain
      if (back !== null) verdict.back.push(back)
      if (isLost) verdict.lost++
      verdict.duplicates += Math.max(0, machines - 1)
    }
    if (verdict.words.length === 0) await clearUp(returns, verdict)
    return verdict
  }

  /** What was being made for nobody goes by the sweeps, while there are others; then everybody deletes what they have. */
  async function clearUp(returns: Return[], verdict: Verdict): Promise<void> {
    const logins = [...new Set(returns.map(one => one.login))]
    const wanted = new Set(
      (await Promise.all(logins.map(async login => test.api(await enter(login), "GET", "/workspaces")))).flatMap(
        answer => answer.body.workspaces.map((one: { id: string }) => one.id) as string[],
      ),
    )
    const held = async () =>
      (await test.service.services.machines.heldResources()).filter(one => !wanted.has(one.workspace))
    for (let look = 0; look < 3 && (await held()).length > 0; look++) {
      ahead += look === 0 ? GRACE_MS + 60_000 : 60_000
      // It looks at once when it begins.
      await test.restart(0)
      await sleep(4_000)
    }
    for (const one of await held()) verdict.words.push(`${one.name} of ${one.workspace} is nobody's`)
    verdict.orphans += new Set((await held()).map(one => one.workspace)).size
    for (const login of logins) {
      const token = await enter(login)
      for (const { id } of (await test.api(token, "GET", "/workspaces")).body.workspaces) {
        const gone = await test.api(token, "DELETE", `/workspaces/${id}`)
        const { state, failure } = await test.finished(token, gone.body.operation.id)
        if (state !== "succeeded") verdict.words.push(`deleting ${id}: ${JSON.stringify(failure)}`)
      }
      for (const { id } of (await test.api(token, "GET", "/backups")).body.backups)
        await test.cloud.api("DELETE", `/images/${id}`)
    }
    for (const [kind, found] of await leftOver(test.cloud, [...RESOURCES, "images?type=snapshot"])) {
      verdict.orphans += found
      verdict.words.push(`left over: ${found} ${kind}`)
    }
    const stacks = await test.service.services.pool.run<string[]>(testEngineConfig(test.directory, test.cloud), {
      action: "names",
    })
    if (stacks.length > 0) verdict.words.push(`stacks are left: ${stacks.join(", ")}`)
  }

  return { round, logged: test.logged, close: () => test.close() }
}

/** What a verdict counts, by the name it is told under. */
const COUNTED = {
  under_way: ({ under }: Verdict) => under,
  asked_again: ({ askedAgain }: Verdict) => askedAgain,
  lost: ({ lost }: Verdict) => lost,
  orphans: ({ orphans }: Verdict) => orphans,
  duplicates: ({ duplicates }: Verdict) => duplicates,
}

async function run({ count, seed, worlds, isEnough, note }: Plan): Promise<Outcome> {
  const verdicts: Verdict[] = []
  await Promise.all(
    [...shares(count, worlds)].map(async (share, number) => {
      const random = seeded(seed + 1_000 * number)
      let world = await startWorld()
      try {
        for (let done = 0; done < share && !isEnough(); done++) {
          const scenario = pick([CREATION, CREATION, ...SCENARIOS], random)
          const [what, at, people] = [pick(Object.keys(WIPES), random), random(), 1 + Math.floor(TOGETHER * random())]
          const verdict = await world.round(scenario, people, at, what)
          note({ what, scenario: scenario.name, at, people, ...verdict })
          verdicts.push(verdict)
          if (verdict.words.length === 0) continue
          verdict.words.push(world.logged().split("\n").slice(-40).join("\n"))
          await world.close()
          world = await startWorld()
        }
      } finally {
        await world.close()
      }
    }),
  )
  const back = verdicts.flatMap(verdict => verdict.back)
  return {
    measurements: [
      one("wipes", "", verdicts.length),
      one("workspaces", "", back.length),
      ...totals(verdicts, COUNTED),
      one("back_p50_s", "s", quantile(back, 0.5)),
      one("back_p99_s", "s", quantile(back, 0.99)),
    ],
    broken: verdicts.flatMap(verdict => verdict.words),
  }
}

export const wipes: Campaign = {
  about: "Redis loses all it knows in the middle of work: every workspace comes back to its owner, with its data",
  count: 100,
  run,
}
