/// <reference lib="dom" />
import { readdirSync, readFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import type { BrowserContext, Page } from "playwright-core"
import { HOST_FROM_MACHINES } from "../../local-cloud/host-address.ts"
import { builtImage } from "./built-image.ts"
import { findChromium, launchChromium } from "./chromium.ts"
import { pictureIsThere, startMailbox } from "./desk.ts"
import { type GoldenWorld, startGoldenWorld } from "./golden-world.ts"
import { skipSuite } from "./skip.ts"
import { waitUntil } from "./wait-until.ts"

const MINUTES = 60_000

/** A person in a browser with a workspace whose machine is real. */
export interface GoldenDesk {
  world: GoldenWorld
  workspace: string
  scripts: Awaited<ReturnType<typeof startScripts>>
  // biome-ignore lint/suspicious/noExplicitAny: tests look into what they know
  api(method: string, path: string, data?: object): Promise<any>
  state(): Promise<string>
  /** The tab that is open. */
  page(): Page
  /** Waits until the workspace, or another one that is named, is in a state. @throws at once when it has failed */
  isIn(state: string, workspace?: string): Promise<void>
  /** Opens the desktop by /connect, which wakes it, and waits for its picture; of another workspace where one is named. */
  open(workspace?: string): Promise<void>
  /** Closes the tab. */
  closeTab(): Promise<void>
  /** Runs a script in the pane at the left, whichever has the keys, and returns what it printed, without its end. */
  shell(script: string): Promise<string>
  close(): Promise<void>
}

/**
 * On a system without Chromium the suite is skipped.
 * @param settings of the service
 * @param prepare brings up what the first workspace needs, and says in which home directory a browser trusts its
 *   machine; without it, the browser goes past every warning
 * @param wish what the workspace shall be beside its name
 */
export async function startGoldenDesk(
  hook: Mocha.Context,
  settings: Record<string, string>,
  prepare?: (world: GoldenWorld) => Promise<{ home: string }>,
  wish: object = {},
): Promise<GoldenDesk> {
  const chromium = findChromium()
  if (chromium === undefined) return skipSuite(hook, "this system has no Chromium")
  const world = await startGoldenWorld(await builtImage(hook, "browser"), settings)
  const home = await prepare?.(world).then(prepared => prepared.home)
  const browsing = launchChromium(chromium, home)
  const [mailbox, scripts, browser] = await Promise.all([startMailbox(), startScripts(), browsing])
  const ignoreHTTPSErrors = home === undefined
  const person = await browser.newContext({ viewport: { width: 1280, height: 800 }, ignoreHTTPSErrors })
  let page = await signIn(person, world.url)

  const api: GoldenDesk["api"] = async (method, path, data) => {
    const headers = { origin: world.url }
    const answer = await person.request.fetch(`${world.url}/api/v1${path}`, { method, headers, ...(data && { data }) })
    const text = await answer.text()
    return text === "" ? null : JSON.parse(text)
  }
  const made = await api("POST", "/workspaces", { name: "Desk", ...wish })
  const workspace = made.workspace.id as string
  const shown = (which = workspace) => api("GET", `/workspaces/${which}`)

  const desk: GoldenDesk = {
    ...{ world, workspace, scripts, api, page: () => page },
    state: async () => (await shown()).state,
    async isIn(wanted, which) {
      await waitUntil(
        `it is ${wanted}`,
        async () => {
          const now = await shown(which)
          // What is to fail ends otherwise; this would wait in vain.
          if (now.state === "FAILED" && wanted !== "FAILED") return "FAILED"
          return now.state === wanted && "as wanted"
        },
        12 * MINUTES,
      ).then(
        async end => {
          if (end !== "FAILED") return
          const now = await shown(which)
          throw new Error(`It has failed: ${JSON.stringify(now.failure)}\n${lastWords(world.cloud.directory)}`)
        },
        async error => {
          throw new Error(`${error.message} ${JSON.stringify(await api("GET", `/workspaces/${workspace}/activity`))}`)
        },
      )
    },
    async open(which = workspace) {
      if (page.isClosed()) page = await person.newPage()
      await page.goto(`${world.url}/connect?workspace=${which}`)
      if (page.url().includes("/connect")) await page.getByRole("button", { name: "Start and open my desktop" }).click()
      await page.waitForURL(/foozol\.localhost/, { timeout: 12 * MINUTES })
      await pictureIsThere(page)
    },
    closeTab: () => page.close(),
    async shell(script) {
      const before = mailbox.mails.length
      const name = `script-${before}`
      const url = scripts.add(name, `{ ${script}\n} 2>&1 | curl -s --data-binary @- ${mailbox.address} > /dev/null\n`)
      const box = await page.locator("#screen canvas").boundingBox()
      if (!box) throw new Error("The viewer shows no desktop.")
      const isThere = () => mailbox.mails[before] !== undefined
      for (let attempt = 0; attempt < 5; attempt++) {
        // The mouse is tmux's too: a click chooses a pane.
        await page.mouse.click(box.x + box.width * 0.05, box.y + box.height / 2)
        await page.keyboard.press("Control+u")
        await page.keyboard.type(`curl -s ${url} | bash`, { delay: 40 })
        await page.keyboard.press("Enter")
        // Typed again when it was not heard; what was fetched is at work.
        const came = await waitUntil("an answer", isThere, 40_000).catch(() => false)
        if (came || scripts.asked(name)) return waitUntil("the script's end", () => mailbox.mails[before], 10 * MINUTES)
      }
      throw new Error(`Typing into the terminal had no effect: ${script}`)
    },
    async close() {
      await browser.close()
      mailbox.close()
      scripts.close()
      await world.close()
    },
  }
  await desk.isIn("RUNNING")
  return desk
}

/** What every machine printed last, which is nothing much while all is well. */
function lastWords(folder: string): string {
  const consoles = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(one => one.endsWith("console.log"))
  const tail = (path: string) => readFileSync(join(folder, path), "utf8").trimEnd().split("\n").slice(-25)
  return consoles.flatMap(path => [`${path}:`, ...tail(path)]).join("\n")
}

async function signIn(person: BrowserContext, url: string): Promise<Page> {
  const page = await person.newPage()
  await page.goto(url)
  await page.getByRole("link", { name: "Sign in with GitHub" }).first().click()
  await page.locator("#login").fill("somebody")
  await page.getByRole("button", { name: "Continue" }).click()
  await page.waitForURL(`${url}/`)
  return page
}

/** Serves scripts to machines; what is hidden is not found until it is shown. */
async function startScripts() {
  const all = new Map<string, { text: string; hidden: boolean; asked: boolean }>()
  const server = createServer((request, response) => {
    const found = all.get(request.url?.slice(1) ?? "")
    if (!found || found.hidden) response.writeHead(404)
    if (found) found.asked = true
    response.end(found && !found.hidden ? found.text : "")
  })
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
  const url = (name: string) => `${HOST_FROM_MACHINES}:${(server.address() as AddressInfo).port}/${name}`
  const set = (name: string, text: string, hidden: boolean) => {
    all.set(name, { text, hidden, asked: false })
    return url(name)
  }
  return {
    add: (name: string, text: string) => set(name, text, false),
    hidden: (name: string, text: string) => set(name, text, true),
    show: (name: string) => set(name, all.get(name)?.text ?? "", false),
    asked: (name: string) => all.get(name)?.asked ?? false,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
