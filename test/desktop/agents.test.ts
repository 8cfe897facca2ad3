import assert from "node:assert/strict"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core"
import { which } from "../../tools/setup/run.ts"
import { installAgentProgram } from "../support/agent-window.ts"
import { findChromium, launchChromium } from "../support/chromium.ts"
import { type MachineNginx, startMachineNginx } from "../support/machine-nginx.ts"
import { enterMachine, shootPage } from "../support/machine-page.ts"
import { skipSuite } from "../support/skip.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import { startTestAgent, type TestAgent } from "../support/test-agent.ts"
import { startTmux, type TmuxServer } from "../support/tmux-server.ts"
import { waitUntil } from "../support/wait-until.ts"

/** The page of agents in a real browser: through a machine's NGINX and its agent to a stand-in of Claude Code in tmux. */
describe("page of agents", () => {
  let browser: Browser
  let root: Awaited<ReturnType<typeof temporaryDirectory>>
  let tmux: TmuxServer
  let desk: TestAgent
  let nginx: MachineNginx
  let context: BrowserContext
  let page: Page
  let faults: string[]

  const state = (name: string) => page.waitForSelector(`html[data-state="${name}"]`, { timeout: 60_000 })
  const shows = (selector: string, text: string | RegExp) =>
    waitUntil(`${selector} shows ${text}`, async () => {
      const all = await page.$$eval(selector, found => found.map(one => (one as HTMLElement).innerText))
      return all.some(one => (typeof text === "string" ? one.includes(text) : text.test(one)))
    })
  const shoot = (name: string) => shootPage(page, name)
  const prompt = async (text: string) => {
    await page.waitForSelector("#send:not([disabled])")
    await page.fill("#text", text)
    await page.press("#text", "Control+Enter")
  }

  const open = async (options: BrowserContextOptions = {}, token = "first") => {
    const way = { desk, nginx, to: "agents", token, faults }
    ;({ context, page } = await enterMachine(browser, way, options))
    await state("connected")
  }

  before(async function () {
    const chromium = findChromium()
    const has = { Chromium: chromium, nginx: await which("nginx"), tmux: await which("tmux") }
    const missing = Object.entries(has).flatMap(([name, path]) => (path ? [] : [name]))
    if (chromium === undefined || missing.length > 0)
      return skipSuite(this, `this system has no ${missing.join(", no ")}`)
    browser = await launchChromium(chromium)
    root = await temporaryDirectory()
    const agents = await installAgentProgram(root.path)
    tmux = await startTmux()
    await tmux.tmux("set-environment", "-g", "CLAUDE_CONFIG_DIR", join(root.path, ".claude"))
    const conversations = { hurriedMs: 100, busyMs: 100, quietMs: 100, beforeEnterMs: 100, settleMs: 100 }
    desk = await startTestAgent({
      ...{ realTmux: tmux.socket, times: { conversations }, config: { home: root.path, agents } },
    })
    const { service, config } = desk
    const { url, key: workspaceKey } = service
    nginx = await startMachineNginx({ host: "blue-otter.test", service: url, workspaceKey, socket: config.socket })
  })
  beforeEach(() => {
    faults = []
  })
  afterEach(async () => {
    await context?.close()
    assert.deepEqual(faults, [])
  })
  after(async () => {
    await nginx?.close()
    await desk?.close()
    await tmux?.close()
    await browser?.close()
    await root?.remove()
  })

  it("begins a conversation where there is none, follows it, and answers what it asks", async () => {
    await open()
    await shows("#hint", "It starts in a terminal of its own")
    assert.deepEqual(await page.$$eval("#tool option", all => all.map(one => one.textContent)), ["Claude Code"])
    await shoot("agents-empty")
    await prompt("hello\n<img src=x onerror=alert(1)>\n```js\nconst otter = 1\n```")
    await shows("#said .agent", "I have read: hello")
    assert.match(page.url(), /#claude%3A[0-9a-f-]{36}$/)
    assert.equal(await page.locator("#said img").count(), 0)
    assert.equal(await page.locator("#said .person pre").innerText(), "const otter = 1")
    assert.equal(await page.inputValue("#text"), "")
    await prompt("think about the river")
    await shows("#state-mark", "At work")
    assert.ok(await page.isDisabled("#send"))
    assert.ok(await page.isVisible("#stop"))
    await writeFile(join(root.path, ".claude/go-on"), "")
    await shows("#said .agent", "I have thought about: think about the river")
    await prompt("ask whether it may run")
    await shows("#state-mark", "Asks you")
    await shows("#said .call", "Bash: true")
    await page.waitForSelector("#asks:not([hidden])")
    await shoot("agents-asks")
    await page.click('#keys [data-key="1"]')
    await shows("#said .agent", "It has run.")
    await page.waitForSelector("#asks", { state: "hidden" })
    await shoot("agents")
  })

  it("shows one of list and conversation on a phone, and has nothing wider than that", async () => {
    await open({ viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true }, "phone")
    await page.click("#list a")
    await shows("#said .agent", "It has run.")
    await shoot("agents-phone")
    assert.equal(await page.isVisible("#all"), false)
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth)
    assert.equal(wide, false)
    await page.click("#back")
    await page.waitForSelector("#all", { state: "visible" })
    await shoot("agents-phone-list")
    assert.equal(await page.isVisible("#form"), false)
  })

  it("is in the menu of the terminals, and leads back to itself after signing in again", async () => {
    await open({}, "second")
    await page.goto(`https://127.0.0.1:${nginx.port}/terminal`)
    assert.equal(await page.getAttribute('#menu a[href="/agents"]', "target"), "foozol-agents")
    await page.goto(`https://127.0.0.1:${nginx.port}/agents`)
    await state("connected")
    const at = performance.now()
    desk.service.revoke("second")
    await state("signed-out")
    assert.ok(performance.now() - at < 8_000, "told, not found at the next look after ten seconds")
    assert.match((await page.getAttribute("#state-link", "href")) ?? "", /to=agents$/)
  })
})
