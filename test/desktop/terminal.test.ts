import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core"
import { which } from "../../tools/setup/run.ts"
import { findChromium, launchChromium } from "../support/chromium.ts"
import { startFileProgram } from "../support/file-program.ts"
import { type MachineNginx, startMachineNginx } from "../support/machine-nginx.ts"
import { enterMachine, shootPage } from "../support/machine-page.ts"
import { skipSuite } from "../support/skip.ts"
import { startTestAgent, type TestAgent } from "../support/test-agent.ts"
import { startTmux, type TmuxServer } from "../support/tmux-server.ts"
import { waitUntil } from "../support/wait-until.ts"

const missingPrograms = async (...names: string[]) =>
  (await Promise.all(names.map(async name => ((await which(name)) ? "" : name)))).filter(Boolean)

/** The terminal page in a real browser: through a machine's NGINX and its agent to a real tmux. */
describe("terminal page", () => {
  let browser: Browser
  let tmux: TmuxServer
  let desk: TestAgent
  let nginx: MachineNginx
  let context: BrowserContext
  let page: Page
  let faults: string[]

  /** Lines of the active terminal, as they stand on the page. */
  const screen = (of = ".pane[data-active=true]") =>
    page.$$eval(`${of} .xterm-rows > div`, rows => rows.map(row => (row.textContent ?? "").trimEnd()))
  const shows = (line: string, of?: string) =>
    waitUntil(`the page shows "${line}"`, async () => (await screen(of)).includes(line))
  const state = (name: string) => page.waitForSelector(`html[data-state="${name}"]`, { timeout: 180_000 })
  const tabs = () => page.$$eval("#tabs [role=tab]", all => all.map(one => one.textContent))
  const shoot = (name: string) => shootPage(page, name)
  const line = async (text: string) => {
    await page.keyboard.type(text)
    await page.keyboard.press("Enter")
  }

  const open = async (options: BrowserContextOptions = {}, token = "first") => {
    const way = { desk, nginx, to: "terminal", token, faults }
    ;({ context, page } = await enterMachine(browser, way, {
      permissions: ["clipboard-read", "clipboard-write"],
      ...options,
    }))
    await state("connected")
    // What is typed before tmux has said which terminals there are goes nowhere.
    await page.waitForSelector(".pane[data-active=true] .xterm-rows > div", { timeout: 180_000 })
  }

  before(async function () {
    const chromium = findChromium()
    const missing = [chromium ? "" : "Chromium", ...(await missingPrograms("tmux", "nginx"))].filter(Boolean)
    if (chromium === undefined || missing.length > 0)
      return skipSuite(this, `this system has no ${missing.join(", no ")}`)
    browser = await launchChromium(chromium)
  })
  beforeEach(async () => {
    faults = []
    tmux = await startTmux()
    desk = await startTestAgent({ realTmux: tmux.socket })
    const { service, config } = desk
    nginx = await startMachineNginx({
      host: "blue-otter.test",
      service: service.url,
      workspaceKey: service.key,
      socket: config.socket,
    })
  })
  afterEach(async () => {
    await context?.close()
    await nginx?.close()
    await desk?.close()
    await tmux?.close()
    assert.deepEqual(faults, [])
  })
  after(async () => {
    await browser?.close()
  })

  it("opens at the desktop's terminal, takes typing, and fits it to the window", async () => {
    await tmux.tmux("send-keys", "-t", "=main:", "clear; PS1='> '; echo from the desktop", "Enter")
    await open()
    await shows("from the desktop")
    assert.deepEqual(await tabs(), ["main"])
    await line(
      "printf '\\033[1;32mgreen\\033[m \\033[38;2;250;120;40mtrue\\033[m%s\\n' ' https://example.com/x'; stty size",
    )
    await shows("green true https://example.com/x")
    const { cols, rows } = await page.evaluate(() => {
      const box = document.querySelector(".view")?.getBoundingClientRect()
      return { cols: (box?.width ?? 0) / 8.4, rows: (box?.height ?? 0) / 19 }
    })
    const size = await waitUntil("the size is said", async () => (await screen()).find(one => /^\d+ \d+$/.test(one)))
    const [high = 0, wide = 0] = size.split(" ").map(Number)
    assert.ok(Math.abs(wide - cols) < 12 && Math.abs(high - rows) < 6, `${size} in a place for ${rows} ${cols}`)
    const colour = await page.evaluate(() => {
      const word = [...document.querySelectorAll(".xterm-rows span")].find(one => one.textContent === "true")
      return word && getComputedStyle(word).color
    })
    assert.equal(colour, "rgb(250, 120, 40)", "styles that the emulator writes are in force")
    await shoot("terminal-1280")
  })

  it("shows what the desktop shows until somebody types, and then what they typed into", async () => {
    const active = () => page.$eval("#tabs [aria-selected=true]", tab => tab.textContent)
    const isActive = (name: string) => waitUntil(`${name} is shown`, async () => (await active()) === name)
    await tmux.tmux("new-window", "-t", "=main:", "-n", "tool")
    await open()
    await isActive("tool")
    await tmux.tmux("new-window", "-t", "=main:", "-n", "other")
    await isActive("other")
    await line("echo typed into $((1 + 1))")
    await shows("typed into 2")
    await tmux.tmux("select-window", "-t", "=main:tool")
    await tmux.tmux("new-window", "-t", "=main:", "-n", "third")
    await waitUntil("there is a third one", async () => (await tabs()).includes("third"))
    assert.equal(await active(), "other")
    await page.reload()
    await state("connected")
    await isActive("other")
    await shows("typed into 2")
  })

  it("opens more terminals, names, splits and closes them; what was shown comes back", async () => {
    await open()
    await page.click("#new")
    await waitUntil("there are two", async () => (await tabs()).length === 2)
    await line("cd /tmp; PS1='two> '; clear; echo second")
    await shows("second")
    await page.dblclick("#tabs .tab:last-child [role=tab]")
    await page.fill("#question-field", "Wörk (2)")
    await page.keyboard.press("Enter")
    await waitUntil("it has its name", async () => (await tabs()).at(-1) === "Wörk (2)")
    assert.match(await tmux.tmux("list-windows", "-a", "-F", "#{window_name}"), /Wörk \(2\)/)

    await page.click("#split")
    await waitUntil("two panes", async () => (await page.$$(".pane")).length === 2)
    await line("PS1='one> '; clear; echo first; seq 60 | column")
    await shows("first")
    await shows("second", ".pane[data-active=false]")
    await shoot("terminal-split-1280")
    await page.click("#find")
    await page.keyboard.type("second")
    await page.click("#search-close")

    await page.reload()
    await state("connected")
    await waitUntil("two panes", async () => (await page.$$(".pane")).length === 2)
    await shows("second", ".pane[data-active=false], .pane")

    await page.click("#tabs .tab:last-child .end")
    await page.click("#question-yes")
    await waitUntil("one is left", async () => (await tabs()).length === 1 && (await page.$$(".pane")).length === 1)
    await shows("first")
    assert.doesNotMatch(await tmux.tmux("list-windows", "-a", "-F", "#{window_name}"), /Wörk/)
  })

  it("copies what is selected, pastes in brackets, and finds what has scrolled away", async () => {
    await open()
    await line("PS1='> '; clear; seq -f 'line %g' 300; echo copied-word")
    await shows("copied-word")
    const at = (await screen()).indexOf("copied-word")
    const box = await (await page.$$(".xterm-rows > div"))[at]?.boundingBox()
    await page.mouse.dblclick((box?.x ?? 0) + 20, (box?.y ?? 0) + 9)
    const taken = await waitUntil("it is copied", () => page.evaluate(() => navigator.clipboard.readText()))
    assert.equal(taken, "copied-word")

    await line("cat -v")
    // The shell may read on for a moment.
    const program = () => tmux.tmux("display-message", "-p", "-t", "=main:", "#{pane_current_command}")
    await waitUntil("cat runs", async () => (await program()).trim() === "cat")
    await page.evaluate(() => {
      const clipboardData = new DataTransfer()
      clipboardData.setData("text/plain", "a \u001b[31mb\nc 'd' \"$HOME\" #{x} ö")
      const event = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true })
      document.querySelector(".pane[data-active=true] textarea")?.dispatchEvent(event)
    })
    await page.keyboard.press("Enter")
    // The terminal's own echo of it may stand in the same line.
    const shown = async (text: string) => (await screen()).some(one => one.endsWith(text))
    await waitUntil("the first line is shown", () => shown("a M-bM-^PM-^[[31mb"))
    await waitUntil("the second is shown", () => shown(`c 'd' "$HOME" #{x} M-CM-6`))
    await page.keyboard.press("Control+c")

    await page.keyboard.press("Control+Shift+F")
    await page.keyboard.type("line 17")
    await waitUntil("it is found", async () => /^\d+ of 11$/.test((await page.textContent("#search-count")) ?? ""))
    await waitUntil("it is in view", async () => (await screen()).some(one => one.startsWith("line 17")))
    await shoot("terminal-search-1280")
    await page.keyboard.press("Escape")
    await page.keyboard.type("echo $((40+2))\r")
    await shows("42")
  })

  it("takes pasted pictures and dropped files: they are uploaded, and their paths are typed", async () => {
    const home = desk.config.home
    const program = await startFileProgram(home, desk.config.filesSocket)
    try {
      await open()
      await line("PS1='> '; clear; echo ready")
      await shows("ready")
      await page.evaluate(() => {
        const clipboardData = new DataTransfer()
        clipboardData.items.add(new File(["a picture"], "image.png", { type: "image/png" }))
        const event = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true })
        document.querySelector(".pane[data-active=true] textarea")?.dispatchEvent(event)
      })
      const pasted = await waitUntil("the path is typed", async () =>
        /uploads\/(pasted-[\d-]+\.png)/.exec((await screen()).join("")),
      )
      assert.equal(await readFile(join(home, "uploads", pasted[1] ?? ""), "utf8"), "a picture")
      await page.keyboard.press("Control+c")
      await line("clear")
      await page.keyboard.type("cat ")
      await page.evaluate(() => {
        const dataTransfer = new DataTransfer()
        dataTransfer.items.add(new File(["it was $(dropped)\n"], "a $(b) c.txt"))
        const event = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true })
        document.querySelector(".pane[data-active=true] .view")?.dispatchEvent(event)
      })
      await waitUntil("the path is typed", async () => (await screen()).join("").includes("c.txt"))
      await page.keyboard.press("Enter")
      await shows("it was $(dropped)")
    } finally {
      await program.close()
    }
  })

  it("stays usable in a flood, and Ctrl-C ends it at once", async () => {
    await open()
    await line(`PS1='> '; clear; sh -c 'trap : INT; yes "a flood of lines"; echo sto""pped'`)
    await shows("a flood of lines")
    await new Promise(resolve => setTimeout(resolve, 2_000))
    const before = Date.now()
    await page.keyboard.press("Control+c")
    // Where the cursor was, the terminal shows ^C first.
    await waitUntil("it is over", async () => (await screen()).some(one => one.endsWith("stopped")))
    const took = Date.now() - before
    console.log(`      Ctrl-C took ${took} ms`)
    // What had to be shown first, without an end to it, would take much longer.
    assert.ok(took < 20_000, `${took} ms`)
  })

  it("comes back after a lost connection with what was printed meanwhile", async () => {
    await open()
    await line("PS1='> '; clear; echo before")
    await shows("before")
    await context.setOffline(true)
    await page.evaluate(() => window.dispatchEvent(new Event("offline")))
    desk.service.away(true)
    await tmux.tmux("send-keys", "-t", "=main:", "seq 1 100; echo mean''while", "Enter")
    desk.service.away(false)
    await context.setOffline(false)
    await page.evaluate(() => window.dispatchEvent(new Event("online")))
    await state("connected")
    await shows("meanwhile")
    for (let at = 0; at < 5; at++) await page.keyboard.press("Shift+PageUp")
    await shows("before")
  })

  it("is closed by a revocation and shows nothing any more; asleep, it says so", async () => {
    await open()
    await line("clear; echo sec''ret")
    await shows("secret")
    desk.service.revoke("first")
    await state("signed-out")
    assert.equal(await page.textContent("#state-title"), "You were signed out")
    await shoot("terminal-signed-out-1280")
    await context.close()
    await open({}, "second")
    desk.service.push("stopping", { reason: "It was stopped by its owner." })
    await state("sleeping")
    assert.equal(await page.textContent("#state-title"), "Your workspace sleeps")
    assert.match((await page.getAttribute("#state-link", "href")) ?? "", /to=terminal$/)
  })

  it("types nothing when it is there to look only", async () => {
    await open()
    await line("PS1='> '; clear; echo ready")
    await shows("ready")
    await page.click("#menu-button")
    await page.click("#view-only")
    await page.click(".view")
    await page.keyboard.type("nothing")
    await tmux.tmux("send-keys", "-t", "=main:", "echo other", "Enter")
    await shows("other")
    assert.ok(!(await screen()).some(one => one.includes("nothing")))
    await shoot("terminal-view-only-1280")
  })

  it("has what a phone needs", async () => {
    await tmux.tmux("send-keys", "-t", "=main:", "PS1='> '; clear; git --version; ls /", "Enter")
    await open({ viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true })
    await page.tap(".view")
    await page.keyboard.type("cat")
    await page.tap("[data-key=enter]")
    await page.keyboard.type("typed")
    await page.tap("[data-sticky=ctrl]")
    await page.keyboard.type("c")
    await waitUntil("cat was ended", async () => (await screen()).some(one => one.includes("^C")))
    await page.tap("[data-text='|']")
    await shows("> |")
    const wide = await page.evaluate(() => document.documentElement.scrollWidth)
    assert.equal(wide, 390)
    await shoot("terminal-390")
    await page.tap("#menu-button")
    await shoot("terminal-menu-390")
    await page.tap("#rename")
    await shoot("terminal-rename-390")
  })
})
