/// <reference lib="dom" />
import assert from "node:assert/strict"
import type { Browser, BrowserContextOptions } from "playwright-core"
import { idOf } from "../../local-cloud/sign-in/people.ts"
import { findChromium, launchChromium } from "../support/chromium.ts"
import { contrasts } from "../support/contrast.ts"
import { type GrantApp, type GrantAppOptions, startGrantApp } from "../support/grant-app.ts"
import { startTestCloud } from "../support/local-cloud.ts"
import { answerPage, startSignIn, type TestSignIn } from "../support/sign-in.ts"
import { skipSuite } from "../support/skip.ts"
import { createVisitor, type Visit, type Visitor } from "../support/visitor.ts"

/** The whole way with the real grant: app, stand-in for GitHub, app. */
describe("sign-in with grant", () => {
  let signIn: TestSignIn
  let app: GrantApp
  let visitor: Visitor
  const start = async (options: Partial<GrantAppOptions> = {}) => {
    app = await startGrantApp({ signIn, ...options })
    visitor = createVisitor()
  }
  const ask = (path = "/login/github") => visitor.get(`${app.url}${path}`)
  const answer = (page: Visit, fields: Record<string, string>) => answerPage(visitor, page, fields)
  const session = () => [...app.sessions.values()][0]?.grant

  beforeEach(async () => {
    signIn = await startSignIn()
  })
  afterEach(async () => {
    await app?.close()
    await signIn.close()
  })

  it("tells the app who somebody is", async () => {
    await start()
    const page = await ask()
    assert.equal(page.status, 200)
    assert.equal(new URL(page.url).origin, signIn.url)
    const end = await answer(page, { login: "alice" })
    assert.deepEqual(JSON.parse(end.text), { login: "alice" })
    assert.equal(new URL(end.url).pathname, "/login/github/callback")
    const { profile, access_token, raw, ...rest } = app.responses[0] ?? {}
    assert.deepEqual([profile.id, profile.login, profile.type], [idOf("User", "alice"), "alice", "User"])
    assert.match(access_token ?? "", /^gho_[A-Za-z0-9]{36}$/)
    assert.deepEqual(raw, { access_token, scope: "", token_type: "bearer" })
    assert.deepEqual(rest, {})
    const avatar = await fetch(profile.avatar_url)
    assert.match(avatar.headers.get("content-type") ?? "", /^image\/svg\+xml/)
  })

  it("works against the local cloud's own, whose app outlives a restart", async () => {
    const cloud = await startTestCloud({ machines: "none", settings: { signIn: {} } })
    try {
      const before = cloud.cloud.signIn
      await cloud.restart()
      assert.ok(before && cloud.cloud.signIn)
      assert.equal(cloud.cloud.signIn.clientSecret, before.clientSecret)
      await start({ signIn: cloud.cloud.signIn })
      assert.deepEqual(JSON.parse((await answer(await ask(), { login: "bob" })).text), { login: "bob" })
    } finally {
      await cloud.close()
    }
  })

  it("gives the same id to whoever comes again, however the name is written", async () => {
    await start()
    for (const login of ["new-face", "New-Face"]) await answer(await ask(), { login, organizations: "" })
    const [first, second] = app.responses.map(response => response.profile)
    assert.deepEqual([second.id, second.login], [first.id, "new-face"])
  })

  it("remembers nobody's sign-in: it asks again", async () => {
    await start()
    await answer(await ask(), { login: "alice" })
    assert.match((await ask()).text, /Who are you\?/)
  })

  it("keeps provider, state and verifier in the session between the two ways, and nothing of the answer", async () => {
    await start({ forget: false })
    const page = await ask()
    const between = JSON.stringify(session())
    assert.deepEqual(Object.keys(JSON.parse(between)).sort(), ["code_verifier", "provider", "state"])
    await answer(page, { login: "alice" })
    assert.equal(JSON.stringify(session()), between)
  })

  it("does not let the address choose scopes or anything else of the configuration", async () => {
    await start()
    const page = await ask("/login/github?scope=repo&redirect_uri=http://127.0.0.1:1/&key=x")
    const query = new URL(page.url).searchParams
    assert.deepEqual([query.get("scope"), query.get("client_id")], [null, signIn.clientId])
    assert.equal(query.get("redirect_uri"), `${app.url}/login/github/callback`)
  })

  it("cancelled: access_denied, with description, address and state", async () => {
    await start()
    const end = await answer(await ask(), { decision: "cancel" })
    assert.equal(JSON.parse(end.text).error, "access_denied")
    const { state, ...rest } = app.responses[0] as Record<string, string>
    assert.match(state ?? "", /^[0-9a-f]{40}$/)
    assert.equal(rest.error_description, "The user has denied your application access.")
    assert.match(rest.error_uri ?? "", /^https:\/\/docs\.github\.com\/.*#access-denied$/)
  })

  describe("refuses", () => {
    const refused = (error: string) => {
      const last = app.responses.at(-1)
      assert.equal(last?.error, error)
      assert.equal(last?.access_token, undefined)
      assert.equal(last?.profile?.id, undefined)
    }
    it("a code a second time", async () => {
      await start({ forget: false })
      const end = await answer(await ask(), { login: "alice" })
      assert.equal(app.responses[0]?.error, undefined)
      await visitor.get(end.url)
      refused("bad_verification_code")
    })
    it("a verifier of another sign-in", async () => {
      await start()
      const page = await ask()
      Object.assign(session() ?? {}, { code_verifier: "f".repeat(80) })
      await answer(page, { login: "alice" })
      refused("bad_verification_code")
    })
    it("a wrong client secret", async () => {
      await start({ provider: { secret: "0".repeat(40) } })
      await answer(await ask(), { login: "alice" })
      refused("incorrect_client_credentials")
    })
    it("a code that came too late", async () => {
      await start({ guarded: true })
      const page = await ask()
      const { location } = await codeOf(page, "alice")
      signIn.later(10 * 60_000)
      await visitor.get(location)
      refused("bad_verification_code")
    })
    it("takes a code just before that", async () => {
      await start()
      const { location } = await codeOf(await ask(), "alice")
      signIn.later(10 * 60_000 - 1)
      await visitor.get(location)
      assert.equal(app.responses[0]?.profile.login, "alice")
    })
    it("an unknown client, with 404", async () => {
      await start({ provider: { key: "0".repeat(20) } })
      assert.equal((await ask()).status, 404)
    })
    it("to send anybody to an address that is not registered", async () => {
      await start({ provider: { redirect_uri: "https://evil.example/login/github/callback" } })
      const page = await ask()
      assert.deepEqual([page.status, new URL(page.url).origin], [400, signIn.url])
      assert.match(page.text, /redirect_uri_mismatch/)
    })
    it("a state that was not given to this browser", async () => {
      await start({ guarded: false })
      const { location } = await codeOf(await ask(), "alice")
      const foreign = new URL(location)
      foreign.searchParams.set("state", "0".repeat(40))
      await visitor.get(foreign.href)
      refused("Grant: OAuth2 state mismatch")
    })

    /** The address with the code, before the browser goes there. */
    async function codeOf(page: Visit, login: string): Promise<{ location: string }> {
      const [, request = ""] = /name="request" value="([0-9a-f]+)"/.exec(page.text) ?? []
      const body = new URLSearchParams({ request, login })
      const response = await fetch(`${signIn.url}/login/oauth/authorize`, { method: "POST", body, redirect: "manual" })
      return { location: response.headers.get("location") ?? "" }
    }
  })

  describe("what an app must see to itself", () => {
    /** A good token of somebody who never came to this app. */
    const foreignToken = async () => {
      const other = await startGrantApp({ signIn })
      const theirs = createVisitor()
      await answerPage(theirs, await theirs.get(`${other.url}/login/github`), { login: "victim", organizations: "" })
      await other.close()
      return other.responses[0]?.access_token ?? ""
    }
    it("grant alone takes a token out of the callback's query, without looking at the state", async () => {
      const token = await foreignToken()
      await start({ guarded: false })
      await ask()
      const end = await visitor.get(`${app.url}/login/github/callback?access_token=${token}`)
      assert.deepEqual(JSON.parse(end.text), { login: "victim" })
    })
    it("with the guard it does not", async () => {
      const token = await foreignToken()
      await start()
      await ask()
      for (const query of [`access_token=${token}`, `access_token=${token}&state=${session()?.state}`, "", "code=1"]) {
        assert.equal((await visitor.get(`${app.url}/login/github/callback?${query}`)).status, 400, query)
      }
      assert.deepEqual(app.responses, [])
    })
    it("without tokens among what is asked for, grant's profile is an error", async () => {
      await start({ provider: { response: ["profile"] } })
      await answer(await ask(), { login: "alice" })
      assert.equal(app.responses[0]?.profile.error.message, "Bad credentials")
    })
    it("a callback without a session leads to /?error=…, past the app's own route", async () => {
      await start({ guarded: false })
      const end = await visitor.get(`${app.url}/login/github/callback?code=x&state=y`)
      assert.match(end.url, /\/\?error=Grant%3A%20missing%20session/)
      assert.deepEqual(app.responses, [])
    })
    it("every path below the prefix is grant's", async () => {
      await start()
      assert.match((await ask("/login/nobody")).url, /\/\?error=Grant%3A%20missing%20or%20misconfigured%20provider/)
    })
  })

  describe("in Chromium", () => {
    let browser: Browser
    before(async function () {
      const chromium = findChromium()
      if (chromium === undefined) return skipSuite(this, "no Chromium on the PATH")
      browser = await launchChromium(chromium)
    })
    after(() => browser?.close())
    const open = async (options: BrowserContextOptions = {}) => {
      const context = await browser.newContext(options)
      const page = await context.newPage()
      const faults: string[] = []
      page.on("pageerror", error => faults.push(error.message))
      page.on("console", message => {
        if (message.type() === "error") faults.push(message.text())
      })
      return { page, faults }
    }

    it("signs somebody in with one click", async () => {
      await start()
      const { page, faults } = await open()
      await page.goto(`${app.url}/login/github`)
      await page.getByRole("button", { name: "alice" }).click()
      await page.waitForURL(`${app.url}/login/github/callback?**`)
      assert.equal(app.responses[0]?.profile.login, "alice")
      assert.deepEqual(faults, [])
    })
    it("signs in who types a name: Enter sends that form, and a wrong name is said at the field", async () => {
      await start({ provider: { scope: ["read:org"] } })
      const { page } = await open()
      await page.goto(`${app.url}/login/github`)
      await page.getByLabel("User name").fill("--")
      await page.keyboard.press("Enter")
      assert.match(await page.getByRole("alert").innerText(), /"--" cannot be a name at GitHub/)
      await page.getByLabel("User name").fill("dora-7")
      await page.getByLabel("Organisations").fill("acme umbrella")
      await page.keyboard.press("Enter")
      await page.waitForURL(`${app.url}/login/github/callback?**`)
      const { profile, access_token } = app.responses[0] ?? {}
      assert.equal(profile.login, "dora-7")
      const orgs = await fetch(`${signIn.url}/api/v3/user/orgs`, {
        headers: { authorization: `Bearer ${access_token}` },
      })
      assert.deepEqual(
        ((await orgs.json()) as { login: string }[]).map(one => one.login),
        ["acme", "umbrella"],
      )
    })
    it("a hint puts somebody first: Enter is enough", async () => {
      await start({ provider: { custom_params: { login: "bob" } } })
      const { page } = await open()
      await page.goto(`${app.url}/login/github`)
      // A browser gives the focus with its first frame, which is later than the page's `load` where it has much to do.
      await page.locator(":focus").filter({ hasText: "bob" }).waitFor()
      await page.keyboard.press("Enter")
      await page.waitForURL(`${app.url}/login/github/callback?**`)
      assert.equal(app.responses[0]?.profile.login, "bob")
    })
    it("a session cookie with SameSite=Strict does not come back with the answer, as with GitHub itself", async () => {
      await start({ sameSite: "strict" })
      const { page } = await open()
      await page.goto(`${app.url}/login/github`)
      await page.getByRole("button", { name: "alice" }).click()
      await page.waitForURL(`${app.url}/login/github/callback?**`)
      assert.match(await page.innerText("body"), /was not begun here/)
    })
    for (const colorScheme of ["light", "dark"] as const) {
      it(`fits a phone and has contrast, ${colorScheme}`, async () => {
        await start()
        const { page, faults } = await open({ viewport: { width: 320, height: 640 }, colorScheme })
        await page.goto(`${app.url}/login/github`)
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320)
        const images = page.locator("img")
        assert.equal(await images.count(), 3)
        assert.ok(await images.evaluateAll(all => all.every(one => (one as HTMLImageElement).naturalWidth > 0)))
        const texts = await contrasts(page)
        assert.ok(texts.length > 10)
        assert.deepEqual(
          texts.filter(({ ratio }) => ratio < 4.5),
          [],
        )
        assert.deepEqual(faults, [])
      })
    }
  })
})
