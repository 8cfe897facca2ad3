/**
 * From the click on "Sign in with GitHub" to the first picture of one's own desktop, in Chromium against what
 * `npm start` brings up, with a real machine: what a new user waits for, and where the time goes.
 */
import type { Browser, Page } from "playwright-core"
import { findChromium, launchChromium } from "../test/support/chromium.ts"
import { pictureIsThere } from "../test/support/desk.ts"
import { type StartedWorld, startWorldProcess } from "../test/support/started-world.ts"
import { temporaryDirectory } from "../test/support/temporary-directory.ts"
import { waitUntil } from "../test/support/wait-until.ts"
import type { Measurement } from "./measurement.ts"
import { stepEndsIn } from "./step-ends.ts"

/** Points of the way, in order; each phase ends at one. */
const PHASES = ["signed_in", "asked_for", "resources", "boot", "desktop", "entered", "picture"] as const
type Phase = (typeof PHASES)[number]

/** @param options.count rounds, each with a machine of its own; 5 if not given */
export async function bench(options: { count?: string }): Promise<Measurement[]> {
  const chromium = findChromium()
  if (!chromium) throw new Error("This bench needs Chromium: `npm run setup` installs it.")
  const scratch = await temporaryDirectory("fc-")
  const world = await startWorldProcess(scratch.path)
  const browser = await launchChromium(chromium)
  const rounds: Record<Phase, number>[] = []
  try {
    for (let round = 0; round < Number(options.count ?? 5); round++) rounds.push(await signUp(browser, world, round))
  } finally {
    await browser.close()
    await world.tearDown()
    await scratch.remove()
  }
  const phases = PHASES.map((phase, index) => ({
    metric: `${phase}_s`,
    unit: "s",
    samples: rounds.map(times => times[phase] - (index === 0 ? 0 : times[PHASES[index - 1] as Phase])),
  }))
  return [{ metric: "signup_s", unit: "s", samples: rounds.map(times => times.picture) }, ...phases]
}

/** One new user's way; seconds since the click, by point. */
async function signUp(browser: Browser, world: StartedWorld, round: number): Promise<Record<Phase, number>> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ignoreHTTPSErrors: true })
  const page = await context.newPage()
  await page.goto(world.url)
  const begun = Date.now()
  const since = (at = Date.now()) => (at - begun) / 1000
  await page.getByRole("link", { name: "Sign in with GitHub" }).first().click()
  await page.locator("#login").fill(`newcomer-${round}`)
  await page.getByRole("button", { name: "Continue" }).click()
  await page.waitForURL(world.url)
  const signedIn = since()
  await page
    .getByRole("link", { name: /create|new workspace/i })
    .first()
    .click()
  await page.getByRole("button", { name: "Create workspace" }).click()
  await page.waitForURL(/\/operations\//)
  const askedFor = since()
  const operation = new URL(page.url()).pathname.split("/").at(-1) as string
  await page.waitForURL(/foozol\.localhost/, { timeout: 900_000 })
  const entered = since()
  await pictureIsThere(page)
  const picture = since()
  const ended = await stepEnds(page, world, operation)
  const times = {
    ...{ signed_in: signedIn, asked_for: askedFor },
    ...{ resources: since(ended.resources), boot: since(ended.boot), desktop: since(ended.desktop) },
    ...{ entered, picture },
  }
  await remove(page, world)
  await context.close()
  return times
}

/** When each step of an operation was done, ms since 1970, out of its events. */
async function stepEnds(page: Page, world: StartedWorld, operation: string): Promise<Record<string, number>> {
  const answer = await page.context().request.get(`${world.url}api/v1/operations/${operation}/events`)
  return stepEndsIn(await answer.text())
}

/** Deletes the user's workspace, so that each round has the machine to itself. */
async function remove(page: Page, world: StartedWorld): Promise<void> {
  const { request } = page.context()
  const headers = { origin: new URL(world.url).origin }
  const list = async () =>
    (await (await request.get(`${world.url}api/v1/workspaces`)).json()).workspaces as { id: string }[]
  for (const { id } of await list()) await request.delete(`${world.url}api/v1/workspaces/${id}`, { headers })
  await waitUntil("the workspace is gone", async () => (await list()).length === 0)
}
