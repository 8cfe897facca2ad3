/// <reference lib="dom" />
import assert from "node:assert/strict"
import type { ServerResponse } from "node:http"
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core"
import { readRepository } from "../../infra/repositories/repository.ts"
import type { Conversation } from "../../service/conversations/follow.ts"
import type { ConversationState } from "../../service/conversations/report.ts"
import {
  type AgentsView,
  dashboardPage,
  deletePage,
  newWorkspacePage,
  workspacePage,
} from "../../service/pages/index.ts"
import type { Workspace } from "../../service/workspaces/workspace.ts"
import { findChromium, launchChromium } from "../support/chromium.ts"
import { containerPages } from "../support/container-samples.ts"
import { operatorPages } from "../support/operator-samples.ts"
import { auditPage } from "../support/page-audit.ts"
import {
  agents,
  operation,
  options,
  samplePages,
  signedIn,
  twoProviders,
  view,
  workspace,
  workspaceModel,
} from "../support/page-samples.ts"
import { startPreview } from "../support/pages-preview.ts"
import { share } from "../support/share.ts"
import { skipSuite } from "../support/skip.ts"
import { waitUntil } from "../support/wait-until.ts"

/** The pages in a real browser, under their policy, against a server that answers what a test says. */
describe("pages", () => {
  let browser: Browser
  let preview: Awaited<ReturnType<typeof startPreview>>
  let routes: Parameters<typeof startPreview>[0]
  let context: BrowserContext
  let page: Page
  let faults: string[]

  const open = async (path: string, settings: BrowserContextOptions = {}) => {
    context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...settings })
    page = await context.newPage()
    page.on("pageerror", error => faults.push(error.message))
    page.on("dialog", dialog => faults.push(`dialog: ${dialog.message()}`))
    page.on("console", message => {
      if (/Content Security Policy|Refused to/.test(message.text())) faults.push(message.text())
    })
    await page.goto(preview.url + path)
  }
  /** Where the preview's forms lead. */
  const sent = () => page.waitForURL("**/sent")

  before(async function () {
    const chromium = findChromium()
    if (chromium === undefined) return skipSuite(this, "this system has no Chromium")
    browser = await launchChromium(chromium)
    preview = await startPreview((path, url) => routes(path, url))
  })
  beforeEach(() => {
    faults = []
    preview.posts.length = 0
    preview.conversations.length = 0
  })
  afterEach(async () => {
    await context?.close()
    assert.deepEqual(faults, [])
  })
  after(async () => {
    await browser?.close()
    await preview?.stop()
  })

  // Each scheme and each width once; all pairs of them in full.
  const schemes = ["light", "dark"] as const
  const pairs = schemes.flatMap(scheme => [360, 1280].map(width => [scheme, width] as const))
  const few = pairs.filter(([scheme, width]) => (scheme === "light") === (width === 1280))
  for (const [colorScheme, width] of share(pairs, few)) {
    it(`every page can be used by everybody, ${colorScheme}, ${width} pixels wide`, async () => {
      const pages = { ...samplePages(), ...operatorPages(), ...containerPages() }
      routes = path => pages[path]
      context = await browser.newContext({ viewport: { width, height: 740 }, colorScheme, reducedMotion: "reduce" })
      page = await context.newPage()
      const found: string[] = []
      page.on("console", message => {
        if (/Content Security Policy|Refused to/.test(message.text())) faults.push(message.text())
      })
      page.on("pageerror", error => faults.push(error.message))
      for (const path of Object.keys(pages)) {
        await page.goto(preview.url + path)
        // What is folded away is looked at as well.
        await page.evaluate(() => {
          for (const details of document.querySelectorAll("details")) details.open = true
        })
        found.push(...(await page.evaluate(auditPage)).map(fault => `${path}: ${fault}`))
      }
      assert.deepEqual(found, [])
    })
  }

  it("what somebody wrote into a name runs nowhere", async () => {
    const name = `"><img src=x onerror=alert(1)><script>alert(2)</script>`
    const hostile = workspace({ name, failure: { id: name, message: name, next: "fail" }, state: "FAILED" })
    routes = () => dashboardPage({ ...signedIn, workspaces: [view(hostile)], quota: { desktop: 1, total: 3, used: 1 } })
    await open("/")
    assert.equal(await page.textContent("article h2"), name)
    assert.equal(await page.locator("main img, main script").count(), 0)
    assert.equal(await page.locator("article").getAttribute("data-name"), name)
  })

  it("the keyboard reaches the content first, and closes the menu", async () => {
    const pages = { ...samplePages(), ...operatorPages() }
    routes = path => pages[path]
    await open("/dashboard")
    await page.keyboard.press("Tab")
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Skip to content")
    await page.keyboard.press("Enter")
    assert.equal(await page.evaluate(() => document.activeElement?.id), "main")
    const summary = page.locator("[data-menu] summary")
    await summary.focus()
    await page.keyboard.press("Enter")
    assert.equal(await page.isVisible(".menu-panel"), true)
    await page.keyboard.press("Escape")
    assert.equal(await page.isVisible(".menu-panel"), false)
    assert.equal(await summary.evaluate(element => element === document.activeElement), true)
    await summary.click()
    await page.click("h1")
    assert.equal(await page.isVisible(".menu-panel"), false)
  })

  it("deleting wants the name typed, with its token sent along", async () => {
    routes = () => deletePage({ ...signedIn, workspace: workspace() })
    await open("/workspaces/w-7f3k2m/delete")
    assert.equal(await page.isDisabled("#delete"), true)
    await page.fill("#confirm", "quiet-otte")
    assert.equal(await page.isDisabled("#delete"), true)
    await page.fill("#confirm", "quiet-otter")
    await page.click("#delete")
    await sent()
    const [post] = preview.posts
    assert.equal(post?.path, "/workspaces/w-7f3k2m/delete")
    assert.deepEqual(Object.fromEntries(post?.fields ?? []), { csrf: signedIn.csrf, confirm: "quiet-otter" })
  })

  it("a restore wants the name typed, and an account's end the login name", async () => {
    const pages = { ...samplePages(), ...operatorPages() }
    routes = path => pages[path]
    for (const [path, name, form] of [
      ["/restore", "quiet-otter", "/workspaces/w-7f3k2m/restore"],
      ["/account-delete", "ada", "/account/delete"],
    ] as const) {
      await open(path)
      const button = page.locator("[data-confirmed]")
      assert.equal(await button.isDisabled(), true)
      await page.fill("#confirm", name)
      if (path === "/account-delete") await page.check('[name="snapshots"]')
      await button.click()
      await sent()
      assert.equal(preview.posts.at(-1)?.path, form)
      assert.equal(preview.posts.at(-1)?.fields.get("confirm"), name)
      await context.close()
    }
    assert.equal(preview.posts[0]?.fields.get("backup"), "200")
    assert.equal(preview.posts[1]?.fields.get("snapshots"), "remove")
  })

  it("a workspace's page notices the end of a backup, and changes of its own workspace alone", async () => {
    let [isOver, state, loads]: [boolean, Workspace["state"], number] = [false, "RUNNING", 0]
    routes = path => {
      const json = (body: object) => (_: unknown, response: ServerResponse) => {
        response.setHeader("content-type", "application/json")
        response.end(JSON.stringify(body))
      }
      if (path === "/api/v1/workspaces")
        return json({
          workspaces: [
            { id: "other", state: "STOPPING" },
            { id: "w-7f3k2m", state },
          ],
        })
      if (path.startsWith("/api/v1/operations/")) return json({ finishedAt: isOver ? "2030-01-01T00:00:00Z" : null })
      loads++
      const shown = operation({ id: "op-9", kind: "backup", state: isOver ? "succeeded" : "running" })
      return workspacePage({ ...workspaceModel(), view: view({ state }, { operation: shown }) })
    }
    await open("/workspaces/w-7f3k2m")
    await page.getByText("Backing quiet-otter up").waitFor()
    await page.fill("#backup-name", "half typed")
    // Longer than from one question to the next.
    await page.waitForTimeout(4_000)
    assert.equal(loads, 1)
    assert.equal(await page.inputValue("#backup-name"), "half typed")
    isOver = true
    await page.getByText("Backing quiet-otter up").waitFor({ state: "detached" })
    assert.equal(await page.getAttribute("#workspaces", "data-moving"), null)
  })

  it("a workspace's page follows its agents, leaves alone what is typed, and tells of one that waits", async () => {
    let state: ConversationState = "working"
    const [one] = agents().conversations as [Conversation]
    routes = () => {
      const shown: AgentsView = { tools: ["claude"], conversations: [{ ...one, state }] }
      const model = workspaceModel()
      return workspacePage({ ...model, view: { ...model.view, agents: shown } })
    }
    const told = () => {
      const { tool, id, title, last } = one
      const its = { workspace: "w-7f3k2m", id: `${tool}:${id}`, tool, title, last, state, prompted: false }
      preview.conversations.splice(0, 1, its, { ...its, workspace: "another", state: "waiting" })
    }
    told()
    await open("/workspaces/w-7f3k2m")
    await context.grantPermissions(["notifications"])
    await page.evaluate(() => {
      const shown: string[] = []
      Object.assign(window, { shown })
      // A page without a window is not shown any; what would be is noted.
      window.Notification = class extends EventTarget {
        static permission = "granted"
        constructor(title: string) {
          super()
          shown.push(title)
        }
      } as unknown as typeof Notification
      Object.defineProperty(document, "hidden", { get: () => true })
    })
    await page.fill("#prompt", "half typed")
    await page.waitForTimeout(5_000)
    assert.match((await page.textContent("#agent-list")) ?? "", /At work/)
    assert.doesNotMatch(await page.title(), /^\(/)
    await page.evaluate(() => Object.defineProperty(document, "visibilityState", { value: "hidden" }))
    state = "waiting"
    told()
    await page.getByText("Waits for you").waitFor({ timeout: 40_000 })
    assert.equal(await page.inputValue("#prompt"), "half typed")
    await page.waitForFunction(() => document.title.startsWith("(1) "))
    assert.deepEqual(await page.evaluate(() => (window as unknown as { shown: string[] }).shown), [
      "Claude Code in quiet-otter waits for you",
    ])
  })

  it("a workspace's page tells how far its repository is, and leaves alone what is typed meanwhile", async () => {
    const repository = readRepository({ url: "https://github.com/ada/tool" })
    let fetch: Workspace["fetch"] = { state: "fetching", percent: 4 }
    let asked = 0
    routes = path => {
      if (path !== "/api/v1/workspaces") return workspacePage(workspaceModel({ repository, fetch }))
      asked++
      const told = { state: fetch?.state, percent: fetch?.percent ?? null }
      return (_, response) => {
        response.setHeader("content-type", "application/json")
        response.end(JSON.stringify({ workspaces: [{ id: "w-7f3k2m", state: "RUNNING", repository: told }] }))
      }
    }
    await open("/workspaces/w-7f3k2m")
    await page.fill("#backup-name", "half typed")
    fetch = { state: "fetching", percent: 45 }
    await page.getByText("Fetching ada/tool: 45 %").waitFor()
    fetch = { state: "fetched", folder: "tool" }
    await page.getByText("fetched into ~/tool").waitFor()
    assert.equal(await page.inputValue("#backup-name"), "half typed")
    const until = asked
    await page.waitForTimeout(4_000)
    assert.equal(asked, until, "then nothing is asked any more")
  })

  it("prices and what can be had change with the region", async () => {
    routes = () => newWorkspacePage({ ...signedIn, options, values: { sizeClass: "medium" } })
    await open("/workspaces/new")
    const size = (name: string) => page.locator(".size", { has: page.locator(`input[value="${name}"]`) })
    const price = () => page.textContent("#price")
    assert.equal(await price(), "€11.99 a month")
    assert.equal(await size("large").locator("input").isDisabled(), true)
    await page.check('input[value="ash"]')
    assert.equal(await price(), "€17.49 a month")
    assert.equal(await size("large").locator("[data-price]").textContent(), "€32.99 a month")
    assert.equal(await size("large").locator("input").isDisabled(), false)
    // What was chosen is sold out there: the next best is chosen, and says its price.
    await page.check('input[value="nbg1"]')
    assert.equal(await size("medium").locator("[data-reason]").textContent(), "Sold out in this region")
    assert.equal(await page.isChecked('input[value="small"]'), true)
    assert.equal(await price(), "€3.49 a month")
  })

  it("a size is what its provider has in the region, and the region alone is sent", async () => {
    routes = () => newWorkspacePage({ ...signedIn, options: twoProviders, values: { provider: "gcp" } })
    await open("/workspaces/new")
    const medium = page.locator(".size", { has: page.locator('input[value="medium"]') })
    assert.equal(await page.isChecked('input[value="us-central1-a"]'), true)
    assert.equal(await page.textContent("#price"), "$72.40 a month")
    assert.equal(await medium.locator("[data-facts]").textContent(), "2 vCPU · 16 GB memory · 64 GB disk")
    assert.equal(await page.locator('input[value="small"]').isDisabled(), true)
    await page.check('input[value="fsn1"]')
    assert.equal(await medium.locator("[data-type]").textContent(), "cx43")
    assert.equal(await page.textContent("#price"), "€11.99 a month")
    await page.check('input[value="us-central1-a"]')
    assert.equal(await medium.locator("[data-type]").textContent(), "e2-highmem-2")
    await page.locator(".summary button").click()
    await sent()
    const fields = preview.posts[0]?.fields
    assert.deepEqual([fields?.get("region"), fields?.get("provider")], ["us-central1-a", null])
  })

  it("a new workspace is sent once, with its rows of keys in order", async () => {
    routes = () => newWorkspacePage({ ...signedIn, options, idempotencyKey: "key-1" })
    await open("/workspaces/new")
    await page.click("details:has(#secrets) > summary")
    await page.fill('[data-row]:nth-of-type(1) [name="secretValue"]', "sk-1")
    await page.click("[data-add-row]")
    await page.keyboard.type("MY_KEY")
    await page.keyboard.press("Tab")
    await page.keyboard.type("two")
    await page.fill("#name", "my machine")
    await page.locator(".summary button").dblclick()
    await sent()
    assert.equal(preview.posts.length, 1)
    const fields = preview.posts[0]?.fields ?? new URLSearchParams()
    assert.deepEqual(fields.getAll("secretName"), ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "", "MY_KEY"])
    assert.deepEqual(fields.getAll("secretValue"), ["sk-1", "", "", "two"])
    assert.deepEqual(
      ["profile", "region", "provider", "sizeClass", "name", "proxy", "idempotencyKey", "csrf"].map(key =>
        fields.get(key),
      ),
      ["browser", "fsn1", "hetzner", "small", "my machine", "", "key-1", signedIn.csrf],
    )
  })

  it("moving cards change by themselves, keep the focus, and stop asking at rest", async () => {
    let state: Workspace["state"] = "STOPPING"
    let asked = 0
    const quota = { desktop: 1, total: 3, used: 1 }
    routes = path => {
      if (path !== "/api/v1/workspaces") {
        const shown = view({ state }, { operation: operation({ kind: "stop" }) })
        return dashboardPage({ ...signedIn, workspaces: [shown], quota })
      }
      asked++
      return (_, response) => {
        response.setHeader("content-type", "application/json")
        response.end(JSON.stringify({ workspaces: [{ id: "w-7f3k2m", state }] }))
      }
    }
    await open("/")
    await page.evaluate(() => Object.assign(window, { same: true }))
    const remove = page.locator('a[href="/workspaces/w-7f3k2m/delete"]')
    await remove.focus()
    await waitUntil("it asks", () => asked > 0)
    assert.equal(await page.getAttribute("article", "data-state"), "STOPPING")
    state = "STOPPED"
    await page.waitForSelector('article[data-state="STOPPED"]')
    assert.equal(await page.textContent("#changes"), "quiet-otter is now: Stopped.")
    assert.equal(await remove.evaluate(element => element === document.activeElement), true)
    assert.equal(await page.evaluate(() => "same" in window), true)
    const then = asked
    // Longer than from one question to the next.
    await page.waitForTimeout(4_000)
    assert.equal(asked, then)
  })

  it("a hidden tab asks nothing, and asks at once when it is seen again", async () => {
    let asked = 0
    routes = path => {
      if (path === "/api/v1/workspaces") asked++
      return dashboardPage({
        ...signedIn,
        workspaces: [view({ state: "STARTING" })],
        quota: { desktop: 1, total: 3, used: 1 },
      })
    }
    await open("/")
    await waitUntil("it asks", () => asked > 0)
    const hide = (hidden: boolean) =>
      page.evaluate(value => {
        Object.defineProperty(document, "hidden", { configurable: true, get: () => value })
        document.dispatchEvent(new Event("visibilitychange"))
      }, hidden)
    await hide(true)
    const then = asked
    await page.waitForTimeout(4_000)
    assert.equal(asked, then)
    await hide(false)
    await waitUntil("it asks again", () => asked > then)
  })

  it("works without scripts: moving pages load themselves again, forms are sent", async () => {
    let loads = 0
    routes = () => {
      loads++
      return dashboardPage({
        ...signedIn,
        workspaces: [view({ state: "STOPPING" }), view({ id: "w-2", state: "STOPPED" })],
        quota: { desktop: 1, total: 3, used: 2 },
      })
    }
    await open("/", { javaScriptEnabled: false })
    await waitUntil("it was loaded again", () => loads >= 2)
    await page.click('form[action="/workspaces/w-2/start"] button')
    await sent()
    assert.equal(preview.posts[0]?.fields.get("csrf"), signedIn.csrf)
  })
})
