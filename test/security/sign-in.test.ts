import assert from "node:assert/strict"
import { request } from "node:http"
import { hashOf } from "../../service/keys.ts"
import { cookieOf, startTestService, type TestService } from "../support/service.ts"
import { answerPage } from "../support/sign-in.ts"
import { createVisitor, type Visitor } from "../support/visitor.ts"

const LOGIN = "foozol-login"
const STATE = "foozol-sign-in"

describe("security: sign-in", () => {
  let test: TestService

  beforeEach(() => test.forgetLimits())
  before(async () => {
    test = await startTestService()
  })
  after(() => test?.close())

  /** One request as it is written, however odd the path: no client tidies it up. */
  function raw(path: string, headers: Record<string, string> = {}): Promise<{ status: number; location: string }> {
    const { hostname, port } = new URL(test.url)
    return new Promise((resolve, reject) => {
      const call = request({ hostname, port, path, headers: { host: `${hostname}:${port}`, ...headers } }, answer => {
        answer.resume()
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, location: answer.headers.location ?? "" }))
      })
      call.on("error", reject)
      call.end()
    })
  }
  const isOurs = (location: string) => new URL(location, test.url).origin === new URL(test.url).origin
  const cookie = (visitor: Visitor, name: string) => visitor.cookies.get("127.0.0.1")?.get(name)
  const setCookie = (visitor: Visitor, name: string, value: string) => {
    const jar = visitor.cookies.get("127.0.0.1") ?? new Map<string, string>()
    visitor.cookies.set("127.0.0.1", jar.set(name, value))
  }
  const me = (cookies: string) => fetch(`${test.url}/api/v1/me`, { headers: { cookie: cookies } })
  /** Goes to the stand-in's page and answers it, but does not follow the way back: returns the callback's address. */
  async function callback(visitor: Visitor, login = "ada"): Promise<URL> {
    const page = await visitor.get(`${test.url}/login/github`)
    const [, asked = ""] = /name="request" value="([0-9a-f]+)"/.exec(page.text) ?? []
    const answer = await fetch(new URL("/login/oauth/authorize", page.url), {
      method: "POST",
      body: new URLSearchParams({ request: asked, login }),
      redirect: "manual",
    })
    return new URL(answer.headers.get("location") ?? "")
  }
  const refusedAt = "/?sign-in=not-begun-here"

  describe("no open redirect", () => {
    const elsewhere = [
      "//evil.example",
      "///evil.example",
      "/\\evil.example",
      "\\\\evil.example",
      "/\\/evil.example",
      "https://evil.example",
      "https:evil.example",
      "javascript:alert(1)",
      "data:text/html,x",
      "/\t/evil.example",
      "/\r\nLocation: https://evil.example",
      "\r\n//evil.example",
      " //evil.example",
      "/..//evil.example",
      "/./\\evil.example",
      "//127.0.0.1:1@evil.example",
      "@evil.example",
      "evil.example",
      "/\u2028/evil.example",
    ]
    for (const next of elsewhere) {
      it(`next=${JSON.stringify(next)} leads home after sign-in`, async () => {
        const visitor = createVisitor()
        const page = await visitor.get(`${test.url}/login/github?next=${encodeURIComponent(next)}`)
        const end = await answerPage(visitor, page, { login: "ada" })
        assert.equal(end.status, 200)
        assert.equal(end.url, `${test.url}/`)
        for (const step of end.way) assert.ok(!step.includes("evil"), step)
      })
    }

    it("a name of another site that stays encoded is a path of our own", async () => {
      for (const next of ["/%2f%2fevil.example", "/%5cevil.example", "/%0d%0aLocation:%20https://evil.example"]) {
        const visitor = createVisitor()
        const page = await visitor.get(`${test.url}/login/github?next=${encodeURIComponent(next)}`)
        const end = await answerPage(visitor, page, { login: "ada" })
        assert.equal(new URL(end.url).origin, test.url)
        assert.equal(end.status, 404)
      }
    })

    it("next twice leads home, and a path of our own leads there", async () => {
      for (const [query, path] of [
        ["next=/account&next=//evil.example", "/"],
        ["next=%2Faccount%3Fa%3Db", "/account?a=b"],
      ]) {
        const visitor = createVisitor()
        const end = await answerPage(visitor, await visitor.get(`${test.url}/login/github?${query}`), { login: "ada" })
        assert.equal(end.url, `${test.url}${path}`)
      }
    })

    it("whatever Host and X-Forwarded-Host say, GitHub is told our own way back", async () => {
      for (const headers of [
        { "x-forwarded-host": "evil.example", "x-forwarded-proto": "https" },
        { forwarded: "host=evil.example", "x-host": "evil.example" },
        { "x-original-host": "evil.example", "x-rewrite-url": "//evil.example" },
      ]) {
        const { status, location } = await raw("/login/github", headers)
        assert.equal(status, 302)
        const wayBack = new URL(location).searchParams.get("redirect_uri")
        assert.equal(wayBack, `${test.url}/login/github/callback`)
      }
    })

    it("another Host is led to our own name, whatever the path is made of", async () => {
      const paths = [
        "/",
        "//evil.example",
        "///evil.example/a",
        "/\\evil.example",
        "/\\\\/evil.example",
        "//evil.example/%2f..",
        "/a?next=//evil.example",
        "/@evil.example",
        "/.evil.example",
        "/:80@evil.example",
      ]
      for (const path of paths) {
        for (const host of ["evil.example", "127.0.0.1", "127.0.0.1:1@evil.example", "localhost:1", "evil.example#"]) {
          const { status, location } = await raw(path, { host })
          assert.equal(status, 302, `${path} at ${host}`)
          assert.ok(location.startsWith(`${test.url}/`) && isOurs(location), `${path} at ${host}: ${location}`)
        }
      }
    })

    it("a path of two slashes at our own name is no redirect at all", async () => {
      for (const path of ["//evil.example", "/\\evil.example", "//evil.example/login/github"]) {
        const { status, location } = await raw(path, { accept: "text/html" })
        assert.ok(status === 404 || isOurs(location), `${path}: ${status} ${location}`)
      }
    })

    it("a stranger at a page of somebody's is led to sign-in and back to that page only", async () => {
      const { location } = await raw("/operations/x?next=//evil.example", { accept: "text/html" })
      assert.ok(isOurs(location))
      assert.equal(new URL(location, test.url).searchParams.get("next"), "/operations/x?next=//evil.example")
      const bookmark = await raw("/connect?workspace=%0d%0aSet-Cookie:a=b", { accept: "text/html" })
      assert.ok(isOurs(bookmark.location))
    })
  })

  describe("no fixation", () => {
    it("an id that was planted before sign-in is worth nothing afterwards", async () => {
      const visitor = createVisitor()
      const planted = "planted-by-somebody-else-before-sign-in-1234"
      setCookie(visitor, LOGIN, planted)
      await answerPage(visitor, await visitor.get(`${test.url}/login/github`), { login: "ada" })
      assert.notEqual(cookie(visitor, LOGIN), planted)
      assert.equal((await me(cookieOf(visitor))).status, 200)
      assert.equal((await me(`${LOGIN}=${planted}`)).status, 401)
    })

    it("somebody else's living login that was planted ends with the sign-in, and is not taken over", async () => {
      const eve = await test.signIn("eve")
      const planted = cookie(eve, LOGIN) as string
      const visitor = createVisitor()
      setCookie(visitor, LOGIN, planted)
      await answerPage(visitor, await visitor.get(`${test.url}/login/github`), { login: "ada" })
      const mine = (await (await me(cookieOf(visitor))).json()) as { login: string }
      assert.equal(mine.login, "ada")
      assert.equal((await me(`${LOGIN}=${planted}`)).status, 401)
    })

    it("each sign-in has a new id, and the one before is over", async () => {
      const visitor = await test.signIn("ada")
      const ids = [cookie(visitor, LOGIN) as string]
      for (let again = 0; again < 2; again++) {
        await answerPage(visitor, await visitor.get(`${test.url}/login/github`), { login: "ada" })
        ids.push(cookie(visitor, LOGIN) as string)
      }
      assert.equal(new Set(ids).size, 3)
      assert.deepEqual(await Promise.all(ids.map(async id => (await me(`${LOGIN}=${id}`)).status)), [401, 401, 200])
    })

    it("the store holds hashes of logins, not their ids", async () => {
      const id = cookie(await test.signIn("ada"), LOGIN) as string
      const keys = await test.service.services.redis.keys("fz:login:*")
      assert.ok(keys.includes(`fz:login:${hashOf(id)}`))
      assert.ok(!keys.some(key => key.includes(id)))
    })

    it("a login ends when it has not been used, and in any case when its time is over", async () => {
      const { redis } = test.service.services
      for (const end of [
        (key: string) => redis.pexpire(key, 1),
        (key: string) => redis.hset(key, "endsAt", Date.now() - 1),
      ]) {
        const visitor = await test.signIn("ada")
        await end(`fz:login:${hashOf(cookie(visitor, LOGIN) as string)}`)
        await new Promise(resolve => setTimeout(resolve, 5))
        assert.equal((await me(cookieOf(visitor))).status, 401)
      }
    })

    it("cookies are out of reach of scripts and of other sites' requests", async () => {
      const visitor = createVisitor()
      const begun = await fetch(`${test.url}/login/github`, { redirect: "manual" })
      const [state = ""] = begun.headers.getSetCookie()
      assert.match(state, new RegExp(`^${STATE}=[\\w-]{43};`))
      for (const part of [/httponly/i, /samesite=lax/i, /path=\//i]) assert.match(state, part)
      const back = await callback(visitor)
      const answer = await fetch(back, { redirect: "manual", headers: { cookie: cookieOf(visitor) } })
      const login = answer.headers.getSetCookie().find(one => one.startsWith(`${LOGIN}=`)) ?? ""
      for (const part of [/httponly/i, /samesite=lax/i, /path=\//i]) assert.match(login, part)
      assert.doesNotMatch(login, /domain=/i)
    })
  })

  describe("OAuth state", () => {
    const tampered: [string, (back: URL) => void][] = [
      ["missing", back => back.searchParams.delete("state")],
      ["empty", back => back.searchParams.set("state", "")],
      ["another", back => back.searchParams.set("state", "0".repeat(40))],
      ["given twice", back => back.searchParams.append("state", "other")],
      ["an object", back => back.searchParams.append("state[a]", back.searchParams.get("state") as string)],
    ]
    for (const [name, tamper] of tampered) {
      it(`${name}: no login comes of it`, async () => {
        const visitor = createVisitor()
        const back = await callback(visitor)
        tamper(back)
        if (name === "an object") back.searchParams.delete("state")
        const end = await visitor.get(back.href)
        assert.equal(end.url, `${test.url}${refusedAt}`)
        assert.equal(end.status, 403)
        assert.equal(cookie(visitor, LOGIN), undefined)
      })
    }

    it("foreign: an attacker's own callback, opened in the victim's browser, signs nobody in", async () => {
      const attackers = await callback(createVisitor(), "eve")
      const victim = createVisitor()
      assert.equal((await victim.get(attackers.href)).url, `${test.url}${refusedAt}`)
      await callback(victim)
      assert.equal(
        (await victim.get(attackers.href)).url,
        `${test.url}${refusedAt}`,
        "nor amid a sign-in of the victim's",
      )
      assert.equal(cookie(victim, LOGIN), undefined)
    })

    it("reused: the same callback works once, even when the browser still has its cookie", async () => {
      const visitor = createVisitor()
      const back = await callback(visitor)
      const kept = cookie(visitor, STATE) as string
      assert.equal((await visitor.get(back.href)).url, `${test.url}/`)
      visitor.cookies.clear()
      setCookie(visitor, STATE, kept)
      assert.equal((await visitor.get(back.href)).url, `${test.url}${refusedAt}`)
      assert.equal(cookie(visitor, LOGIN), undefined)
    })

    it("many at once: one callback opened 20 times signs in once", async () => {
      const visitor = createVisitor()
      const back = await callback(visitor)
      const headers = { cookie: cookieOf(visitor) }
      const answers = await Promise.all(Array.from({ length: 20 }, () => fetch(back, { redirect: "manual", headers })))
      const logins = answers.filter(one => one.headers.getSetCookie().some(line => line.startsWith(`${LOGIN}=`)))
      assert.equal(logins.length, 1)
    })

    it("a callback that brings an access token instead of a code is refused", async () => {
      const other = createVisitor()
      const token = "gho_stolen_elsewhere"
      for (const query of [
        { access_token: token },
        { access_token: token, "raw[access_token]": token },
        { access_token: token, code: "" },
        { id_token: token, access_token: token },
      ]) {
        const visitor = createVisitor()
        const back = await callback(visitor)
        const state = back.searchParams.get("state") as string
        const given = new URLSearchParams({ ...(query as Record<string, string>), state })
        const end = await visitor.get(`${test.url}/login/github/callback?${given}`)
        assert.match(end.url, /\/\?sign-in=(not-begun-here|failed)$/)
        assert.equal(cookie(visitor, LOGIN), undefined)
      }
      assert.equal(cookie(other, LOGIN), undefined)
    })

    it("an access token beside a code is not looked at: the code says who it is", async () => {
      const visitor = createVisitor()
      const back = await callback(visitor, "ada")
      back.searchParams.set("access_token", "gho_stolen_elsewhere")
      back.searchParams.set("profile", '{"id":1,"login":"root"}')
      await visitor.get(back.href)
      assert.equal(((await (await me(cookieOf(visitor))).json()) as { login: string }).login, "ada")
    })

    it("cancelled at GitHub: says so, and nobody is signed in", async () => {
      const visitor = createVisitor()
      const page = await visitor.get(`${test.url}/login/github`)
      const end = await answerPage(visitor, page, { decision: "cancel" })
      assert.equal(end.url, `${test.url}/?sign-in=denied`)
      assert.equal(cookie(visitor, LOGIN), undefined)
    })

    it("settings of the sign-in cannot be changed by the address", async () => {
      const { location } = await raw(
        "/login/github?scope=repo&redirect_uri=https://evil.example&key=mine&origin=https://evil.example",
      )
      const asked = new URL(location).searchParams
      assert.equal(asked.get("redirect_uri"), `${test.url}/login/github/callback`)
      assert.equal(asked.get("client_id"), test.env.FOOZOL_GITHUB_CLIENT_ID)
      assert.equal(asked.get("scope") || null, null)
      assert.equal(asked.get("code_challenge_method"), "S256")
      for (const path of ["/login/evil", "/login/github/evil", "/connect/github", "/login/github/callback/more"]) {
        const answer = await raw(path, { accept: "text/html" })
        assert.ok(answer.status === 404 || isOurs(answer.location), path)
      }
    })
  })

  it("no token of GitHub's is kept: neither in the store nor in the log", async () => {
    await test.signIn("ada")
    const { redis } = test.service.services
    const all = await Promise.all(
      (await redis.keys("fz:*")).map(async key => {
        const type = await redis.type(key)
        return type === "hash" ? JSON.stringify(await redis.hgetall(key)) : type === "string" ? redis.get(key) : ""
      }),
    )
    assert.doesNotMatch(all.join("\n") + test.logged(), /gh[ous]_|access_token"\s*:\s*"\w|client_secret/)
  })
})

describe("security: who may sign in", () => {
  it("only those on the list, and those in its organisations; nobody else becomes a user", async () => {
    const test = await startTestService({ FOOZOL_ALLOW: "user:Ada, org:makers" })
    try {
      await test.signIn("ada")
      const visitor = createVisitor()
      const page = await visitor.get(`${test.url}/login/github`)
      const member = await answerPage(visitor, page, { login: "bob", organizations: "makers" })
      assert.equal(member.url, `${test.url}/`)
      const stranger = createVisitor()
      const end = await answerPage(stranger, await stranger.get(`${test.url}/login/github`), { login: "eve" })
      assert.equal(end.url, `${test.url}/?sign-in=not-allowed`)
      assert.equal(end.status, 403)
      assert.equal(await test.service.services.redis.scard("fz:users"), 2)
    } finally {
      await test.close()
    }
  })

  it("no more users than the cap, however many come at once; who is known still comes in", async () => {
    const test = await startTestService({ FOOZOL_SIGN_UP_CAP: "2" })
    try {
      const ends = await Promise.allSettled(["ada", "bob", "eve", "dan"].map(login => test.signIn(login)))
      assert.equal(await test.service.services.redis.scard("fz:users"), 2)
      const refused = ends.filter(end => end.status === "rejected")
      assert.equal(refused.length, 2)
      for (const end of refused) assert.match(String(end.reason), /sign-in=sign-up-closed/)
      const known = ["ada", "bob", "eve", "dan"].find((_, index) => ends[index]?.status === "fulfilled") as string
      await test.signIn(known)
    } finally {
      await test.close()
    }
  })
})
