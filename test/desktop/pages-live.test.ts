/// <reference lib="dom" />
import assert from "node:assert/strict"
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core"
import type { Operation } from "../../service/operations/operation.ts"
import { findChromium, launchChromium } from "../support/chromium.ts"
import { failure, signedIn } from "../support/page-samples.ts"
import { startPreview } from "../support/pages-preview.ts"
import { FORM_MS, scriptedOperation } from "../support/scripted-operation.ts"
import { skipSuite } from "../support/skip.ts"
import { waitUntil } from "../support/wait-until.ts"

/** The page of an operation, live, against a stream a test tells. */
describe("page of an operation", () => {
  let browser: Browser
  let preview: Awaited<ReturnType<typeof startPreview>>
  let script: ReturnType<typeof scriptedOperation>
  let context: BrowserContext
  let page: Page
  let faults: string[]

  const open = async (query = "", more: Partial<Operation> = {}, settings: BrowserContextOptions = {}) => {
    script = scriptedOperation(more)
    context = await browser.newContext({ viewport: { width: 390, height: 844 }, ...settings })
    page = await context.newPage()
    page.on("pageerror", error => faults.push(error.message))
    page.on("console", message => {
      if (/Content Security Policy|Refused to/.test(message.text())) faults.push(message.text())
    })
    await page.goto(`${preview.url}/operations/op-1${query}`)
    await waitUntil("it listens", () => script.came.length > 0)
  }
  const step = (name: string, state: string) => page.waitForSelector(`[data-step="${name}"][data-state="${state}"]`)
  const tellStep = (name: string, state: string) => script.tell({ type: "step", step: name, state })
  const value = async () => Number(await page.getAttribute("#bar", "aria-valuenow"))
  const log = () => page.locator("#log-lines li").allTextContents()
  const lines = (count: number) =>
    waitUntil(`${count} lines of log`, async () => (await log()).length === count && (await log()))
  const begin = async () => {
    script.tell({ type: "state", state: "running" })
    tellStep("check", "begun")
    await step("check", "begun")
  }

  before(async function () {
    const chromium = findChromium()
    if (chromium === undefined) return skipSuite(this, "this system has no Chromium")
    browser = await launchChromium(chromium)
    preview = await startPreview(path => script.routes(path))
  })
  beforeEach(() => {
    faults = []
    preview.posts.length = 0
  })
  afterEach(async () => {
    await context?.close()
    assert.deepEqual(faults, [])
  })
  after(async () => {
    await browser?.close()
    await preview?.stop()
  })

  it("goes from its turn to the desktop without being loaded again", async () => {
    await open()
    assert.equal(await page.textContent("#estimate"), "Waiting for its turn")
    await page.evaluate(() => Object.assign(window, { same: true }))
    await begin()
    const values = [await value()]
    assert.match((await page.textContent("#estimate")) ?? "", /^Usually about 40 s; about \d+ s left$/)
    for (const name of ["check", "resources", "boot", "desktop"]) {
      if (name !== "check") tellStep(name, "begun")
      script.tell({ type: "log", text: `<b>at ${name}</b>` })
      await step(name, "begun")
      await waitUntil("it is announced", async () => (await page.textContent("#announce"))?.startsWith("Step "))
      tellStep(name, "done")
      await step(name, "done")
      values.push(await waitUntil("the bar has moved", async () => (await value()) > (values.at(-1) ?? 0) && value()))
    }
    assert.ok(Math.max(...values) < 100, `${values}`)
    assert.deepEqual(
      (await lines(4)).map(line => line.replace(/^\S+ /, "")),
      ["check", "resources", "boot", "desktop"].map(name => `<b>at ${name}</b>`),
    )
    await page.click("#log summary")
    script.tell({ type: "state", state: "succeeded" })
    await page.waitForSelector("#open")
    assert.equal(await page.textContent("h1"), "quiet-otter is ready")
    assert.equal(await page.title(), "quiet-otter is ready · foozol Cloud")
    assert.equal(await page.textContent("#announce"), "quiet-otter is ready")
    assert.equal(await page.getAttribute("#open", "href"), "/connect?workspace=w-7f3k2m")
    assert.equal(await page.locator("#log").evaluate((log: HTMLDetailsElement) => log.open), true)
    assert.equal(await page.evaluate(() => "same" in window), true)
    await waitUntil("the stream is closed", () => script.listening() === 0)
  })

  it("opens the desktop by itself when asked to, and the way back does not lead there again", async () => {
    await open("?open=1")
    await begin()
    script.tell({ type: "state", state: "succeeded" })
    await page.waitForURL("**/connect?workspace=w-7f3k2m&after=op-1")
    assert.equal(await page.evaluate(() => history.length), 2)
  })

  it("says how long ago the click was when a form has led to the page", async () => {
    await open()
    await page.goto(`${preview.url}/form`)
    await waitUntil("it listens", () => script.came.length > 1)
    await begin()
    const loaded = await page.evaluate(() => performance.getEntriesByType("navigation")[0]?.duration ?? 0)
    const least = Math.max(FORM_MS, loaded)
    script.tell({ type: "state", state: "succeeded" })
    await page.waitForURL("**/connect?workspace=w-7f3k2m&after=op-1&waited=*")
    const waited = Number(new URL(page.url()).searchParams.get("waited"))
    assert.ok(waited >= least && waited < 60_000, `${waited} ms, at least ${least}`)
  })

  it("shows where the time goes when a step is over, and leaves it open", async () => {
    await open()
    await begin()
    const at = Date.now()
    const boot = { id: "1", parent: null, name: "step" as const, of: "boot" }
    script.control.spans = [{ ...boot, at, until: at + 1_200 }]
    assert.equal(await page.locator("#times-shown").count(), 0)
    tellStep("check", "done")
    await page.waitForSelector("#times-shown")
    assert.match((await page.textContent("#times-shown summary")) ?? "", /Where the time goes 1\.2 s so far/)
    await page.click("#times-shown summary")
    script.control.spans.push({ ...boot, id: "2", of: "desktop", at: at + 1_200, until: at + 4_000 })
    tellStep("resources", "begun")
    tellStep("resources", "done")
    await page.waitForSelector("text=4.0 s so far")
    assert.equal(await page.locator("#times-shown").evaluate((shown: HTMLDetailsElement) => shown.open), true)
    assert.match((await page.textContent("#times-shown")) ?? "", /Getting the desktop ready\s+2\.8 s\s+usually 10 s/)
  })

  for (const goal of ["terminal", "files", "agents"]) {
    it(`opens ${goal} where those were asked for`, async () => {
      await open(`?open=${goal}`)
      await begin()
      script.tell({ type: "state", state: "succeeded" })
      await page.waitForURL(`**/connect?workspace=w-7f3k2m&after=op-1&to=${goal}`)
    })
  }

  it("a stop leads nowhere by itself", async () => {
    await open("?open=1", { kind: "stop" })
    script.tell({ type: "state", state: "succeeded" })
    await page.waitForSelector(".result.good")
    assert.equal(await page.textContent("h1"), "quiet-otter is stopped")
    assert.equal(await page.locator("#open").count(), 0)
    assert.match(page.url(), /\/operations\//)
  })

  it("a failure says what happened, and trying again is a form with its token", async () => {
    await open()
    await begin()
    tellStep("check", "failed")
    script.tell({ type: "state", state: "failed", failure })
    await page.waitForSelector('.result.bad[role="alert"]')
    assert.match((await page.textContent(".result")) ?? "", /sold out in Falkenstein/)
    assert.equal(await page.textContent(".ids code"), "size-sold-out")
    await step("check", "failed")
    await page.click('form[action="/operations/op-1/retry"] button')
    await page.waitForURL("**/sent")
    assert.equal(preview.posts[0]?.path, "/operations/op-1/retry")
    assert.equal(preview.posts[0]?.fields.get("csrf"), signedIn.csrf)
  })

  it("an earlier attempt that failed, told again, is not the end of this one", async () => {
    script = scriptedOperation()
    await open()
    await begin()
    script.tell({ type: "log", text: "first" })
    tellStep("check", "failed")
    script.tell({ type: "state", state: "failed", failure })
    await page.waitForSelector(".result.bad")
    script.tell({ type: "state", state: "queued" })
    script.tell({ type: "state", state: "running" })
    await page.reload()
    tellStep("check", "begun")
    tellStep("check", "done")
    await step("check", "done")
    assert.equal(await page.locator("#bar").count(), 1)
    await lines(1)
    script.tell({ type: "state", state: "succeeded" })
    await page.waitForSelector("#open")
  })

  it("a broken line is said, and taken up where it broke", async () => {
    await open()
    await begin()
    script.tell({ type: "log", text: "one" })
    await lines(1)
    script.control.status = 503
    script.drop()
    await page.waitForSelector("#trouble", { state: "visible" })
    script.tell({ type: "log", text: "two" })
    tellStep("check", "done")
    script.control.status = 200
    await page.waitForSelector("#trouble", { state: "hidden" })
    await step("check", "done")
    script.tell({ type: "log", text: "three" })
    assert.deepEqual(
      (await lines(3)).map(line => line.split(" ")[1]),
      ["one", "two", "three"],
    )
  })

  it("a line that comes back by itself says what it had last", async () => {
    await open()
    await begin()
    script.tell({ type: "log", text: "one" })
    await lines(1)
    script.drop()
    await waitUntil("it came back", () => script.came.length > 1)
    assert.match(script.came.at(-1) ?? "", /^\d+-2$/)
    script.tell({ type: "log", text: "two" })
    await lines(2)
  })

  it("an end that came while the line was broken is found", async () => {
    await open()
    await begin()
    script.control.status = 503
    script.tell({ type: "state", state: "cancelled" })
    script.control.now.finishedAt = Date.now()
    script.drop()
    await page.waitForSelector(".result.off")
    assert.equal(await page.textContent("h1"), "Creating quiet-otter was cancelled")
  })

  it("moves on when it takes longer than usual, and says so", async () => {
    const startedAt = Date.now() - 60_000
    await open("", { state: "running", startedAt, createdAt: startedAt })
    for (const [name, state, at] of [
      ["check", "begun", 0],
      ["check", "done", 2_000],
      ["resources", "begun", 2_000],
      ["resources", "done", 10_000],
      ["boot", "begun", 10_000],
    ] as const) {
      script.tell({ type: "step", step: name, state, at: startedAt + at })
    }
    await step("boot", "begun")
    assert.equal(await page.textContent("#estimate"), "Taking longer than usual (about 40 s)")
    const width = () => page.locator("#bar rect").evaluate(rect => Number.parseFloat(rect.getAttribute("width") ?? ""))
    const before = await width()
    await waitUntil("the bar moves on", async () => (await width()) > before)
    assert.ok((await value()) < 100)
  })

  it("is cancelled by a form with its token", async () => {
    await open()
    await begin()
    await page.click('form[action="/operations/op-1/cancel"] button')
    await page.waitForURL("**/sent")
    assert.equal(preview.posts[0]?.fields.get("csrf"), signedIn.csrf)
  })

  it("without scripts the page loads itself until the end", async () => {
    script = scriptedOperation()
    context = await browser.newContext({ javaScriptEnabled: false })
    page = await context.newPage()
    await page.goto(`${preview.url}/operations/op-1`)
    script.tell({ type: "state", state: "running" })
    tellStep("check", "begun")
    await step("check", "begun")
    script.tell({ type: "state", state: "succeeded" })
    await page.waitForSelector("#open")
  })
})
