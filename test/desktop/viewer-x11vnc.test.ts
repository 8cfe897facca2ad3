/// <reference lib="dom" />
import assert from "node:assert/strict"
import { existsSync } from "node:fs"
import { join } from "node:path"
import type { Browser } from "playwright-core"
import { freePort } from "../../cli/redis-process.ts"
import { buildViewer } from "../../image-builder/viewer/build.ts"
import { findChromium, launchChromium } from "../support/chromium.ts"
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
    host = await startViewerHost(join(scratch.path, "viewer"), () => port)
    browser = await launchChromium(chromium)
  })
  after(async () => {
    await browser?.close()
    await host?.stop()
    desktop?.stop()
    await scratch?.remove()
  })

  it("shows the terminal and types a command into it", async () => {
    const page = await browser.newPage({ viewport: { width: 800, height: 600 } })
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
})
