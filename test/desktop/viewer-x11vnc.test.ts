/// <reference lib="dom" />
import assert from "node:assert/strict"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { type Browser, chromium } from "playwright-core"
import { freePort } from "../../cli/redis-process.ts"
import { type Clipboard, createClipboard, watchClipboard } from "../../image-builder/agent/clipboard.ts"
import { feed, run } from "../../image-builder/agent/run.ts"
import { buildViewer } from "../../image-builder/viewer/build.ts"
import { CHROMIUM_ARGUMENTS, findChromium, launchChromium } from "../support/chromium.ts"
import { skipSuite } from "../support/skip.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import { startViewerHost } from "../support/viewer-host.ts"
import { waitUntil } from "../support/wait-until.ts"
import { missingDesktopPrograms, startXDesktop } from "../support/x-desktop.ts"

/** The viewer against x11vnc on a real X server: what a person types has its effect. */
describe("viewer with x11vnc", () => {
  let scratch: Awaited<ReturnType<typeof temporaryDirectory>>
  let desktop: Awaited<ReturnType<typeof startXDesktop>>
  let host: Awaited<ReturnType<typeof startViewerHost>>
  let clipboard: Clipboard
  let browser: Browser

  before(async function () {
    const chromium = findChromium()
    const missing = [...(chromium === undefined ? ["Chromium"] : []), ...missingDesktopPrograms()]
    if (chromium === undefined || missing.length > 0)
      return skipSuite(this, `this system has no ${missing.join(", no ")}`)
    scratch = await temporaryDirectory()
    await buildViewer({ out: join(scratch.path, "viewer") })
    const port = await freePort(0)
    desktop = await startXDesktop(scratch.path, port)
    const there = [`DISPLAY=${desktop.display}`]
    clipboard = createClipboard(
      (program, args) => run("env", [...there, program, ...args]),
      (program, args, input) => feed("env", [...there, program, ...args], input),
    )
    host = await startViewerHost(join(scratch.path, "viewer"), () => port, clipboard)
    browser = await launchChromium(chromium)
  })
  after(async () => {
    await browser?.close()
    await host?.stop()
    desktop?.stop()
    await scratch?.remove()
  })

  it("shows the terminal and types a command into it", async () => {
    const page = await (await browser.newContext({ viewport: { width: 800, height: 600 } })).newPage()
    await page.goto(host.url)
    await page.waitForSelector('html[data-state="connected"]')
    await waitUntil("the terminal's background is on screen", () =>
      page.evaluate(() => {
        const canvas = document.querySelector("canvas")
        const colour = canvas?.getContext("2d")?.getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data
        return colour?.[0] === 0x10 && colour[1] === 0x32 && colour[2] === 0x3a
      }),
    )
    await waitUntil("its machine is told", () => host.requests.includes("POST /agent/first-frame"))
    await page.mouse.click(400, 300)
    await page.keyboard.type("echo 'Ok & {done}' > typed.txt")
    await page.keyboard.press("Enter")
    await waitUntil("the file is there", () => existsSync(join(scratch.path, "typed.txt")))
    assert.equal(host.control.upgrades, 1)
  })

  it("carries every character of the clipboard both ways", async () => {
    const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] })
    const page = await context.newPage()
    await page.goto(host.url)
    await page.waitForSelector('html[data-state="connected"]')
    const ending = new AbortController()
    const socket = `/tmp/.X11-unix/X${desktop.display.slice(1)}`
    const watched = watchClipboard(socket, () => host.say({ type: "copied" }), ending.signal)
    const mine = "Grüße – 日本 «😀»\n\tzweite Zeile"
    await page.evaluate(async text => {
      await navigator.clipboard.writeText(text)
      window.dispatchEvent(new Event("focus"))
    }, mine)
    await waitUntil("the desktop has it", async () => (await clipboard.text()) === mine)
    const isHere = (text: string) =>
      waitUntil("the browser has it", async () => (await page.evaluate(() => navigator.clipboard.readText())) === text)
    await clipboard.put("von dort: ½ ≠ ⅓ – ça 😀")
    await isHere("von dort: ½ ≠ ⅓ – ça 😀")
    // As a browser on the desktop copies.
    const there = await chromium.launch({
      executablePath: findChromium() as string,
      ...{ headless: false, args: CHROMIUM_ARGUMENTS },
      env: { ...process.env, DISPLAY: desktop.display } as Record<string, string>,
    })
    try {
      const theirs = await (await there.newContext({ permissions: ["clipboard-write"] })).newPage()
      await theirs.goto(`${host.url}agent/status`)
      await theirs.evaluate(() => navigator.clipboard.writeText("Привет — 你好?"))
      await isHere("Привет — 你好?")
    } finally {
      await there.close()
    }
    await context.close()
    ending.abort()
    await watched
  })
})
