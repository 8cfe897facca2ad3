import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { obtainCode, startSignIn, type TestSignIn } from "../../support/sign-in.ts"

const CALLBACK = "http://localhost:9/back"
const VERIFIER = "v".repeat(43)
const GUIDE = "https://docs.github.com/apps/managing-oauth-apps"
const BAD_CODE = {
  error: "bad_verification_code",
  error_description: "The code passed is incorrect or expired.",
  error_uri: `${GUIDE}/troubleshooting-oauth-app-access-token-request-errors/#bad-verification-code`,
}

describe("POST /login/oauth/access_token", () => {
  let signIn: TestSignIn
  beforeEach(async () => {
    signIn = await startSignIn()
  })
  afterEach(() => signIn.close())

  const code = (more: Record<string, string> = {}) => obtainCode(signIn, { redirect_uri: CALLBACK, ...more })
  const challenge = {
    code_challenge: createHash("sha256").update(VERIFIER).digest("base64url"),
    code_challenge_method: "S256",
  }
  const post = (body: string, type: string, accept = "*/*") => {
    const headers = { "content-type": type, accept }
    return fetch(`${signIn.url}/login/oauth/access_token`, { method: "POST", body, headers })
  }
  const exchange = async (fields: Record<string, string>) => {
    const { clientId: client_id, clientSecret: client_secret } = signIn
    const body = new URLSearchParams({ client_id, client_secret, redirect_uri: CALLBACK, ...fields }).toString()
    const response = await post(body, "application/x-www-form-urlencoded", "application/json")
    assert.equal(response.status, 200)
    return (await response.json()) as Record<string, string>
  }

  it("answers a query string unless JSON is asked for", async () => {
    const { clientId: client_id, clientSecret: client_secret } = signIn
    const body = new URLSearchParams({ client_id, client_secret, code: await code({ scope: "user:email read:org" }) })
    const response = await post(body.toString(), "application/x-www-form-urlencoded")
    assert.match(response.headers.get("content-type") ?? "", /^application\/x-www-form-urlencoded/)
    assert.match(
      await response.text(),
      /^access_token=gho_[A-Za-z0-9]{36}&scope=read%3Aorg%2Cuser%3Aemail&token_type=bearer$/,
    )
  })
  it("answers refusals in the same two forms", async () => {
    const response = await post("client_id=x", "application/x-www-form-urlencoded")
    const { error, error_uri } = Object.fromEntries(new URLSearchParams(await response.text()))
    assert.equal(response.status, 200)
    assert.equal(error, "incorrect_client_credentials")
    assert.equal(
      error_uri,
      `${GUIDE}/troubleshooting-oauth-app-access-token-request-errors/#incorrect-client-credentials`,
    )
  })
  it("takes JSON", async () => {
    const { clientId: client_id, clientSecret: client_secret } = signIn
    const body = JSON.stringify({ client_id, client_secret, code: await code() })
    const answer = (await (await post(body, "application/json", "application/json")).json()) as object
    assert.deepEqual(Object.keys(answer), ["access_token", "scope", "token_type"])
  })
  it("JSON that holds no texts is refused like anything wrong", async () => {
    const body = JSON.stringify({ client_id: { a: 1 }, client_secret: [1], code: null })
    assert.match(await (await post(body, "application/json")).text(), /incorrect_client_credentials/)
    assert.match(await (await post("[]", "application/json")).text(), /incorrect_client_credentials/)
    assert.equal((await post("{", "application/json")).status, 400)
  })

  it("a code is good once", async () => {
    const given = await code()
    assert.ok((await exchange({ code: given })).access_token)
    assert.deepEqual(await exchange({ code: given }), BAD_CODE)
  })
  it("of a hundred exchanges at once one wins", async () => {
    const given = await code()
    const answers = await Promise.all(Array.from({ length: 100 }, () => exchange({ code: given })))
    assert.equal(answers.filter(answer => answer.access_token).length, 1)
  })
  it("a code is good for 10 minutes", async () => {
    const [inTime, tooLate] = [await code(), await code()]
    signIn.later(10 * 60_000 - 1)
    assert.ok((await exchange({ code: inTime })).access_token)
    signIn.later(1)
    assert.deepEqual(await exchange({ code: tooLate }), BAD_CODE)
  })
  it("a code belongs to its redirect_uri, and is used up by a wrong one", async () => {
    const given = await code()
    assert.deepEqual(await exchange({ code: given, redirect_uri: "http://localhost:9/other" }), {
      error: "redirect_uri_mismatch",
      error_description: "The redirect_uri MUST match the registered callback URL for this application.",
      error_uri: `${GUIDE}/troubleshooting-authorization-request-errors/#redirect-uri-mismatch2`,
    })
    assert.deepEqual(await exchange({ code: given }), BAD_CODE)
  })
  it("a code is not used up by who is not the app", async () => {
    const given = await code()
    for (const wrong of [{ client_secret: "0".repeat(40) }, { client_secret: "" }, { client_id: "x" }]) {
      assert.equal((await exchange({ code: given, ...wrong })).error, "incorrect_client_credentials")
    }
    assert.ok((await exchange({ code: given })).access_token)
  })
  it("the verifier of its challenge opens a code", async () => {
    assert.ok((await exchange({ code: await code(challenge), code_verifier: VERIFIER })).access_token)
  })
  for (const [what, fields] of [
    ["another verifier", { code_verifier: "w".repeat(43) }],
    ["no verifier", {}],
    ["the challenge itself", { code_verifier: challenge.code_challenge }],
    ["a verifier that is too short", { code_verifier: "v" }],
  ] as [string, Record<string, string>][]) {
    it(`${what} does not, and the code is used up`, async () => {
      const given = await code(challenge)
      assert.deepEqual(await exchange({ code: given, ...fields }), BAD_CODE)
      assert.deepEqual(await exchange({ code: given, code_verifier: VERIFIER }), BAD_CODE)
    })
  }
  it("a verifier where no challenge was is refused: somebody took the challenge out on the way", async () => {
    assert.deepEqual(await exchange({ code: await code(), code_verifier: VERIFIER }), BAD_CODE)
  })
  it("is not there by GET", async () => {
    assert.equal((await fetch(`${signIn.url}/login/oauth/access_token`)).status, 404)
  })
})
