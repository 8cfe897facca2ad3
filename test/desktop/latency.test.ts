/// <reference lib="dom" />
import assert from "node:assert/strict"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import type { Browser } from "playwright-core"
import { newWorkspacePage } from "../../service/pages/index.ts"
import { findChromium, launchChromium } from "../support/chromium.ts"
import { options, signedIn } from "../support/page-samples.ts"
import { startPreview } from "../support/pages-preview.ts"
import { skipSuite } from "../support/skip.ts"

/** The distance of regions, measured by a real browser under the pages' policy. */
describe("pages: how far regions are", () => {
  const servers: Server[] = []
  let browser: Browser

  /** An address that answers after so long, without a right for other sites to read it. */
  async function answering(ms: number): Promise<string> {
    const server = createServer((_request, response) => setTimeout(() => response.writeHead(404).end(), ms))
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
    servers.push(server)
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  before(async function () {
    const chromium = findChromium()
    if (chromium === undefined) return skipSuite(this, "this system has no Chromium")
    browser = await launchChromium(chromium)
  })
  after(async () => {
    await browser?.close()
    for (const server of servers) server.closeAllConnections()
    await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  })

  /** The form, with a probe for each region; what is measured may be less. */
  async function shown(probes: (string | undefined)[], measured = probes.filter(one => one !== undefined)) {
    const regions = options.regions.map((one, at) => (probes[at] ? { ...one, probe: probes[at] } : one))
    const page = newWorkspacePage({ ...signedIn, options: { ...options, regions } })
    const preview = await startPreview(() => page, measured)
    const context = await browser.newContext()
    const tab = await context.newPage()
    const errors: string[] = []
    tab.on("pageerror", error => errors.push(error.message))
    await tab.goto(`${preview.url}/workspaces/new`)
    const close = async () => {
      await context.close()
      await preview.stop()
    }
    return { tab, errors, close }
  }

  it("stands beside each that answers, and the nearest is recommended", async () => {
    const { tab, errors, close } = await shown([await answering(800), await answering(0), "http://127.0.0.1:9"])
    const told = tab.locator("#nearest")
    await told.waitFor({ state: "visible" })
    const name = options.regions[1]?.label ?? ""
    assert.match(await told.innerText(), new RegExp(`^Nearest to you: ${name} \\(\\d+ ms\\)`))
    const each = await tab.locator("[data-latency]").allInnerTexts()
    assert.match(each[0] ?? "", /^([89]\d\d|\d{4,}) ms$/)
    assert.match(each[1] ?? "", /^\d+ ms$/)
    assert.equal(each[2], "")
    assert.deepEqual(errors, [])
    await close()
  })

  it("where nothing answers, or the policy forbids to ask, nothing is said and the form works", async () => {
    const forbidden = await answering(0)
    const { tab, errors, close } = await shown(["http://127.0.0.1:9", forbidden], ["http://127.0.0.1:9"])
    await tab.waitForTimeout(500)
    assert.equal(await tab.locator("#nearest").isVisible(), false)
    assert.deepEqual(await tab.locator("[data-latency]").allInnerTexts(), ["", ""])
    assert.deepEqual(errors, [])
    assert.equal(
      await tab
        .locator("#price")
        .innerText()
        .then(text => text !== ""),
      true,
    )
    await close()
  })

  it("is not measured where nobody named what is near", async () => {
    const { tab, close } = await shown([])
    assert.equal(await tab.locator('script[src*="latency"]').count(), 0)
    await close()
  })
})
