/// <reference lib="dom" />
import assert from "node:assert/strict"
import { connect } from "node:tls"
import type { Browser, BrowserContext, Page } from "playwright-core"
import { goldenDirectory } from "../../cli/golden-images.ts"
import { handOver, introduction, serviceReady } from "../../cli/platform/hand-over.ts"
import { engineForImage } from "../../cli/platform/image.ts"
import { buildPlatformImage } from "../../image-builder/platform/build.ts"
import { applyPlatform, destroyPlatform } from "../../infra/platform/platform-stack.ts"
import { hostPort } from "../../local-cloud/machines/qemu/forwards.ts"
import { createNames } from "../../local-cloud/names.ts"
import { type DnsServer, startDns } from "../../local-cloud/network/dns.ts"
import { builtImage } from "../support/built-image.ts"
import { findChromium, launchChromium } from "../support/chromium.ts"
import { pictureIsThere, runOnDesktop, startMailbox } from "../support/desk.ts"
import { type Pebble, pebbleOrSkip } from "../support/pebble.ts"
import { type PlatformWorld, startPlatformWorld } from "../support/platform-world.ts"
import { skipSuite } from "../support/skip.ts"
import { waitUntil } from "../support/wait-until.ts"

const MINUTES = 60_000

/** From an empty project to a desktop: the service itself is a machine of the local cloud. */
describe("the platform", function () {
  this.timeout(60 * MINUTES)
  let world: PlatformWorld
  let browser: Browser
  let person: BrowserContext
  let page: Page
  let mailbox: Awaited<ReturnType<typeof startMailbox>>
  let pebble: Pebble | undefined
  let dns: DnsServer | undefined
  let platformImage = ""
  let workspace = ""
  let address = ""
  const began = Date.now()
  const told = (what: string) => console.log(`      ${((Date.now() - began) / 1000).toFixed(0)} s: ${what}`)

  before(async function () {
    const chromium = findChromium()
    if (chromium === undefined) return skipSuite(this, "this system has no Chromium")
    const golden = await builtImage(this, "browser")
    const log = (line: string) => process.env.VERBOSE && console.log(line)
    platformImage = await buildPlatformImage({ cacheDirectory: goldenDirectory(), engine: engineForImage(), log })
    world = await startPlatformWorld({ platform: platformImage, browser: golden })
    mailbox = await startMailbox()
    browser = await launchChromium(chromium)
    person = await browser.newContext({ viewport: { width: 1280, height: 800 }, ignoreHTTPSErrors: true })
  })
  after(async () => {
    await pebble?.close()
    await dns?.close()
    await browser?.close()
    mailbox?.close()
    await world?.close()
  })

  // Asked from a page of the service: Node knows no `*.localhost`.
  // biome-ignore lint/suspicious/noExplicitAny: tests look into what they know
  async function api(method: string, path: string): Promise<any> {
    const tab = await person.newPage()
    try {
      await tab.goto(`${world.url}/account`, { timeout: 5 * MINUTES })
      return await tab.evaluate(
        async ([method, url]) => (await fetch(url as string, { method: method as string })).json(),
        [method, `${world.url}/api/v1${path}`],
      )
    } finally {
      await tab.close()
    }
  }

  /** Who has issued what is shown at the server's one port. */
  function issuer(): Promise<string> {
    const { address, port, host } = world.door()
    return new Promise((resolve, reject) => {
      const socket = connect({ host: address, port, servername: host, rejectUnauthorized: false }, () => {
        resolve(socket.getPeerX509Certificate()?.issuer ?? "")
        socket.destroy()
      })
      socket.once("error", reject)
    })
  }

  it("up: from an empty project to the sign-in page", async () => {
    assert.deepEqual((await world.cloud.api<{ servers: unknown[] }>("GET", "/servers")).servers, [])
    await world.up(await world.plan())
    told("the service is ready")
    page = await person.newPage()
    await page.goto(world.url)
    await page.getByRole("link", { name: "Sign in with GitHub" }).first().waitFor()
  })

  it("no secret is in user-data, in the state or in what the provider tells", async () => {
    const { given } = await world.plan()
    const { servers } = await world.cloud.api<{ servers: { id: number }[] }>("GET", "/servers")
    const texts = {
      "user-data": await world.cloud.userData(servers[0]?.id ?? 0),
      state: JSON.stringify(await world.platform.engine.exportState("platform_main")),
      "the provider's API": JSON.stringify(servers),
      "the console": await world.console(),
    }
    for (const name of ["FOOZOL_SECRET", "FOOZOL_STATE_PASSPHRASE", "FOOZOL_GITHUB_CLIENT_SECRET", "HCLOUD_TOKEN"]) {
      const secret = given.service[name]
      assert.ok(secret && secret.length > 16, name)
      for (const [what, text] of Object.entries(texts)) assert.ok(!text.includes(secret), `${name} is in ${what}`)
    }
    await assert.rejects(introduction(world.door(), { birth: "x".repeat(43) }), /is not the server that was made/)
  })

  it("sign up: sign in, create a workspace, its desktop opens", async () => {
    await page.getByRole("link", { name: "Sign in with GitHub" }).first().click()
    await page.getByRole("button", { name: /alice/ }).click()
    await page.waitForURL(`${world.url}/`, { timeout: 2 * MINUTES })
    await page
      .getByRole("link", { name: /create|new workspace/i })
      .first()
      .click()
    await page.getByRole("button", { name: "Create workspace" }).click()
    await page.waitForURL(/\/operations\//, { timeout: MINUTES })
    told("the workspace is being made")
    // Nobody clicks: the page goes on to the desktop by itself.
    await page.waitForURL(url => url.host !== new URL(world.url).host, { timeout: 25 * MINUTES })
    address = new URL(page.url()).origin
    workspace = new URL(page.url()).hostname.split(".")[0] as string
    await pictureIsThere(page)
    told("the desktop is there")
    assert.match(await runOnDesktop(page, mailbox, "touch ~/hello; ls ~"), /hello/)
  })

  it("another image: the server is replaced, and nothing is lost or handed over again", async () => {
    const login = (await person.cookies(world.url)).find(({ name }) => name.includes("foozol"))
    assert.ok(login)
    const before = (await world.cloud.api<{ servers: { id: number }[] }>("GET", "/servers")).servers
    const { spec } = await world.plan({ image: await world.register(platformImage) })
    await applyPlatform(world.platform, spec, world.kept)
    told("the server is replaced")
    await waitUntil(
      "the service is ready again",
      async () => (await introduction(world.door(), world.kept).catch(() => null))?.service === "ready",
      10 * MINUTES,
    )
    told("the service is ready again")
    const after = (await world.cloud.api<{ servers: { id: number }[] }>("GET", "/servers")).servers
    assert.equal(after.length, 2)
    assert.equal(after.filter(({ id }) => before.some(one => one.id === id)).length, 1, "the workspace's machine alone")
    // The same login, the same workspace, whose machine has never stopped.
    const shown = await api("GET", `/workspaces/${workspace}`)
    assert.equal(shown.state, "RUNNING", JSON.stringify(shown))
    const again = await person.newPage()
    await again.goto(`${world.url}/connect?workspace=${workspace}`)
    await again.waitForURL(`${address}/`, { timeout: 2 * MINUTES })
    await pictureIsThere(again)
    assert.match(await runOnDesktop(again, mailbox, "ls ~"), /hello/)
  })

  it("settings handed over again: it gets a certificate of its own through its one port", async function () {
    const names = createNames(world.cloud.cloud.context.store)
    // Its IPv6 address is one of documentation, which leads nowhere; Pebble, other than others, tries no second one.
    const lookup: typeof names.lookup = (zone, name, type) => (type === "AAAA" ? [] : names.lookup(zone, name, type))
    dns = await startDns({ port: 0, ...names, lookup })
    pebble = await pebbleOrSkip(this, { tlsPort: hostPort(443), dns: dns.port })
    const env = { FOOZOL_ACME_DIRECTORY: pebble.authority().directory, FOOZOL_ACME_TRUST: pebble.trustFile }
    const { given } = await world.plan({ env })
    assert.equal((await issuer()).includes("Pebble"), false)
    await handOver(world.door(), world.kept, given, { waitMs: MINUTES })
    await waitUntil("there is a certificate", async () => /Pebble Intermediate/.test(await issuer()), 5 * MINUTES)
    told("the certificate is there")
    await serviceReady(world.door(), world.kept, { waitMs: 10 * MINUTES })
    // Whoever hands over knows the server by its new certificate as well.
    assert.equal((await introduction(world.door(), world.kept)).service, "ready")
  })

  it("is not destroyed while there are workspaces; then nothing of it is left", async () => {
    const { spec } = await world.plan({ image: 1 })
    await assert.rejects(destroyPlatform(world.platform, spec, world.kept), new RegExp(workspace))
    await api("DELETE", `/workspaces/${workspace}`)
    await waitUntil(
      "its machine is gone",
      async () => (await world.cloud.api<{ servers: unknown[] }>("GET", "/servers")).servers.length === 1,
      5 * MINUTES,
    )
    await destroyPlatform(world.platform, world.kept.spec() ?? spec, world.kept)
    for (const kind of ["servers", "volumes", "primary_ips", "firewalls"]) {
      const left = await world.cloud.api<Record<string, unknown[]>>("GET", `/${kind}`)
      assert.deepEqual(left[kind], [], kind)
    }
    told("all of it is gone")
  })
})
