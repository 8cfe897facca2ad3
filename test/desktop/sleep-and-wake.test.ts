/// <reference lib="dom" />
import assert from "node:assert/strict"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import type { Browser, BrowserContext, Page } from "playwright-core"
import { builtImage } from "../support/built-image.ts"
import { findChromium, launchChromium } from "../support/chromium.ts"
import { pictureIsThere, runOnDesktop, startMailbox } from "../support/desk.ts"
import { type GoldenWorld, startGoldenWorld } from "../support/golden-world.ts"
import { waitUntil } from "../support/wait-until.ts"

const MINUTES = 60_000
/** Seconds after the last sign of use until it is idle, and from there to the stop; an agent reports every 15 s. */
const IDLE_S = 40
const STOP_S = 20

/** Sessions, windows and panes with their places on the screen and their folders, one a line. */
const LAYOUT = `tmux -u list-panes -a -F '#S:#I.#P #{?automatic-rename,-,#W} #{pane_left},#{pane_top} #{pane_width}x#{pane_height} #{pane_current_path}'`

/** What somebody sets up on their desktop: a file, a hook, two panes side by side, a window with a name, a program. */
const WORK = `mkdir -p ~/work /tmp/elsewhere
echo precious > ~/work/file
sudo tee /etc/foozol/before-stop.d/10-test > /dev/null <<'END'
#!/bin/sh
echo "$(tmux list-panes -a | wc -l) panes" >> ~/before-stop.log
END
sudo chmod +x /etc/foozol/before-stop.d/10-test
tmux split-window -h -c ~/work
tmux send-keys 'echo seen before' Enter
tmux send-keys 'sleep 98765' Enter
tmux new-window -d -n notes -c /srv
until pgrep -x sleep; do sleep 0.2; done
`

/** Work that nobody sees: no output, no files, until it is told to end. */
const build = (end: string) =>
  `until curl -sf ${end} > /dev/null; do i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done; done`

for (const mode of ["power-off", "hibernate"] as const) {
  describe(`sleep and wake of a real machine: ${mode}`, function () {
    this.timeout(20 * MINUTES)
    let world: GoldenWorld
    let mailbox: Awaited<ReturnType<typeof startMailbox>>
    let scripts: Awaited<ReturnType<typeof startScripts>>
    let browser: Browser
    let person: BrowserContext
    let page: Page
    let workspace = ""
    let layout = ""

    before(async function () {
      const chromium = findChromium()
      if (chromium === undefined) {
        this.test?.parent?.eachTest(test => Object.assign(test, { skipReason: "this system has no Chromium" }))
        return this.skip()
      }
      world = await startGoldenWorld(await builtImage(this, "browser"), {
        ...{ FOOZOL_IDLE_SECONDS: String(IDLE_S), FOOZOL_IDLE_STOP_SECONDS: String(STOP_S) },
        ...{ FOOZOL_IDLE_WARNING_SECONDS: "10", FOOZOL_IDLE_CHECK_SECONDS: "2" },
        ...{ FOOZOL_AUTO_STOP: "false", FOOZOL_STOP_MODE: mode },
      })
      mailbox = await startMailbox()
      scripts = await startScripts()
      browser = await launchChromium(chromium)
      person = await browser.newContext({ viewport: { width: 1280, height: 800 }, ignoreHTTPSErrors: true })
    })
    afterEach(function () {
      if (this.currentTest?.state === "failed") console.error(world?.logged().split("\n").slice(-40).join("\n"))
    })
    after(async () => {
      await browser?.close()
      mailbox?.close()
      scripts?.close()
      await world?.close()
    })

    const api = async (method: string, path: string, data?: object) => {
      const headers = { origin: world.url }
      const answer = await person.request.fetch(`${world.url}/api/v1${path}`, {
        method,
        headers,
        ...(data && { data }),
      })
      return answer.json()
    }
    const state = async () => (await api("GET", `/workspaces/${workspace}`)).state as string
    const activity = () => api("GET", `/workspaces/${workspace}/activity`)
    const isIn = (wanted: string) =>
      waitUntil(
        `it is ${wanted}`,
        async () => {
          const now = await state()
          if (now === "FAILED") throw new Error(JSON.stringify(await api("GET", `/workspaces/${workspace}`)))
          return now === wanted
        },
        10 * MINUTES,
      ).catch(async error => {
        throw new Error(`${error.message} ${JSON.stringify(await activity())}`)
      })

    it("opens, and somebody works: a file, panes, a program", async () => {
      page = await person.newPage()
      await page.goto(world.url)
      await page.getByRole("link", { name: "Sign in with GitHub" }).first().click()
      await page.locator("#login").fill("sleeper")
      await page.getByRole("button", { name: "Continue" }).click()
      await page.waitForURL(`${world.url}/`)
      const { workspace: made } = await api("POST", "/workspaces", { name: "Sleeper" })
      workspace = made.id
      await isIn("RUNNING")
      await page.goto(`${world.url}/connect?workspace=${workspace}`)
      await page.waitForURL(/foozol\.localhost/)
      await pictureIsThere(page)
      const done = await runOnDesktop(page, mailbox, `curl -s ${scripts.add("work", WORK)} | sh`)
      assert.match(done, /^\d+$/m)
      // The new pane has the keys now; the one at the left runs nothing.
      layout = await shell(`ls ~/work; ${LAYOUT}`)
      assert.match(layout, /^file$/m)
      assert.equal(layout.match(/^main:/gm)?.length, 3, layout)
    })

    /** Runs a line in the pane at the left, whichever has the keys. */
    async function shell(line: string): Promise<string> {
      const before = mailbox.mails.length
      const url = scripts.add("line", `{ ${line}; } 2>&1 | curl -s --data-binary @- ${mailbox.address} > /dev/null`)
      const box = await page.locator("#screen canvas").boundingBox()
      if (!box) throw new Error("The viewer shows no desktop.")
      for (let attempt = 0; attempt < 5; attempt++) {
        // The mouse is tmux's too: a click chooses a pane.
        await page.mouse.click(box.x + box.width * 0.05, box.y + box.height / 2)
        await page.keyboard.press("Control+u")
        await page.keyboard.type(`curl -s ${url} | sh`, { delay: 40 })
        await page.keyboard.press("Enter")
        const came = await waitUntil("an answer", () => mailbox.mails[before] !== undefined, 40_000).catch(() => false)
        if (came) return mailbox.mails[before] as string
      }
      throw new Error(`Typing into the terminal had no effect: ${line}`)
    }

    it("a build in a terminal holds the machine up without a viewer, and is what it is judged by", async () => {
      const end = scripts.hidden("end", "yes")
      await shell(`(nohup sh -c '${build(end)}' > /dev/null 2>&1 &)`)
      await page.close()
      await api("PATCH", `/workspaces/${workspace}`, { autoStop: true })
      const held = await waitUntil(
        "nothing but the build holds it up",
        async () => {
          const found = await activity()
          return found.because.join() === "work" && found
        },
        5 * MINUTES,
      ).catch(async error => {
        throw new Error(`${error.message} ${JSON.stringify(await activity())}`)
      })
      assert.equal(held.verdict, "active")
      // Long past the time at which it would have been stopped.
      const from = Date.now()
      await waitUntil("time passes", () => Date.now() - from > (IDLE_S + STOP_S) * 1_500, 10 * MINUTES)
      assert.equal(await state(), "RUNNING")
      assert.deepEqual((await activity()).because, ["work"])
      scripts.show("end")
    })

    it("then it becomes idle and stops by itself", async () => {
      await isIn("STOPPED")
      const shown = await api("GET", `/workspaces/${workspace}`)
      assert.equal(shown.asleep, mode === "hibernate")
      const { servers } = await world.cloud.api<{ servers: { status: string }[] }>("GET", "/servers")
      assert.deepEqual(
        servers.map(one => one.status),
        mode === "hibernate" ? [] : ["off"],
      )
      const said = world.logged()
      assert.doesNotMatch(said, /did not shut down by itself/)
    })

    it("a visit to /connect wakes it: same files, same panes in the same places, their text, no programs", async () => {
      await api("PATCH", `/workspaces/${workspace}`, { autoStop: false })
      page = await person.newPage()
      await page.goto(`${world.url}/connect?workspace=${workspace}`)
      if (page.url().includes("/connect")) await page.getByRole("button", { name: "Start and open my desktop" }).click()
      await page.waitForURL(/foozol\.localhost/, { timeout: 10 * MINUTES })
      await pictureIsThere(page)
      const now = await shell(`cat ~/work/file; ls ~/work; ${LAYOUT}`)
      assert.match(now, /^precious$/m)
      isLaidOut(now.slice(now.indexOf("file")), layout)
      assert.equal(await shell("pgrep -ax sleep | grep 98765 || echo none"), "none")
      assert.match(await shell("tmux -u capture-pane -p -t main:0.1"), /seen before[\s\S]*until here before/)
    })

    it("the hook before the stop ran, once, with the terminals still there", async () => {
      assert.equal(await shell("cat ~/before-stop.log"), "3 panes")
      assert.match(await shell("sudo journalctl -q -u foozol-before-stop | cat"), /10-test: done/)
    })
  })
}

/**
 * The same sessions, windows, panes and folders in the same places. To a character: the terminal's window opens in one
 * size and is then laid out in another, which tmux shares out by rounding.
 */
function isLaidOut(now: string, before: string): void {
  const shape = (text: string) => text.replaceAll(/\d+,\d+ \d+x\d+/g, "place")
  assert.equal(shape(now), shape(before))
  const numbers = (text: string) => [...text.matchAll(/\d+/g)].map(Number)
  const [is, was] = [numbers(now), numbers(before)]
  for (const [index, number] of is.entries()) assert.ok(Math.abs(number - (was[index] ?? 0)) <= 1, `${now}\n${before}`)
}

/** Serves scripts to machines; what is hidden is not found until it is shown. */
async function startScripts() {
  const all = new Map<string, { text: string; hidden: boolean }>()
  const server = createServer((request, response) => {
    const found = all.get(request.url?.slice(1) ?? "")
    if (!found || found.hidden) response.writeHead(404)
    response.end(found && !found.hidden ? found.text : "")
  })
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
  const url = (name: string) => `169.254.0.2:${(server.address() as AddressInfo).port}/${name}`
  const set = (name: string, text: string, hidden: boolean) => {
    all.set(name, { text, hidden })
    return url(name)
  }
  return {
    add: (name: string, text: string) => set(name, text, false),
    hidden: (name: string, text: string) => set(name, text, true),
    show: (name: string) => set(name, all.get(name)?.text ?? "", false),
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
