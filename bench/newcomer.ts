/** What somebody does who is new to what `npm start` has brought up, for the benches that measure their ways. */
import { join } from "node:path"
import type { Browser, Page } from "playwright-core"
import { readRuntime } from "../local-cloud/runtime-file.ts"
import { findChromium, launchChromium } from "../test/support/chromium.ts"
import { type StartedWorld, startWorldProcess } from "../test/support/started-world.ts"
import { temporaryDirectory } from "../test/support/temporary-directory.ts"
import { waitUntil } from "../test/support/wait-until.ts"
import type { Measurement } from "./measurement.ts"
import { stepEndsIn } from "./step-ends.ts"

/** Rounds of one way if nobody says how many. */
const ROUNDS = 5

/**
 * One newcomer after the other goes the same way in what `npm start` brings up, each with a machine of their own, which
 * was made ahead of them.
 * @param count how many, as an option says it
 */
export async function newcomers<Round>(
  count: string | undefined,
  way: (browser: Browser, world: StartedWorld, round: number) => Promise<Round>,
): Promise<Round[]> {
  const chromium = findChromium()
  if (!chromium) throw new Error("This bench needs Chromium: `npm run setup` installs it.")
  const scratch = await temporaryDirectory("fc-")
  const world = await startWorldProcess(scratch.path)
  const browser = await launchChromium(chromium)
  const rounds: Round[] = []
  try {
    while (rounds.length < Number(count ?? ROUNDS)) {
      await machineAhead(join(scratch.path, "local-cloud"))
      rounds.push(await way(browser, world, rounds.length))
    }
  } finally {
    await browser.close()
    await world.tearDown()
    await scratch.remove()
  }
  return rounds
}

/** How long each phase took. @param points in order, at each of which a phase ends; of them a round has the seconds */
export function phasesOf<Point extends string>(
  points: readonly Point[],
  rounds: readonly Record<Point, number>[],
): Measurement[] {
  return points.map((point, index) => {
    const before = points[index - 1]
    const samples = rounds.map(times => times[point] - (before === undefined ? 0 : times[before]))
    return { metric: `${point}_s`, unit: "s", samples }
  })
}

/** Waits until the local cloud in this folder has the next machine ready, as it has when nobody came for two minutes. */
async function machineAhead(directory: string): Promise<void> {
  await waitUntil(
    "a machine was made ahead",
    async () => {
      const cloud = readRuntime(directory)
      if (cloud === null) throw new Error("The local cloud does not run.")
      const headers = { authorization: `Bearer ${cloud.adminToken}` }
      const { ahead } = (await (await fetch(`${cloud.adminUrl}/machines`, { headers })).json()) as { ahead: number }
      return ahead > 0
    },
    300_000,
  )
}

/** From the landing page, which is open, to being signed in. */
export async function enter(page: Page, world: StartedWorld, name: string): Promise<void> {
  await page.getByRole("link", { name: "Sign in with GitHub" }).first().click()
  await page.locator("#login").fill(name)
  await page.getByRole("button", { name: "Continue" }).click()
  await page.waitForURL(world.url)
}

/** When each step of an operation was done, ms since 1970, out of its events. */
export async function stepEnds(page: Page, world: StartedWorld, operation: string): Promise<Record<string, number>> {
  const answer = await page.context().request.get(`${world.url}api/v1/operations/${operation}/events`)
  return stepEndsIn(await answer.text())
}

/** Deletes the user's workspaces, so that each round has the machine to itself. */
export async function removeAll(page: Page, world: StartedWorld): Promise<void> {
  const { request } = page.context()
  const headers = { origin: new URL(world.url).origin }
  const list = async () =>
    (await (await request.get(`${world.url}api/v1/workspaces`)).json()).workspaces as { id: string }[]
  for (const { id } of await list()) await request.delete(`${world.url}api/v1/workspaces/${id}`, { headers })
  await waitUntil("the workspace is gone", async () => (await list()).length === 0)
}
