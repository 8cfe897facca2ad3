import { readdirSync, readFileSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { attempt } from "../support/engine-processes.ts"
import { seeded } from "../support/seeded.ts"
import { type Campaign, type Outcome, one, type Plan, totals } from "./campaign.ts"
import { pick } from "./drawn-rounds.ts"
import { type Fleet, startFleet, VICTIMS } from "./fleet.ts"
import { leftOver, lingering, RESOURCES, stays } from "./left-over.ts"
import { type Life, live } from "./lives.ts"
import { SHARES } from "./weather.ts"

const MINUTE_MS = 60_000
/** From one fault to the next. */
const EVERY_MS = 30_000
/** People who create, stop, wake and delete all the time. */
const PEOPLE = 3
/** Between two looks at the processes. */
const LOOK_MS = 5_000
/** What a process needs to have everything loaded; of a short run a third. */
const WARM_UP_MS = 10 * MINUTE_MS
/** More than this is growth: handles, and share of memory in a run that is long enough to tell. */
const MOST_HANDLES = 20
const MOST_MEMORY = 0.25
const TELLING_MINUTES = 30
const STORM_MS = 20_000
const FREEZE_MS = 25_000

/** What goes wrong, of all kinds. Each ends by itself. @returns false where there was nothing to do it to */
const FAULTS: Record<string, (fleet: Fleet, random: () => number) => Promise<unknown>> = {
  ...Object.fromEntries(
    VICTIMS.filter(victim => victim !== "web").map(victim => [
      `${victim} killed`,
      (fleet: Fleet) => fleet.hit(victim, "SIGKILL"),
    ]),
  ),
  "worker ended": fleet => fleet.hit("worker", "SIGTERM"),
  "worker frozen": async (fleet, random) => {
    const thaw = fleet.freeze(random() < 0.5)
    if (!thaw) return false
    await sleep(FREEZE_MS)
    thaw()
  },
  "Redis killed": ({ world }) => world.redis.crash(),
  "Redis frozen": async ({ world }, random) => {
    world.redis.freeze()
    await sleep(random() * FREEZE_MS)
    world.redis.thaw()
  },
  "provider storm": async ({ world }) => {
    for (const [probability, fault] of SHARES) await world.cloud.addFault({ probability, fault })
    await sleep(STORM_MS)
    await world.cloud.clearFaults()
  },
}

/** What a process holds. */
interface Held {
  role: string
  at: number
  rssMb: number
  handles: number
}

function look({ role, pid }: { role: string; pid: number }): Held | null {
  const rss = attempt(() => /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1])
  const handles = attempt(() => readdirSync(`/proc/${pid}/fd`).length)
  return rss && handles ? { role, at: Date.now(), rssMb: Number(rss) / 1024, handles } : null
}

const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

/** Medians of the first third and the last, of what is after the warm-up. */
function growth(held: Held[], of: (one: Held) => number): { before: number; after: number } {
  const [began, ended] = [held[0]?.at ?? 0, held.at(-1)?.at ?? 0]
  const warm = held.filter(one => one.at - began >= Math.min(WARM_UP_MS, (ended - began) / 3))
  const third = Math.max(1, Math.floor(warm.length / 3))
  return { before: median(warm.slice(0, third).map(of)), after: median(warm.slice(-third).map(of)) }
}

async function world(minutes: number, seed: number, note: Plan["note"]) {
  const random = seeded(seed)
  const fleet = await startFleet({
    ...{ workers: 2, steady: true },
    settings: {
      ...{ FOOZOL_FINAL_SNAPSHOT_DAYS: "0", FOOZOL_PROVIDER_PATIENCE_SECONDS: "900", FOOZOL_READY_SECONDS: "120" },
      FOOZOL_ENGINE_SILENCE_SECONDS: "30",
    },
  })
  try {
    const until = Date.now() + minutes * MINUTE_MS
    const [lives, held, words]: [Life[], Held[], string[]] = [[], [], []]
    let faults = 0
    const people = Array.from({ length: PEOPLE }, async (_, at) => {
      const token = await fleet.world.token(await fleet.world.signIn(`user-${at}`))
      while (Date.now() < until) {
        const life = await live(fleet.world, token, random)
        if (life.words.length > 0) life.words.push(fleet.complaints(life.workspace))
        note({ ...life })
        lives.push(life)
      }
    })
    const watching = (async () => {
      for (; Date.now() < until; await sleep(LOOK_MS)) held.push(...fleet.steady().flatMap(one => look(one) ?? []))
    })()
    for (let next = Date.now() + EVERY_MS; next < until; next = Math.max(next + EVERY_MS, Date.now())) {
      await sleep(Math.max(0, next - Date.now()))
      const what = pick(Object.keys(FAULTS), random)
      const struck = (await FAULTS[what]?.(fleet, random)) !== false
      if (struck) faults++
      note({ fault: what, struck })
    }
    await Promise.all([...people, watching])
    for (const [kind, found] of await leftOver(fleet.world.cloud, [...RESOURCES, "images?type=snapshot"]))
      words.push(`left over: ${found} ${kind}`)
    const left = await lingering(fleet)
    if (left.length > 0) words.push(stays(left))
    words.push(...lives.flatMap(life => life.words))
    if (words.length > 0) words.push(fleet.output())
    return { lives, held, words, faults, left: left.length }
  } finally {
    await fleet.close()
  }
}

async function run({ count: minutes, seed, worlds, note }: Plan): Promise<Outcome> {
  const all = await Promise.all(Array.from({ length: worlds }, (_, at) => world(minutes, seed + 1_000 * at, note)))
  const broken = all.flatMap(one => one.words)
  const measurements = ["web", "worker"].flatMap(role => {
    const grown = all.map(({ held }) => {
      const its = held.filter(one => one.role === role)
      return { memory: growth(its, one => one.rssMb), handles: growth(its, one => one.handles) }
    })
    for (const { memory, handles } of grown) {
      if (handles.after - handles.before > MOST_HANDLES)
        broken.push(`${role}: ${handles.before} handles have become ${handles.after}`)
      if (minutes >= TELLING_MINUTES && memory.after > memory.before * (1 + MOST_MEMORY))
        broken.push(`${role}: ${memory.before} MB have become ${memory.after}`)
    }
    return [
      { metric: `${role}_rss_mb`, unit: "MB", samples: grown.map(({ memory }) => memory.after) },
      { metric: `${role}_rss_growth_mb`, unit: "MB", samples: grown.map(({ memory }) => memory.after - memory.before) },
      { metric: `${role}_handles`, unit: "", samples: grown.map(({ handles }) => handles.after) },
      {
        metric: `${role}_handles_growth`,
        unit: "",
        samples: grown.map(({ handles }) => handles.after - handles.before),
      },
    ]
  })
  const lives = all.flatMap(one => one.lives)
  return {
    measurements: [
      one("minutes", "min", minutes),
      one("lives", "", lives.length),
      ...totals(all, { faults: ({ faults }) => faults, left_processes: ({ left }) => left }),
      ...totals(lives, {
        by_hand: ({ presses }) => presses,
        lost: ({ isLost }) => Number(isLost),
        duplicates: ({ duplicates }) => duplicates,
      }),
      ...measurements,
    ],
    broken,
  }
}

export const hour: Campaign = {
  about: "so many minutes with a fault of any kind every 30 s while people come and go; memory and handles must stay",
  count: 60,
  run,
}
