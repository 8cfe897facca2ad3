/**
 * From asking for a workspace from a repository to the prompt in its folder, in the terminal page of Chromium, against
 * what `npm start` brings up and a host of repositories that answers over https on this computer.
 */
import type { Browser } from "playwright-core"
import { HOST_FROM_MACHINES } from "../local-cloud/host-address.ts"
import { type GitHost, startGitHost } from "../test/support/git-host.ts"
import type { StartedWorld } from "../test/support/started-world.ts"
import { temporaryDirectory } from "../test/support/temporary-directory.ts"
import { waitUntil } from "../test/support/wait-until.ts"
import type { Measurement } from "./measurement.ts"
import { enter, newcomers, phasesOf, removeAll, stepEnds } from "./newcomer.ts"

/** Points of the way, in order; each phase ends at one. */
const PHASES = ["resources", "boot", "desktop", "prompt"] as const
type Phase = (typeof PHASES)[number]
/** Seconds since it was asked for. The repository comes beside the other phases. */
type Round = Record<Phase | "fetched", number>
const MINUTES = 60_000

/** @param options.count rounds, each with a machine of its own, which was made ahead of it */
export async function bench({ count }: { count?: string }): Promise<Measurement[]> {
  const scratch = await temporaryDirectory()
  const git = await startGitHost(scratch.path)
  await git.make("ada/tool", { main: { "README.md": "the tool\n", "src/main.js": "console.log('tool')\n" } })
  const rounds = await newcomers(count, (browser, world, round) => firstPrompt(browser, world, git, round)).finally(
    async () => {
      await git.close()
      await scratch.remove()
    },
  )
  const total = (metric: string, point: keyof Round) => ({
    metric,
    unit: "s",
    samples: rounds.map(times => times[point]),
  })
  return [total("first_prompt_s", "prompt"), total("fetched_after_s", "fetched"), ...phasesOf(PHASES, rounds)]
}

/** One new user's way; seconds since they asked, by point. */
async function firstPrompt(browser: Browser, world: StartedWorld, git: GitHost, round: number): Promise<Round> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ignoreHTTPSErrors: true })
  const page = await context.newPage()
  await page.goto(world.url)
  await enter(page, world, `newcomer-${round}`)
  const headers = { origin: new URL(world.url).origin }
  const api = async (method: string, path: string, data?: object) => {
    const answer = await context.request.fetch(`${world.url}api/v1${path}`, { method, headers, ...(data && { data }) })
    if (!answer.ok()) throw new Error(`${method} ${path} was answered ${answer.status()}: ${await answer.text()}`)
    return answer.json()
  }
  // The host's certificate is its own; what is measured does not hang on who has signed it.
  await context.request.put(`${world.url}api/v1/secrets/GIT_SSL_NO_VERIFY`, { headers, data: { value: "true" } })
  const proxy = `http://${HOST_FROM_MACHINES}:${new URL(git.environment.https_proxy ?? "").port}`
  const begun = Date.now()
  const since = (at = Date.now()) => (at - begun) / 1000
  const { workspace, operation } = await api("POST", "/workspaces", {
    ...{ name: "Tool", proxy, repository: { url: "https://github.com/ada/tool" } },
  })
  let fetched = Number.NaN
  const isFetched = waitUntil(
    "the repository is fetched",
    async () => (await api("GET", `/workspaces/${workspace.id}`)).repository.state === "fetched",
    15 * MINUTES,
  ).then(() => {
    fetched = since()
  })
  await waitUntil(
    "the workspace is there",
    async () => isRunning(await api("GET", `/workspaces/${workspace.id}`)),
    15 * MINUTES,
  )
  await page.goto(`${world.url}connect?workspace=${workspace.id}&to=terminal`)
  const prompt = async () => {
    await page.waitForSelector('html[data-state="connected"]', { timeout: 15 * MINUTES })
    const rows = await page.$$eval(".xterm-rows > div", all => all.map(row => row.textContent ?? ""))
    return rows.some(row => /^~\/tool .*❯\s*$/.test(row))
  }
  await waitUntil("the prompt in the repository's folder", prompt, 15 * MINUTES)
  const there = since()
  await isFetched
  const ended = await stepEnds(page, world, operation.id)
  await removeAll(page, world)
  await context.close()
  return {
    ...{ resources: since(ended.resources), boot: since(ended.boot), desktop: since(ended.desktop) },
    ...{ fetched, prompt: there },
  }
}

function isRunning({ state, failure }: { state: string; failure: unknown }): boolean {
  if (state === "FAILED") throw new Error(`It has failed: ${JSON.stringify(failure)}`)
  return state === "RUNNING"
}
