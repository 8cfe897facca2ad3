import assert from "node:assert/strict"
import { readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { startTestService, type TestService } from "../support/service.ts"
import { csrfOf } from "../support/visitor.ts"
import { waitUntil } from "../support/wait-until.ts"

interface Entry {
  id: string
  action: string
  login: string
  as: string
  by: string
  from: string
  ok: boolean
  status: number
  error: string | null
  workspace: string | null
  operation: string | null
  request: string
  input: Record<string, unknown>
}

/** Who did what: written down where Redis cannot lose it. */
describe("service: the audit log", () => {
  let test: TestService
  let root: string
  before(async () => {
    test = await startTestService({ FOOZOL_OPERATORS: "Root" })
    root = await test.token(await test.signIn("root"), "operate")
  })
  after(() => test?.close())

  const entries = async (query = ""): Promise<Entry[]> => {
    const { status, body } = await test.api(root, "GET", `/audit${query}`)
    assert.equal(status, 200, JSON.stringify(body))
    return body.entries
  }
  const file = async () => {
    const directory = test.env.FOOZOL_AUDIT_DIRECTORY ?? ""
    const [name = ""] = await readdir(directory).catch(() => [])
    return join(directory, name)
  }
  const written = () =>
    waitUntil("all entries are in the file", async () => {
      const left = await test.service.services.redis.xlen("fz:audit")
      return left === 0 && readFile(await file(), "utf8")
    })

  it("has what users change, with what they sent but no secret, and not what they only read", async () => {
    const ada = await test.signIn("ada")
    const token = await test.token(ada)
    await test.api(token, "PUT", "/secrets/MY_KEY", { value: "do-not-tell" })
    await test.api(token, "GET", "/workspaces")
    const created = await test.api(token, "POST", "/workspaces", { sizeClass: "small", secrets: { K: "hush-hush" } })
    await test.api(token, "POST", "/workspaces/nobody/stop")
    const page = await ada.get(`${test.url}/account`)
    const sends = (path: string, fields: object = {}) =>
      ada.post(`${test.url}${path}`, { csrf: csrfOf(page), ...fields }, { origin: test.url })
    await sends("/account/secrets/MY_KEY/delete")
    const its = `/workspaces/${created.body.workspace.id}/secrets`
    await sends(its, { name: "ITS_KEY", value: "do-not-tell" })
    await sends(`${its}/ITS_KEY/delete`)
    await test.api(token, "PUT", `${its}/OTHER`, { value: "do-not-tell" })
    const all = await entries("?user=ada")
    assert.deepEqual(
      all.map(one => one.action),
      [
        "putWorkspaceSecret",
        "POST /workspaces/:id/secrets/:name/delete",
        "POST /workspaces/:id/secrets",
        "POST /account/secrets/:name/delete",
        ...["createWorkspace", "putSecret", "createToken", "signIn"],
      ],
    )
    const named = all.slice(0, 4).map(one => [one.workspace, one.input.name])
    const id = created.body.workspace.id
    assert.deepEqual(named, [...[id, id, id].map((one, at) => [one, at === 0 ? "OTHER" : "ITS_KEY"]), [null, "MY_KEY"]])
    const [create, put] = all.slice(4) as [Entry, Entry]
    assert.deepEqual(
      [create.by, create.as, create.from, create.status, create.ok],
      ["token test", "user", "127.0.0.1", 202, true],
    )
    assert.equal(create.workspace, created.body.workspace.id)
    assert.equal(create.operation, created.body.operation.id)
    assert.equal(create.request, created.headers.get("x-request-id"))
    assert.deepEqual([create.input.sizeClass, create.input.secrets], ["small", undefined])
    assert.deepEqual(put.input, { name: "MY_KEY" })
    assert.doesNotMatch(await written(), /do-not-tell|hush-hush|fzt_/)
  })

  it("has who was refused what is for operators, and pages it", async () => {
    const eve = await test.token(await test.signIn("eve"))
    assert.equal((await test.api(eve, "GET", "/audit")).status, 403)
    assert.equal((await test.api(eve, "POST", "/roll-out", {})).status, 403)
    const [refused] = await entries("?user=eve")
    assert.deepEqual(
      [refused?.action, refused?.ok, refused?.error, refused?.as],
      ["beginRollOut", false, "forbidden", "user"],
    )
    const pages: string[] = []
    for (let after = ""; ; ) {
      const { body } = await test.api(root, "GET", `/audit?limit=3${after}`)
      pages.push(...body.entries.map((one: Entry) => one.id))
      if (!body.more) break
      after = `&after=${body.entries.at(-1).id}`
    }
    assert.deepEqual(
      pages,
      (await entries()).map(one => one.id),
    )
    assert.equal(new Set(pages).size, pages.length)
  })

  it("is for operators with a login or a token that says so", async () => {
    const visitor = await test.signIn("root")
    for (const scope of ["read", "write"] as const) {
      const token = await test.token(visitor, scope)
      const { status, body } = await test.api(token, "GET", "/audit")
      assert.deepEqual([status, body.id], [403, "forbidden"], scope)
      assert.match(body.detail, /scope operate/)
      const more = await test.api(token, "POST", "/tokens", { name: "more", scope: "operate" })
      assert.equal(more.status, 403, scope)
    }
    assert.equal((await test.api(visitor, "GET", "/audit")).status, 200)
    const bob = await test.signIn("bob")
    assert.equal((await test.api(bob, "POST", "/tokens", { name: "x", scope: "operate" })).body.id, "forbidden")
  })

  it("is exported whole, and survives the loss of Redis", async () => {
    await written()
    const before = await entries()
    const get = async (path: string) =>
      (await fetch(`${test.url}/api/v1${path}`, { headers: { authorization: `Bearer ${root}` } })).text()
    const lines = (await get("/audit.ndjson")).trimEnd().split("\n")
    assert.deepEqual(lines.map(line => JSON.parse(line)).reverse(), before)
    const csv = await get("/audit.csv?user=ada")
    assert.match(csv, /^time,who,login,as,by,from,action,/)
    assert.equal(csv.trimEnd().split("\r\n").length, 9)
    await test.service.services.redis.flushall()
    root = await test.token(await test.signIn("root"), "operate")
    const after = await entries()
    assert.deepEqual(after.slice(-before.length), before)
  })

  it("shows that a line was changed, or that its end was cut off", async () => {
    await written()
    const verdict = async (query = "") => (await test.api(root, "GET", `/audit/verify${query}`)).body
    const found = await verdict()
    assert.deepEqual([found.whole, found.faults], [true, []])
    const { hash } = found.heads.audit
    assert.equal((await verdict(`?contains=${hash}`)).contains, true)
    const path = await file()
    const text = await readFile(path, "utf8")
    await writeFile(path, text.replace('"login":"eve"', '"login":"ada"'))
    assert.deepEqual(
      (await verdict()).faults.map((one: { what: string }) => one.what),
      ["changed"],
    )
    await writeFile(path, `${text.trimEnd().split("\n").slice(0, -1).join("\n")}\n`)
    const cut = await verdict(`?contains=${hash}`)
    assert.deepEqual([cut.whole, cut.contains, cut.faults[0].what], [false, false, "end-missing"])
  })
})
