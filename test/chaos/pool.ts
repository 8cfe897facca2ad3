import { setTimeout as sleep } from "node:timers/promises"
import { Redis } from "ioredis"
import { LABELS } from "../../infra/workspace-spec.ts"
import { parseOperation } from "../../service/operations/operation.ts"
import { WARM_POOL } from "../../service/warm/words.ts"
import { KEY } from "../../service/workspaces/store.ts"
import { parseWorkspace, type Workspace } from "../../service/workspaces/workspace.ts"
import { seeded } from "../support/seeded.ts"
import { waitUntil } from "../support/wait-until.ts"
import { type Campaign, type Outcome, one, type Plan, quantile } from "./campaign.ts"
import { type Fleet, startFleet, VICTIMS } from "./fleet.ts"
import { RESOURCES } from "./left-over.ts"

/** What has not come about after so long comes about by nobody's doing but a person's; the last of many waits for all others. */
const stuckMs = (count: number) => 300_000 + count * 10_000
/** Spare machines: as many as the issue wants for its 500 people, and some for few. */
const poolOf = (count: number) => Math.min(20, Math.max(4, Math.round(count / 25)))
/** People for whom something is killed once. */
const PEOPLE_A_BLOW = 10
/** Between two blows, ms: what was hit comes to itself, and is in the middle of something again. */
const BETWEEN_MS = 4_000
const SAMPLE_MS = 25
/** People who sign in at once. */
const AT_ONCE = 10

interface Person {
  token: string
  workspace: string
  operation: string
}

interface Server {
  id: number
  labels: Record<string, string>
}

/** Signs people in, by and by. */
async function enter({ world }: Fleet, redis: Redis, count: number): Promise<Person[]> {
  const people: Person[] = []
  const line = async () => {
    while (people.length < count) {
      const person = { token: "", workspace: "", operation: "" }
      const login = `user-${people.push(person)}`
      await forgetLimits(redis)
      person.token = await world.token(await world.signIn(login))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, line))
  return people
}

/** All people come from one address. */
async function forgetLimits(redis: Redis): Promise<void> {
  const counted = await redis.keys("fz:limit:*")
  if (counted.length > 0) await redis.del(...counted)
}

/** Asks as a browser does that is told nothing, until there is an answer; one wish, however often it is said. */
async function create({ world }: Fleet, person: Person, stuckAt: number): Promise<void> {
  const headers = { "idempotency-key": crypto.randomUUID() }
  for (let said = ""; ; await sleep(500)) {
    if (Date.now() > stuckAt) throw new Error(`a workspace was asked for in vain: ${said}`)
    const wish = { sizeClass: "small", region: "fsn1" }
    const answer = await world.api(person.token, "POST", "/workspaces", wish, headers).catch((error: Error) => {
      said = `${error.message} ${error.cause ?? ""}`
      return null
    })
    if (answer === null) continue
    said = `${answer.status} ${JSON.stringify(answer.body)}`
    if (answer.status !== 202 && answer.status !== 200) continue
    person.workspace = answer.body.workspace.id
    person.operation = answer.body.operation.id
    return
  }
}

async function run({ count, seed, isEnough, note }: Plan): Promise<Outcome> {
  const random = seeded(seed)
  const size = poolOf(count)
  const broken: string[] = []
  const fleet = await startFleet({
    heartbeatMs: 10_000,
    settings: {
      ...{ FOOZOL_WARM: `hetzner/fsn1/small/browser=${size}`, FOOZOL_WARM_MONTHLY: "0" },
      FOOZOL_AUTO_STOP: "false",
    },
  })
  const redis = new Redis(fleet.world.redis.url)
  const over = new AbortController()
  try {
    const people = await enter(fleet, redis, count)
    const { body } = await fleet.world.api(people[0]?.token ?? "", "GET", "/sizes")
    const monthly = priceIn(body)
    // Enough for the pool, and not for one more.
    await fleet.set({ FOOZOL_WARM_MONTHLY: String(monthly * (size + 0.5)) })
    const read = async (id: string) => parseWorkspace(await redis.hgetall(KEY.workspace(id)))
    const spares = async () => {
      const all = await Promise.all((await redis.smembers(KEY.workspacesOf(WARM_POOL))).map(read))
      return all.filter((one): one is Workspace => one !== null && one.state !== "TERMINATED")
    }
    const isFull = async () => {
      const all = await spares()
      return all.length === size && all.every(one => one.state === "RUNNING" && one.reportedAt !== null) ? all : null
    }
    const first = new Set((await waitUntil("the pool is full", isFull, stuckMs(size))).map(one => one.id))

    let most = 0
    const given = new Set<string>()
    const watching = (async () => {
      while (!over.signal.aborted) {
        const before = [...given]
        const now = new Set(await redis.smembers(KEY.workspacesOf(WARM_POOL)))
        most = Math.max(most, now.size)
        for (const id of before) if (now.has(id)) broken.push(`${id} was somebody's and is in the pool again`)
        await forgetLimits(redis)
        await sleep(SAMPLE_MS)
      }
    })()

    const stuckAt = Date.now() + stuckMs(count)
    const isOver = async (person: Person) => {
      const { operation } = person
      const state = operation === "" ? null : await redis.hget(KEY.operation(operation), "state")
      return state !== null && state !== "queued" && state !== "running"
    }
    let blows = 0
    const striking = (async () => {
      const wanted = Math.max(1, Math.round(count / PEOPLE_A_BLOW))
      await sleep(random() * 500)
      while (blows < wanted && !isEnough() && !(await Promise.all(people.map(isOver))).every(Boolean)) {
        const victim = VICTIMS[Math.floor(random() * VICTIMS.length)] ?? "everything"
        if (await fleet.hit(victim, "SIGKILL")) note({ victim, blow: ++blows })
        await sleep(BETWEEN_MS * (0.5 + random()))
      }
    })()
    await Promise.all(
      people.map(async person => {
        await create(fleet, person, stuckAt).catch(error => broken.push((error as Error).message))
        if (person.workspace !== "") given.add(person.workspace)
      }),
    )
    await striking
    const asked = people.filter(one => one.operation !== "")
    for (;;) {
      const left = (await Promise.all(asked.map(isOver))).filter(isEnded => !isEnded).length
      if (left > 0 && Date.now() > stuckAt) broken.push(`${left} creations are not over`)
      if (left === 0 || Date.now() > stuckAt) break
      await sleep(500)
    }

    const seconds = { taken: [] as number[], made: [] as number[] }
    for (const { operation: id, workspace } of asked) {
      const operation = parseOperation(await redis.hgetall(KEY.operation(id)))
      if (operation?.state !== "succeeded")
        broken.push(`the creation of ${workspace} ended as ${operation?.state}: ${JSON.stringify(operation?.failure)}`)
      if (!operation?.finishedAt) continue
      seconds[operation.wish?.spare ? "taken" : "made"].push((operation.finishedAt - operation.createdAt) / 1_000)
    }
    if (given.size < asked.length) broken.push(`${asked.length - given.size} workspaces were given twice`)
    const missing = [...first].filter(id => !given.has(id))
    if (missing.length > 0 && count >= size) broken.push(`nobody was given ${missing.join(", ")}`)
    const refilled = await waitUntil("the pool is full again", isFull, stuckMs(size)).catch(() => null)
    if (!refilled) {
      const found = (await spares()).map(({ id, state, failure }) => `${id} ${state} ${JSON.stringify(failure)}`)
      broken.push(`the pool was not filled again: ${found.join("; ")}`)
    }
    over.abort()
    await watching
    if (most > size) broken.push(`there were ${most} spare machines, and money for ${size}`)
    broken.push(...(await strays(fleet, read)))
    if (broken.length > 0) broken.push(fleet.output())
    return {
      measurements: [
        ...[
          one("people", "", asked.length),
          one("pool", "", size),
          one("blows", "", blows),
          one("most_spare", "", most),
        ],
        ...[one("taken", "", seconds.taken.length), one("made", "", seconds.made.length)],
        one("taken_p50_s", "s", quantile(seconds.taken, 0.5)),
        one("made_p50_s", "s", quantile(seconds.made, 0.5)),
      ],
      broken,
    }
  } finally {
    over.abort()
    redis.disconnect()
    await fleet.close()
  }
}

/** What the provider has that nobody has, that somebody has twice, or that bears another's name. */
async function strays({ world }: Fleet, read: (id: string) => Promise<Workspace | null>): Promise<string[]> {
  const words: string[] = []
  const all = async (kind: string) => {
    const found: Server[] = []
    for (let page = 1; page !== 0; ) {
      const answer = await world.cloud.api<
        Record<string, Server[]> & { meta: { pagination: { next_page: number | null } } }
      >("GET", `/${kind}?per_page=50&page=${page}`)
      found.push(...(answer[kind] ?? []))
      page = answer.meta.pagination.next_page ?? 0
    }
    return found
  }
  for (const kind of RESOURCES) {
    for (const { id, labels } of await all(kind)) {
      const workspace = await read(labels[LABELS.workspace] ?? "")
      if (!workspace || workspace.state === "TERMINATED") words.push(`${kind} ${id} is nobody's`)
      else if (labels[LABELS.owner] !== workspace.owner)
        words.push(`${kind} ${id} of ${workspace.id} says ${labels[LABELS.owner]}, and is ${workspace.owner}'s`)
    }
  }
  const servers = (await all("servers")).map(({ labels }) => labels[LABELS.workspace])
  for (const [workspace, its] of Map.groupBy(servers, name => name))
    if (its.length > 1) words.push(`${workspace} has ${its.length} machines`)
  return words
}

/** What a small machine costs a month in the region that everybody asks for. */
function priceIn(body: { sizes: { class: string; regions: Record<string, { monthly: number }> }[] }): number {
  return body.sizes.find(one => one.class === "small")?.regions.fsn1?.monthly ?? Number.NaN
}

export const pool: Campaign = {
  about:
    "so many people create a workspace at once where spare machines are kept, and something is killed again and again",
  count: 500,
  run,
}
