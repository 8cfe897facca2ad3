import type { TestFault } from "../support/local-cloud.ts"
import { seeded } from "../support/seeded.ts"
import { startTestService, type TestService } from "../support/service.ts"
import { askWorkspace, type WorkspaceLife } from "../support/workspace-life.ts"
import { type Campaign, type Outcome, one, type Plan, quantile, shares } from "./campaign.ts"
import { leftOver, RESOURCES } from "./left-over.ts"

/** Part of the provider's requests that go wrong, by how. */
export const SHARES: [number, TestFault["fault"]][] = [
  [0.05, { kind: "status", status: 429, code: "rate_limit_exceeded" }],
  [0.05, { kind: "status", status: 503 }],
  [0.02, { kind: "drop_before" }],
  [0.04, { kind: "drop_after" }],
  [0.03, { kind: "fail_action" }],
  [0.01, { kind: "hang" }],
]
/** How often a person presses "Try again" before they give up. */
const PRESSES = 5
const LANES = 4
/** Requests that Hetzner gives a project a day: 3,600 an hour. Half of them is for lives that begin and end. */
const BUDGET_A_DAY = 24 * 3_600

interface Life {
  workspace: string
  seconds: number
  /** Operations that did not succeed by themselves. */
  presses: number
  /** Why they did not. */
  failures: string[]
  words: string[]
}

/** What somebody does with a workspace from its beginning to its end. */
const DEEDS: ((desk: WorkspaceLife) => Promise<string>)[] = [
  desk => desk.begins("backups", {}),
  desk => desk.begins("stop?mode=hibernate"),
  desk => desk.begins("start"),
  desk => desk.begins("resize", { sizeClass: "medium" }),
  desk => desk.begins("stop"),
  desk => desk.begins("start"),
]

async function live(test: TestService, token: string, pause: () => number): Promise<Life> {
  const began = performance.now()
  const life: Life = { workspace: "", seconds: 0, presses: 0, failures: [], words: [] }
  async function untilDone(first: string): Promise<boolean> {
    let operation = first
    for (let press = 0; ; press++) {
      const end = await test.finished(token, operation)
      if (end.state === "succeeded") return true
      life.presses++
      life.failures.push(`${end.kind} ${end.failure?.id}: ${detailOf(test, operation)}`)
      if (press === PRESSES) {
        life.words.push(`${life.workspace}: given up after ${PRESSES} tries: ${JSON.stringify(end.failure)}`)
        return false
      }
      const again = await test.api(token, "POST", `/operations/${operation}/retry`)
      // What returned to rest is not failed: what it was for is asked for no more.
      if (again.status !== 202) return true
      operation = again.body.operation.id
    }
  }
  const { desk, operation } = await askWorkspace(test, token)
  life.workspace = desk.id
  let isWell = await untilDone(operation)
  for (const deed of DEEDS) {
    if (!isWell) break
    await new Promise(resolve => setTimeout(resolve, pause()))
    isWell = await untilDone(await deed(desk))
  }
  const gone = await test.api(token, "DELETE", `/workspaces/${desk.id}`)
  await untilDone(gone.body.operation.id)
  life.seconds = (performance.now() - began) / 1_000
  return life
}

/** What the operator's log says of an operation that failed. */
function detailOf(test: TestService, operation: string): string {
  const line = test
    .logged()
    .split("\n")
    .findLast(text => text.includes(operation) && text.includes('"level":50'))
  return line ? String((JSON.parse(line) as { detail?: string }).detail).slice(-600) : ""
}

async function world(
  share: number,
  seed: number,
  faulty: boolean,
  { isEnough, note }: Pick<Plan, "isEnough" | "note">,
) {
  const random = seeded(seed)
  const test = await startTestService({
    ...{ FOOZOL_PROVIDER_PATIENCE_SECONDS: "900", FOOZOL_READY_SECONDS: "120", FOOZOL_OPERATIONS_PER_PROVIDER: "8" },
    // A hundred requests a life, and one in a hundred hangs: each must not take ten minutes.
    FOOZOL_ENGINE_SILENCE_SECONDS: "30",
  })
  try {
    const tokens = await Promise.all(
      Array.from({ length: Math.min(LANES, share) }, async (_, at) => test.token(await test.signIn(`user-${at}`))),
    )
    const before = await test.cloud.requestCount()
    if (faulty) for (const [probability, fault] of SHARES) await test.cloud.addFault({ probability, fault })
    const lives: Life[] = []
    let begun = 0
    await Promise.all(
      tokens.map(async token => {
        while (!isEnough() && begun++ < share) {
          const life = await live(test, token, () => random() * 500)
          lives.push(life)
          note({ ...life })
        }
      }),
    )
    const made = (await test.cloud.requestCount()) - before
    await test.cloud.clearFaults()
    const left = await leftOver(test.cloud, RESOURCES)
    const orphans = [...left.values()].reduce((sum, found) => sum + found, 0)
    return { lives, orphans, requests: made }
  } finally {
    await test.close()
  }
}

async function run({ count, seed, worlds, ...plan }: Plan): Promise<Outcome> {
  const calm = await world(4, seed, false, { isEnough: () => false, note: () => {} })
  const all = await Promise.all([...shares(count, worlds)].map((share, at) => world(share, seed + at, true, plan)))
  const lives = all.flatMap(one => one.lives)
  const orphans = all.reduce((sum, one) => sum + one.orphans, 0)
  const perLife = all.reduce((sum, one) => sum + one.requests, 0) / lives.length
  const seconds = lives.map(one => one.seconds)
  const words = lives.flatMap(one => one.words)
  return {
    measurements: [
      one("lives", "", lives.length),
      one("orphans", "", orphans),
      one("given_up", "", words.length),
      one(
        "by_hand",
        "",
        lives.reduce((sum, life) => sum + life.presses, 0),
      ),
      one("requests_a_life", "", perLife),
      one("calm_requests", "", calm.requests / calm.lives.length),
      one("lives_a_day", "", BUDGET_A_DAY / 2 / perLife),
      one("life_p50_s", "s", quantile(seconds, 0.5)),
      one("life_p99_s", "s", quantile(seconds, 0.99)),
    ],
    broken: [...words, ...(orphans > 0 ? [`left over: ${orphans}`] : [])],
  }
}

export const weather: Campaign = {
  about: "every fifth request to the provider goes wrong, over whole lives of workspaces",
  count: 500,
  run,
}
