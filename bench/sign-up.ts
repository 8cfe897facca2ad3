/**
 * From the click on "Sign in with GitHub" to the first picture of one's own desktop, in Chromium against what
 * `npm start` brings up, with a real machine: what a new user waits for, and where the time goes.
 */
import type { Browser } from "playwright-core"
import { pictureIsThere } from "../test/support/desk.ts"
import type { StartedWorld } from "../test/support/started-world.ts"
import type { Measurement } from "./measurement.ts"
import { enter, newcomers, phasesOf, removeAll, stepEnds } from "./newcomer.ts"

/** Points of the way, in order; each phase ends at one. */
const PHASES = ["signed_in", "asked_for", "resources", "boot", "desktop", "entered", "picture"] as const
type Phase = (typeof PHASES)[number]

/** @param options.count rounds, each with a machine of its own, which was made ahead of it */
export async function bench({ count }: { count?: string }): Promise<Measurement[]> {
  const rounds = await newcomers(count, signUp)
  return [{ metric: "signup_s", unit: "s", samples: rounds.map(times => times.picture) }, ...phasesOf(PHASES, rounds)]
}

/** One new user's way; seconds since the click, by point. */
async function signUp(browser: Browser, world: StartedWorld, round: number): Promise<Record<Phase, number>> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ignoreHTTPSErrors: true })
  const page = await context.newPage()
  await page.goto(world.url)
  const begun = Date.now()
  const since = (at = Date.now()) => (at - begun) / 1000
  await enter(page, world, `newcomer-${round}`)
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
  await removeAll(page, world)
  await context.close()
  return times
}
