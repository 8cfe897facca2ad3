/// <reference lib="dom" />
import assert from "node:assert/strict"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { Browser, BrowserContext, Page } from "playwright-core"
import { findChromium, launchChromium } from "../support/chromium.ts"
import { pictureIsThere, runOnDesktop, startMailbox } from "../support/desk.ts"
import { machineRequest, upgradeHeaders } from "../support/machine-request.ts"
import { share } from "../support/share.ts"
import { skipSuite } from "../support/skip.ts"
import { type StartedWorld, startWorldProcess } from "../support/started-world.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import { waitUntil } from "../support/wait-until.ts"

/** A stranger before `npm start`'s world, with a real machine: from the landing page to the desktop and out again. */
describe("from sign-up to a desktop in the browser", () => {
  let scratch: Awaited<ReturnType<typeof temporaryDirectory>>
  let world: StartedWorld
  let mailbox: Awaited<ReturnType<typeof startMailbox>>
  let browser: Browser
  let alice: BrowserContext
  let page: Page
  let workspace = ""
  let address = ""
  let sleeper = ""

  const newContext = () => browser.newContext({ viewport: { width: 1280, height: 800 }, ignoreHTTPSErrors: true })

  async function signIn(context: BrowserContext, name: string, start = world.url): Promise<Page> {
    const tab = await context.newPage()
    await tab.goto(start)
    if (new URL(tab.url()).origin === new URL(world.url).origin) {
      await tab.getByRole("link", { name: "Sign in with GitHub" }).first().click()
    }
    await tab.getByRole("button", { name: new RegExp(name) }).click()
    await tab.waitForURL(url => url.port !== "8446" && url.pathname !== "/login/oauth/authorize")
    return tab
  }

  before(async function () {
    const chromium = findChromium()
    if (chromium === undefined) return skipSuite(this, "this system has no Chromium")
    scratch = await temporaryDirectory("fc-")
    mailbox = await startMailbox()
    world = await startWorldProcess(scratch.path)
    browser = await launchChromium(chromium)
    alice = await newContext()
  })
  afterEach(function () {
    if (this.currentTest?.state !== "failed") return
    const log = join(scratch.path, "service.log")
    console.error(world?.printed(), existsSync(log) ? readFileSync(log, "utf8").split("\n").slice(-25).join("\n") : "")
  })
  after(async () => {
    await browser?.close()
    await world?.tearDown()
    mailbox?.close()
    await scratch?.remove()
  })

  it("landing, sign-in, create, progress, desktop: the picture is there", async () => {
    page = await signIn(alice, "alice")
    await page
      .getByRole("link", { name: /create|new workspace/i })
      .first()
      .click()
    await page.getByRole("button", { name: "Create workspace" }).click()
    await page.waitForURL(/\/operations\//)
    const progress = page.url()
    assert.equal(await page.getByRole("progressbar").count(), 1)
    // Nobody clicks: the page goes on to the desktop by itself.
    await page.waitForURL(/foozol\.localhost/, { timeout: 400_000 })
    address = new URL(page.url()).origin
    workspace = new URL(page.url()).hostname.split(".")[0] as string
    assert.equal(page.url(), `${address}/`, "the ticket is gone from the address")
    await pictureIsThere(page)
    const looked = await alice.newPage()
    await waitUntil("the page of its creation tells the whole way", async () => {
      await looked.goto(progress.replace(/\?.*$/, ""))
      return /from the click to the first picture/.test((await looked.textContent("#times")) ?? "")
    })
    await looked.close()
  })

  it("typing `touch ~/hello` in the terminal makes the file on the machine", async () => {
    const listed = await runOnDesktop(page, mailbox, "touch ~/hello; ls -A ~")
    assert.ok(listed.split("\n").includes("hello"), listed)
  })

  it("a closed browser ends nothing: the same process runs when another one opens", async () => {
    sleeper = await runOnDesktop(
      page,
      mailbox,
      "(nohup sleep 98765 >/dev/null 2>&1 &); until pgrep -ax sleep; do :; done",
    )
    assert.match(sleeper, /^\d+ sleep 98765$/m)
    await alice.close()
    alice = await newContext()
    // The bookmark: signs in, then leads to the desktop.
    page = await signIn(alice, "alice", `${world.url}connect`)
    await page.waitForURL(`${address}/`)
    await pictureIsThere(page)
    const now = await runOnDesktop(page, mailbox, "pgrep -x sleep -a; ls ~/hello")
    assert.ok(now.includes(/^\d+ sleep 98765$/m.exec(sleeper)?.[0] ?? "none"), now)
    assert.match(now, /hello/)
  })

  it("nobody else gets in: B's cookie, ticket or token on A's machine, a wrong one, none, or A's own a second time", async () => {
    const bob = await newContext()
    const tab = await signIn(bob, "bob")
    const [cookie] = (await bob.cookies(world.url)).filter(one => one.name === "foozol-login")
    assert.ok(cookie)
    const cookies = await alice.cookies(address)
    const token = cookies.find(one => one.name === "__Host-foozol")
    assert.ok(token?.httpOnly && token.secure && token.sameSite === "Lax")
    const tried = {
      "no token": {},
      "B's login as a token": { cookie: `__Host-foozol=${cookie.value}` },
      "B's login cookie": { cookie: `foozol-login=${cookie.value}` },
      "a wrong token": { cookie: `__Host-foozol=${"x".repeat(43)}` },
      "a token that is a little off": { cookie: `__Host-foozol=${token.value.slice(0, -1)}` },
    }
    for (const [what, headers] of Object.entries(tried)) {
      for (const path of ["/", "/agent/status"]) {
        const { status, body } = await machineRequest(address, path, headers)
        assert.ok(
          status === 401 || status === 403 || !body.includes('id="screen"'),
          `${what} was let in at ${path}: ${status}`,
        )
      }
      const upgrade = await machineRequest(address, "/vnc", { ...headers, ...upgradeHeaders(address) })
      assert.notEqual(upgrade.status, 101, `${what} got a stream`)
    }
    // A's own token opens the stream, so the refusals above are no accident; but not for another site's page.
    const own = { cookie: `__Host-foozol=${token.value}` }
    assert.equal((await machineRequest(address, "/vnc", { ...own, ...upgradeHeaders(address) })).status, 101)
    const foreign = await machineRequest(address, "/vnc", { ...own, ...upgradeHeaders("https://evil.example") })
    assert.notEqual(foreign.status, 101)
    // B asks the service for A's desktop.
    const answer = await tab.goto(`${world.url}connect?workspace=${workspace}`)
    assert.equal(answer?.status(), 404)
    // A ticket works once.
    const context = alice.request
    const led = await context.get(`${world.url}connect?workspace=${workspace}`, { maxRedirects: 0 })
    const entry = new URL(led.headers().location as string)
    const enter = () => machineRequest(address, `${entry.pathname}${entry.search}`)
    assert.equal((await enter()).status, 303)
    assert.notEqual((await enter()).status, 303)
    await bob.close()
  })

  it("Ctrl-C and a second start: the workspace is found again, its machine still at work", async () => {
    await page.close()
    assert.equal(await world.interrupt(), 0)
    world = await startWorldProcess(scratch.path)
    page = await alice.newPage()
    await page.goto(world.url)
    await page.getByText("Running").first().waitFor()
    await page.goto(`${world.url}connect?workspace=${workspace}`)
    await page.waitForURL(`${address}/`)
    await pictureIsThere(page)
    const now = await runOnDesktop(page, mailbox, "pgrep -x sleep -a")
    assert.ok(now.includes(/^\d+ sleep 98765$/m.exec(sleeper)?.[0] ?? "none"), now)
  })

  it("signing out closes the open stream at once, and the bookmark asks to sign in", async () => {
    const tab = await alice.newPage()
    await tab.goto(`${world.url}account`)
    await page.getByText("You were signed out").waitFor({ state: "hidden" })
    await tab.getByRole("button", { name: "Sign out here" }).click()
    await page.getByText("You were signed out").waitFor({ state: "visible" })
    await tab.goto(`${world.url}connect?workspace=${workspace}`)
    await tab.getByText("Who are you?").waitFor()
    const { status } = await machineRequest(address, "/agent/status", {
      cookie: (await alice.cookies(address)).map(one => `${one.name}=${one.value}`).join("; "),
    })
    assert.ok(status === 401 || status === 403, String(status))
  })

  // That a visit wakes it is what sleep-and-wake.test.ts is about; here it is tried in full only.
  it(`stops,${share(" starts again by the bookmark,", "")} and is deleted with its machine`, async () => {
    const tab = await signIn(alice, "alice")
    await tab.getByRole("button", { name: /^Stop/ }).click()
    await tab.getByText("Stopped").first().waitFor({ timeout: 600_000 })
    if (share(true, false)) {
      await tab.goto(`${world.url}connect?workspace=${workspace}`)
      if (tab.url().includes("/connect")) await tab.getByRole("button", { name: "Start and open my desktop" }).click()
      await tab.waitForURL(`${address}/`, { timeout: 400_000 })
      await pictureIsThere(tab)
      assert.match(await runOnDesktop(tab, mailbox, "ls ~"), /hello/)
    }
    await tab.goto(`${world.url}workspaces/${workspace}/delete`)
    await tab.getByLabel(/Type the workspace/).fill(workspace)
    await tab.getByRole("button", { name: /^Delete/ }).click()
    await waitUntil("the workspace is gone", async () => {
      await tab.goto(world.url)
      return (await tab.getByText(workspace).count()) === 0
    })
    await assert.rejects(machineRequest(address, "/"))
  })
})
