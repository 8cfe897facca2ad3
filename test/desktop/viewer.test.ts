/// <reference lib="dom" />
import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core"
import type { Clipboard } from "../../image-builder/agent/clipboard.ts"
import { buildViewer } from "../../image-builder/viewer/build.ts"
import { findChromium, launchChromium } from "../support/chromium.ts"
import { QUARTERS, startRfbServer } from "../support/rfb-server.ts"
import { skipSuite } from "../support/skip.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import { startViewerHost } from "../support/viewer-host.ts"
import { waitUntil } from "../support/wait-until.ts"

/** The built page in a real browser, against a scripted desktop that records what reaches it. */
describe("viewer", () => {
  let scratch: Awaited<ReturnType<typeof temporaryDirectory>>
  let browser: Browser
  let rfb: Awaited<ReturnType<typeof startRfbServer>>
  let copied: string | null = null
  /** Whether the desktop takes texts past VNC. */
  let takes = true
  const clipboard: Clipboard = {
    text: async () => copied,
    put: async text => {
      if (takes) copied = text
      return takes
    },
  }
  let host: Awaited<ReturnType<typeof startViewerHost>>
  let context: BrowserContext
  let page: Page
  let faults: string[]

  const open = async (options: BrowserContextOptions = {}) => {
    context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
    page = await context.newPage()
    page.on("pageerror", error => faults.push(error.message))
    page.on("console", message => {
      if (/Content Security Policy/.test(message.text())) faults.push(message.text())
    })
    page.on("request", request => {
      if (!request.url().startsWith(host.url) && !/^(data|blob|ws):/.test(request.url())) faults.push(request.url())
    })
    await page.goto(host.url)
  }
  const state = (name: string) => page.waitForSelector(`html[data-state="${name}"]`, { timeout: 180_000 })
  const title = () => page.textContent("#state-title")
  const keys = () => rfb.inputs.filter(input => input.type === "key")
  const openPanel = async (name: string) => {
    await page.click("#handle")
    await page.click(`#bar > button[title="${name}"]`)
  }

  before(async function () {
    const chromium = findChromium()
    if (chromium === undefined) return skipSuite(this, "this system has no Chromium")
    scratch = await temporaryDirectory()
    await buildViewer({ out: scratch.path })
    browser = await launchChromium(chromium)
  })
  beforeEach(async () => {
    faults = []
    rfb = await startRfbServer()
    host = await startViewerHost(scratch.path, () => rfb.port, clipboard)
  })
  afterEach(async () => {
    await context?.close()
    await host?.stop()
    await rfb?.stop()
    assert.deepEqual(faults, [])
  })
  after(async () => {
    await browser?.close()
    await scratch?.remove()
  })

  it("is one file that shows the picture and sends no input by itself", async () => {
    await open()
    await state("connected")
    const seen = await waitUntil("the picture is painted", async () => {
      const colours = await page.evaluate(() => {
        const canvas = document.querySelector("canvas")
        const at = (x: number, y: number) => [...(canvas?.getContext("2d")?.getImageData(x, y, 1, 1).data ?? [])]
        return [at(40, 40), at(280, 40), at(40, 200), at(280, 200)].map(colour => colour.slice(0, 3))
      })
      return colours[0]?.[0] === QUARTERS[0][0] && colours
    })
    assert.deepEqual(seen, QUARTERS)
    await state("connected")
    assert.deepEqual(rfb.inputs, [])
    assert.deepEqual(
      [...new Set(host.requests)].filter(request => !request.includes("/agent/")),
      ["GET /"],
    )
  })

  it("tells its machine of the first picture when that is drawn, and of no other", async () => {
    rfb.hold(true)
    const told = () => host.requests.filter(one => one === "POST /agent/first-frame").length
    await open()
    await state("connected")
    // What is asked for at once has been asked for by then, and the browser has drawn several times.
    await waitUntil("it listens", () => host.requests.includes("GET /agent/events"))
    for (let frame = 0; frame < 5; frame++) await page.evaluate(() => new Promise(requestAnimationFrame))
    assert.equal(told(), 0, "there is no picture yet")
    rfb.hold(false)
    await waitUntil("the machine is told", () => told() === 1)
    host.drop()
    await waitUntil("it is back", () => host.control.upgrades === 2)
    await state("connected")
    for (let frame = 0; frame < 5; frame++) await page.evaluate(() => new Promise(requestAnimationFrame))
    assert.equal(told(), 1)
  })

  it("sends typing as keys and clicks as pointer events", async () => {
    await open()
    await state("connected")
    await page.keyboard.type("ls")
    await page.mouse.click(640, 500)
    await waitUntil("a click arrives", () => rfb.inputs.some(input => input.type === "pointer" && input.buttons === 1))
    const typed = keys().map(({ down, keysym }) => `${down ? "+" : "-"}${String.fromCodePoint(keysym)}`)
    assert.deepEqual(typed, ["+l", "-l", "+s", "-s"])
  })

  it("sends nothing while view-only, and remembers the quality but not view-only", async () => {
    await open()
    await state("connected")
    await openPanel("Settings")
    await page.click("text=View only")
    await page.click("text=Low")
    await page.keyboard.press("Escape")
    await page.mouse.click(640, 500)
    await page.keyboard.type("x")
    await page.reload()
    await state("connected")
    await openPanel("Settings")
    assert.equal(await page.isChecked('input[value="low"]'), true)
    assert.equal(await page.isChecked('input[name="viewOnly"]'), false)
    assert.deepEqual(
      rfb.inputs.filter(input => input.type === "key" || (input.type === "pointer" && input.buttons)),
      [],
    )
  })

  it("sends keys a browser keeps, and lets go of every one", async () => {
    await open()
    await state("connected")
    await openPanel("Keys")
    await page.click('[data-keys="ctrl+alt+delete"]')
    await waitUntil("six key events", () => keys().length === 6)
    const seen = keys().map(({ down, keysym }) => `${down ? "+" : "-"}${keysym.toString(16)}`)
    assert.deepEqual(seen, ["+ffe3", "+ffe9", "+ffff", "-ffff", "-ffe9", "-ffe3"])
  })

  it("opens and closes from the keyboard alone, leaving no key pressed", async () => {
    await open()
    await state("connected")
    for (const key of ["Control", "Alt", "Shift"]) await page.keyboard.down(key)
    for (const key of ["Shift", "Alt", "Control"]) await page.keyboard.up(key)
    await page.waitForSelector("#toolbar[data-open=true]")
    assert.equal(await page.evaluate(() => document.activeElement?.id), "handle")
    await page.keyboard.press("Escape")
    assert.equal(await page.getAttribute("#toolbar", "data-open"), "false")
    const held = () => {
      const down = new Set<number>()
      for (const key of keys()) key.down ? down.add(key.keysym) : down.delete(key.keysym)
      return down.size
    }
    await waitUntil("every key is let go", () => held() === 0)
  })

  it("carries the clipboard both ways", async () => {
    await open({ permissions: ["clipboard-read", "clipboard-write"] })
    await state("connected")
    await clipboard.put("from the desktop: ½ – 日本")
    await waitUntil("it listens to the desktop", () => host.requests.includes("GET /agent/events"))
    host.say({ type: "copied" })
    const mine = await waitUntil("the browser's clipboard has it", async () => {
      const text = await page.evaluate(() => navigator.clipboard.readText())
      return text === "from the desktop: ½ – 日本" && text
    })
    assert.equal(mine, "from the desktop: ½ – 日本")
    await openPanel("Clipboard")
    assert.equal(await page.inputValue("#clipboard-text"), "from the desktop: ½ – 日本")
    await page.fill("#clipboard-text", "to the desktop")
    await page.click("#clipboard-send")
    await waitUntil("the panel's text arrives", () => rfb.inputs.some(input => input.type === "cut-text"))
    // Coming back to the page with something new copied.
    await page.evaluate(async () => {
      await navigator.clipboard.writeText("copied elsewhere")
      window.dispatchEvent(new Event("focus"))
    })
    await waitUntil("it arrives by itself", () => rfb.inputs.filter(input => input.type === "cut-text").length === 2)
    const texts = rfb.inputs.flatMap(input => (input.type === "cut-text" ? [input.text] : []))
    assert.deepEqual(texts, ["to the desktop", "copied elsewhere"])
    // What VNC cannot carry goes past it.
    await page.fill("#clipboard-text", "zurück: ✓")
    await page.click("#clipboard-send")
    await waitUntil("it arrives", async () => (await clipboard.text()) === "zurück: ✓")
  })

  it("a text that the desktop cannot take whole stays whole where it came from, and is tried again", async () => {
    await open({ permissions: ["clipboard-read", "clipboard-write"] })
    await state("connected")
    takes = false
    const back = () => page.evaluate(() => window.dispatchEvent(new Event("focus")))
    try {
      await page.evaluate(() => navigator.clipboard.writeText("größer – ✓"))
      await back()
      const sent = () => rfb.inputs.flatMap(input => (input.type === "cut-text" ? [input.text] : []))
      await waitUntil("it goes the way that carries less", () => sent().includes("größer ? ?"))
      // The desktop has that now, and says so.
      copied = "größer ? ?"
      host.say({ type: "copied" })
      host.say({ type: "warning", message: "Heard." })
      await page.getByText("Heard.").waitFor()
      assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "größer – ✓")
    } finally {
      takes = true
    }
    await back()
    await waitUntil("it is tried again", async () => (await clipboard.text()) === "größer – ✓")
  })

  it("asks for the window's size once it has come to rest, and for none when it only scales", async () => {
    await open()
    await state("connected")
    await waitUntil("the first size", () => host.resizes.length === 1)
    const began = performance.now()
    for (const width of [1100, 1000, 900]) await page.setViewportSize({ width, height: 700 })
    const isQuick = performance.now() - began < 400
    await waitUntil("the last size", () => host.resizes.at(-1)?.width === 900)
    const asked = host.resizes.length
    // On a computer that was held up it has come to rest in between.
    if (isQuick) assert.equal(asked, 2)
    assert.deepEqual(host.resizes[0], { width: 1280, height: 800 })
    assert.deepEqual(host.resizes.at(-1), { width: 900, height: 700 })
    await openPanel("Settings")
    await page.click("text=Keep its size and scale")
    await page.setViewportSize({ width: 1000, height: 800 })
    await page.waitForTimeout(900)
    assert.equal(host.resizes.length, asked)
  })

  it("scales and says so where the size cannot be changed", async () => {
    host.control.resize = 500
    await open()
    await page.waitForSelector("text=scaled to your window")
    const box = await page.locator("canvas").boundingBox()
    assert.ok((box?.height ?? 0) > 790)
  })

  it("reconnects by itself after a drop, without input and without another size", async () => {
    await open()
    await state("connected")
    await waitUntil("the first size", () => host.resizes.length === 1)
    host.drop()
    await waitUntil("a second stream", () => host.control.upgrades === 2)
    await state("connected")
    assert.equal(host.control.upgrades, 2)
    assert.deepEqual(rfb.inputs, [])
  })

  it("waits while offline and comes back at once", async () => {
    host.control.closeAtOnce = 4503
    await open()
    await state("waiting")
    await context.setOffline(true)
    await state("offline")
    host.control.closeAtOnce = 0
    const before = host.control.upgrades
    await page.waitForTimeout(1_200)
    assert.equal(host.control.upgrades, before)
    await context.setOffline(false)
    await state("connected")
  })

  it("takes a new stream when the network changed under the old one", async () => {
    await open()
    await state("connected")
    await context.setOffline(true)
    await page.waitForSelector("text=Your network is gone")
    await context.setOffline(false)
    await waitUntil("a second stream", () => host.control.upgrades === 2)
    await state("connected")
    assert.deepEqual(rfb.inputs, [])
  })

  for (const [code, name, words] of [
    [4401, "signed-out", "You were signed out"],
    [4410, "sleeping", "Your workspace sleeps"],
    [4503, "waiting", "The service is away"],
  ] as const)
    it(`says what close code ${code} means`, async () => {
      await open()
      await state("connected")
      await page.waitForFunction(() => !document.querySelector<HTMLAnchorElement>("#service-link")?.hidden)
      host.control.closeAtOnce = code
      const before = host.control.upgrades
      host.close(code)
      await state(name)
      await waitUntil("the words", async () => (await title()) === words)
      if (name === "waiting") {
        await waitUntil("another try", () => host.control.upgrades > before)
        host.control.closeAtOnce = 0
        return void (await state("connected"))
      }
      await page.waitForTimeout(1_200)
      assert.equal(host.control.upgrades, before)
      assert.equal(await page.getAttribute("#state-link", "href"), "https://cloud.test/")
      assert.equal(await page.locator("#frozen[src]").count(), name === "sleeping" ? 1 : 0)
    })

  for (const [status, name, words] of [
    [401, "signed-out", "You were signed out"],
    [503, "waiting", "The service is away"],
    [502, "waiting", "Your workspace is starting"],
  ] as const)
    it(`says what a refused upgrade with status ${status} means`, async () => {
      host.control.upgrade = status
      host.control.status = status
      await open()
      await state(name)
      assert.equal(await title(), words)
    })

  it("shows warnings and the end that the machine announces", async () => {
    await open()
    await state("connected")
    await waitUntil("it listens", () => host.requests.includes("GET /agent/events"))
    host.say({ type: "warning", message: "The disk is almost full." })
    await page.waitForSelector("role=alert >> text=The disk is almost full.")
    host.say({ type: "stay" })
    await page.getByText("Your workspace stays on").waitFor()
    host.say({ type: "warning", reason: "nobody has used it since 14:05 UTC", at: new Date(0).toISOString() })
    await page.waitForSelector(
      "role=alert >> text=/^Your workspace stops at .+ \\(nobody has used it since 14:05 UTC\\)\\.$/",
    )
    host.say({ type: "sleeping" })
    await state("sleeping")
    assert.equal(await page.isVisible("#stop-banner"), false)
  })

  it("keeps the workspace on by a button in the warning, which goes when the stop is called off", async () => {
    await open()
    await state("connected")
    await waitUntil("it listens", () => host.requests.includes("GET /agent/events"))
    host.say({ type: "warning", reason: "nobody has used it since 14:05 UTC", inMs: 300_000 })
    host.control.stay = 503
    const button = page.getByRole("button", { name: "Keep it on" })
    await button.click()
    await page.getByText("The service could not be told").waitFor()
    assert.equal(await button.isVisible(), true)
    host.control.stay = 200
    await button.focus()
    await page.keyboard.press("Enter")
    await page.getByText("has been told that you are here").waitFor()
    assert.equal(host.requests.filter(one => one === "POST /agent/stay").length, 2)
    host.say({ type: "stay" })
    await button.waitFor({ state: "hidden" })
    assert.deepEqual(rfb.inputs, [], "nothing of it was typed into the desktop")
  })

  it("says why the workspace was stopped, whichever way that comes first", async () => {
    await open()
    await state("connected")
    await waitUntil("it listens", () => host.requests.includes("GET /agent/events"))
    host.close(4410)
    await state("sleeping")
    host.say({ type: "sleeping", reason: "It was stopped because nobody has used it since 14:05 UTC." })
    const words = () => page.textContent("#state-text")
    await waitUntil("the reason", async () =>
      (await words())?.startsWith("It was stopped because nobody has used it since 14:05 UTC. Everything is where"),
    )
  })

  it("types from a phone: its keyboard, held modifiers and special keys", async () => {
    await open({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 3 })
    await state("connected")
    await page.tap("#handle")
    await page.tap("#keyboard")
    await page.tap('[data-sticky="ctrl"]')
    await page.keyboard.insertText("c")
    await page.keyboard.insertText("é")
    await page.tap('[data-keys="up"]')
    await page.keyboard.press("Backspace")
    await waitUntil("the last key", () => keys().some(key => key.keysym === 0xff08 && !key.down))
    const pressed = keys().flatMap(key => (key.down ? [key.keysym] : []))
    assert.deepEqual(pressed, [0xffe3, 0x63, 0xe9, 0xff52, 0xff08])
    // One and a half desktop pixels for one of the page; then the space that the row of keys leaves.
    await waitUntil("the size above the keys", () => host.resizes.length === 2)
    assert.deepEqual(host.resizes[0], { width: 540, height: 1110 })
    assert.ok((host.resizes[1]?.height ?? 0) < 1_000)
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360)
  })

  it("keeps its pages free of anything from elsewhere", async () => {
    for (const name of ["service-away", "signed-out", "starting"]) {
      const text = await readFile(join(scratch.path, "pages", `${name}.html`), "utf8")
      assert.doesNotMatch(text, /(src|href)="(?!data:)/)
      assert.match(text, /<style>.+<\/style>/)
    }
  })
})
