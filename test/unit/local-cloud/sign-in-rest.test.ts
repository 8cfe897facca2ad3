import assert from "node:assert/strict"
import { request as httpRequest } from "node:http"
import { openPeople, type Person } from "../../../local-cloud/sign-in/people.ts"
import { presentUser } from "../../../local-cloud/sign-in/present.ts"
import { readScopes } from "../../../local-cloud/sign-in/scopes.ts"
import { createTokens } from "../../../local-cloud/sign-in/tokens.ts"
import { obtainCode, startSignIn, type TestSignIn } from "../../support/sign-in.ts"

describe("the stand-in's REST API", () => {
  let signIn: TestSignIn
  before(async () => {
    signIn = await startSignIn()
  })
  after(() => signIn.close())

  const token = async (scope = "", login = "alice") => {
    const code = await obtainCode(signIn, { redirect_uri: "http://localhost:9/", scope }, login)
    const given = await fetch(`${signIn.url}/login/oauth/access_token`, {
      method: "POST",
      body: new URLSearchParams({ client_id: signIn.clientId, client_secret: signIn.clientSecret, code }),
      headers: { accept: "application/json" },
    })
    return ((await given.json()) as { access_token: string }).access_token
  }
  const get = async (path: string, authorization?: string) => {
    const headers = authorization ? { authorization } : {}
    const response = await fetch(`${signIn.url}/api/v3${path}`, { headers })
    // biome-ignore lint/suspicious/noExplicitAny: whatever the answer is, the test compares it
    return { status: response.status, headers: response.headers, body: (await response.json()) as any }
  }

  it("GET /user has the public profile for a token without scopes", async () => {
    const { status, headers, body } = await get("/user", `Bearer ${await token()}`)
    assert.equal(status, 200)
    assert.deepEqual([body.login, body.name, body.type, body.site_admin], ["alice", "Alice Example", "User", false])
    assert.equal(body.url, `${signIn.url}/api/v3/users/alice`)
    assert.equal(body.two_factor_authentication, undefined)
    assert.match(headers.get("content-type") ?? "", /^application\/json; charset=utf-8$/)
    assert.equal(headers.get("x-oauth-scopes"), "")
    assert.equal(headers.get("x-oauth-client-id"), signIn.clientId)
    assert.equal(headers.get("x-github-media-type"), "github.v3; format=json")
    assert.match(headers.get("x-github-request-id") ?? "", /^([0-9A-F]+:){4}[0-9A-F]+$/)
  })
  it("GET /user has what is private for read:user", async () => {
    const { body, headers } = await get("/user", `token ${await token("read:user")}`)
    assert.deepEqual([body.two_factor_authentication, body.user_view_type], [true, "private"])
    assert.equal(headers.get("x-oauth-scopes"), "read:user")
  })
  it("has null for a name that was never given", async () => {
    assert.equal((await get("/user", `Bearer ${await token("", "carol")}`)).body.name, null)
  })
  it("GET /user/orgs and /user/memberships need read:org", async () => {
    const without = `Bearer ${await token("read:user")}`
    for (const path of ["/user/orgs", "/user/memberships/orgs/acme"]) {
      const { status, headers } = await get(path, without)
      assert.deepEqual([status, headers.get("x-accepted-oauth-scopes")], [403, "admin:org, read:org, user"])
    }
    const withScope = `Bearer ${await token("read:org")}`
    const orgs = await get("/user/orgs", withScope)
    assert.deepEqual(
      orgs.body.map((one: { login: string }) => one.login),
      ["acme", "initech"],
    )
    const member = await get("/user/memberships/orgs/ACME", withScope)
    assert.deepEqual(
      [member.body.state, member.body.role, member.body.organization.id, member.body.user.login],
      ["active", "member", orgs.body[0].id, "alice"],
    )
    assert.deepEqual((await get("/user/memberships/orgs/umbrella", withScope)).body.message, "Not Found")
    assert.equal((await get("/user/memberships/orgs/umbrella", withScope)).status, 404)
  })
  it("GET /user/emails is not there without user:email", async () => {
    assert.equal((await get("/user/emails", `Bearer ${await token("read:user")}`)).status, 404)
    for (const scope of ["user:email", "user"]) {
      assert.deepEqual((await get("/user/emails", `Bearer ${await token(scope)}`)).body, [
        { email: "alice@example.com", primary: true, verified: true, visibility: null },
      ])
    }
  })
  it("401 for a token that is no good, and for none", async () => {
    for (const authorization of ["Bearer gho_x", "token x", "Bearer", "Basic eDp5", `Bearer ${"x".repeat(999)}`]) {
      assert.deepEqual((await get("/user", authorization)).body, {
        message: "Bad credentials",
        documentation_url: "https://docs.github.com/rest",
        status: "401",
      })
    }
    const { status, body } = await get("/user")
    assert.deepEqual([status, body.message], [401, "Requires authentication"])
  })
  it("404 for what is not offered", async () => {
    const { status, body } = await get("/user/repos", `Bearer ${await token()}`)
    assert.deepEqual([status, body.message, body.status], [404, "Not Found", "404"])
  })
  it("403 without a User-Agent, before anything else", async () => {
    const status = await new Promise(resolve => {
      httpRequest(`${signIn.url}/api/v3/user`, response => resolve(response.resume().statusCode)).end()
    })
    assert.equal(status, 403)
  })
  it("an avatar is a picture of its own for each id, and no script", async () => {
    const pictures = await Promise.all(
      ["1", "2", "<script>"].map(async id => {
        const response = await fetch(`${signIn.url}/avatars/u/${encodeURIComponent(id)}?v=4`)
        assert.equal(response.headers.get("content-security-policy"), "default-src 'none'")
        return response.text()
      }),
    )
    assert.equal(new Set(pictures).size, 3)
    assert.ok(pictures.every(picture => picture.startsWith("<svg") && !picture.includes("script")))
  })
})

describe("scopes/readScopes", () => {
  it("normalises: sorted, once, without what another holds", () => {
    assert.deepEqual(readScopes("user,gist,user:email").scopes, ["gist", "user"])
    assert.deepEqual(readScopes(" read:org  admin:org read:org ").scopes, ["admin:org"])
    assert.deepEqual(readScopes(""), { scopes: [], unknown: [] })
    assert.deepEqual(readScopes("toString read:user").unknown, ["toString"])
  })
})

describe("tokens/createTokens", () => {
  const person: Person = { login: "alice", name: null, organizations: [] }
  it("the eleventh of a person with the same scopes ends the first, and no other", () => {
    const tokens = createTokens()
    const other = tokens.issue({ person, scopes: ["user"] })
    const all = Array.from({ length: 11 }, () => tokens.issue({ person, scopes: [] }))
    assert.deepEqual(
      all.map(token => tokens.find(token) !== null),
      [false, ...Array(10).fill(true)],
    )
    assert.ok(tokens.find(other))
    assert.ok(all.every(token => /^gho_[A-Za-z0-9]{36}$/.test(token)))
  })
})

describe("present/presentUser", () => {
  it("has every field of GitHub's public profile, whoever it is", () => {
    const names =
      "login id user_view_type node_id avatar_url gravatar_id url html_url followers_url following_url gists_url starred_url subscriptions_url organizations_url repos_url events_url received_events_url type site_admin name company blog location email notification_email hireable bio twitter_username public_repos public_gists followers following created_at updated_at"
    for (const person of openPeople("/nowhere").list()) {
      assert.deepEqual(Object.keys(presentUser(person, "http://127.0.0.1:1", false)).sort(), names.split(" ").sort())
    }
  })
})
