import { setTimeout as sleep } from "node:timers/promises"
import {
  type Actor,
  ask,
  deskOf,
  enterFor,
  holdsData,
  isAsPromised,
  operationOf,
  prepare,
  putAway,
  type Scenario,
} from "../support/scenarios.ts"
import { waitUntil } from "../support/wait-until.ts"
import { type Fleet, type FleetOptions, startFleet } from "./fleet.ts"
import { leftOver, lingering, RESOURCES, stays } from "./left-over.ts"

/** What has not ended after this long ends by nobody's doing but a person's. */
const STUCK_MS = 240_000

/** What became of one round, in the words of the promises it may have broken. */
export interface Verdict {
  /** Nobody was there to be hit before all was over. */
  missed: boolean
  /** Seconds from the blow to the end of each operation. */
  recovery: number[]
  orphans: number
  duplicates: number
  stuck: number
  /** Operations that ended otherwise than asked for: somebody would have to ask again. */
  byHand: number
  /** Those among them that said what was wrong, where that is a way to end, and went well when asked for again. */
  told: string[]
  /** Workspaces whose data was not there, or not where it was promised. */
  lost: number
  /** Processes that nobody will end. */
  left: number
  words: string[]
}

/** What goes wrong in a round. Resolves when it has, with false where there was nothing to do it to. */
export type Blow = (fleet: Fleet, actors: Actor[], isOver: () => Promise<boolean>) => Promise<boolean>

export interface RoundOptions {
  /** May an operation fail where it says why, and does it when asked for again? Otherwise all must end as asked for. */
  mayFail?: boolean
  /** The blow falls when everything is prepared and nothing asked for yet. */
  before?: boolean
}

/** How often somebody asks again. */
const PRESSES = 4

/** How long it takes where nothing goes wrong, ms, by what is asked for. */
export type UsualTimes = Map<string, Promise<number>>

/**
 * Rounds in one world, one after the other; a world in which a promise was broken gives way to a new one.
 * @param usualTimes what worlds that run beside each other need to find out only once
 */
export async function startRounds(
  options: () => FleetOptions = () => ({}),
  usualTimes: UsualTimes = new Map(),
): Promise<{
  /**
   * People ask for things at the same moment; a blow falls; all of it must end as asked for.
   * @param at when the blow falls: share of the time all of it took when nothing went wrong
   */
  round(scenarios: Scenario[], at: number, blow: Blow, options?: RoundOptions): Promise<Verdict>
  close(): Promise<void>
}> {
  let fleet = await startFleet(options())
  /** Tokens of the people there are in this world, who act again and again. */
  let people = new Map<string, Promise<string>>()

  async function prepareAll(scenarios: Scenario[]): Promise<Actor[]> {
    const { world } = fleet
    const somebody = (at: number, scenario: Scenario) => {
      const name = scenario.byOperator ? `${at}, as an operator` : `${at}`
      const token = people.get(name) ?? enterFor(world, `user-${at}`, scenario)
      people.set(name, token)
      return token
    }
    const actors = await Promise.all(
      scenarios.map(async (scenario, at) => prepare(world, await somebody(at, scenario), scenario)),
    )
    if (scenarios.some(scenario => scenario.newImage)) await fleet.newImage()
    return actors
  }
  const askAll = (actors: Actor[]) => Promise.all(actors.map(actor => ask(fleet.world, actor)))

  const isOver = async (actors: Actor[]) => {
    const operations = await Promise.all(actors.map(actor => operationOf(fleet.world, actor).catch(() => null)))
    return operations.every(operation => operation !== null && operation.finishedAt !== null)
  }

  /** How long it takes where nothing goes wrong, ms; tried out the first time, twice, since the first makes more. */
  function usual(scenarios: Scenario[]): Promise<number> {
    const key = scenarios.map(({ name }) => name).join()
    const known = usualTimes.get(key) ?? tryOut(scenarios)
    usualTimes.set(key, known)
    return known
  }
  async function tryOut(scenarios: Scenario[]): Promise<number> {
    const took: number[] = []
    while (took.length < 2) {
      const actors = await prepareAll(scenarios)
      await askAll(actors)
      const began = performance.now()
      await waitUntil("a round without a blow ends", () => isOver(actors))
      took.push(performance.now() - began)
      await Promise.all(actors.map(actor => putAway(fleet.world, actor)))
    }
    return Math.min(...took)
  }

  /** @param hitAt ms since 1970 */
  async function judge(actor: Actor, hitAt: number, verdict: Verdict, mayFail: boolean): Promise<void> {
    const { name } = actor.scenario
    const say = (words: string) => verdict.words.push(`${name} of ${actor.desk?.id}: ${words}`)
    let dataIsThere = true
    const end = await waitUntil(
      "it is over",
      async () => {
        if (dataIsThere) {
          await holdsData(actor).catch(error => {
            if ((error as Error).name !== "AssertionError") throw error
            dataIsThere = false
            say((error as Error).message)
          })
        }
        const operation = await operationOf(fleet.world, actor)
        return operation?.finishedAt ? operation : null
      },
      STUCK_MS,
    ).catch(() => null)
    const endedAt = end === null ? Date.now() : Date.parse(end.finishedAt ?? "")
    // What was over by then has recovered from nothing.
    if (endedAt > hitAt) verdict.recovery.push((endedAt - hitAt) / 1_000)
    if (!dataIsThere) verdict.lost++
    if (end === null) {
      verdict.stuck++
      return void say(`not over after ${STUCK_MS / 1000} s`)
    }
    if (end.state !== "succeeded") {
      verdict.byHand++
      const failure = mayFail ? await askAgain(actor, verdict) : end.failure
      if (failure !== null) return void say(`${end.state}: ${JSON.stringify(failure)}`)
    }
    const machines = await deskOf(actor).machines()
    if (machines.length > 1) {
      verdict.duplicates += machines.length - 1
      say(`${machines.length} machines`)
    }
    await isAsPromised(fleet.world, actor, end.state !== "succeeded").catch(error => {
      verdict.lost++
      say((error as Error).message)
    })
  }

  /** Everybody has gone: what is still there is nobody's. */
  async function lookForOrphans(verdict: Verdict): Promise<void> {
    for (const [kind, found] of await leftOver(fleet.world.cloud, [...RESOURCES, "images?type=snapshot"])) {
      verdict.orphans += found
      verdict.words.push(`left over: ${found} ${kind}`)
    }
    const left = await lingering(fleet)
    verdict.left = left.length
    if (left.length > 0) verdict.words.push(stays(left))
  }

  /** What somebody does who is told that it failed, and why. @returns what keeps it from its end; null: it went well */
  async function askAgain(actor: Actor, verdict: Verdict): Promise<unknown> {
    for (let press = 0; ; press++) {
      const now = await waitUntil("it is over", async () => {
        const operation = await operationOf(fleet.world, actor)
        return operation?.finishedAt ? operation : null
      })
      if (now.state === "succeeded") return null
      const { id } = now.failure as { id: string }
      if (press === PRESSES || id === "internal" || id === "engine-failed") return now.failure
      verdict.told.push(id)
      const again = await fleet.world.api(actor.token, "POST", `/operations/${actor.operation}/retry`)
      // What returned to rest is asked for anew.
      if (again.status === 202) actor.operation = again.body.operation.id
      else await ask(fleet.world, actor)
    }
  }

  async function round(
    scenarios: Scenario[],
    at: number,
    blow: Blow,
    { mayFail = false, before = false }: RoundOptions = {},
  ): Promise<Verdict> {
    const verdict: Verdict = {
      ...{ missed: false, recovery: [], orphans: 0, duplicates: 0, stuck: 0, byHand: 0, told: [], lost: 0, left: 0 },
      words: [],
    }
    const takes = await usual(scenarios)
    const actors = await prepareAll(scenarios)
    if (before) await blow(fleet, actors, async () => false)
    await askAll(actors)
    if (!before) await sleep(at * takes)
    const hitAt = Date.now()
    if (!before) verdict.missed = !(await blow(fleet, actors, () => isOver(actors)))
    await Promise.all(actors.map(actor => judge(actor, hitAt, verdict, mayFail)))
    if (verdict.words.length === 0) {
      await Promise.all(actors.map(actor => putAway(fleet.world, actor))).catch(error => {
        verdict.byHand++
        verdict.words.push(`putting it away: ${(error as Error).message}`)
      })
      await lookForOrphans(verdict)
    }
    if (verdict.words.length > 0) {
      verdict.words.push(fleet.output())
      await fleet.close()
      fleet = await startFleet(options())
      people = new Map()
    }
    return verdict
  }

  return { round, close: () => fleet.close() }
}
