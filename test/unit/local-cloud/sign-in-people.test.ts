import assert from "node:assert/strict"
import { stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import fc from "fast-check"
import { StartError } from "../../../local-cloud/errors.ts"
import { appCredentials } from "../../../local-cloud/sign-in/app-credentials.ts"
import { idOf, isName, openPeople } from "../../../local-cloud/sign-in/people.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"

describe("people/isName", () => {
  for (const name of ["a", "0", "a-b", "a-b-c", "Mona-Lisa", "a".repeat(39)]) {
    it(`takes ${name}`, () => assert.ok(isName(name)))
  }
  for (const name of ["", "-a", "a-", "a--b", "a_b", "a b", "a.b", "ä", "a\n", "<b>", "a".repeat(40)]) {
    it(`refuses ${JSON.stringify(name)}`, () => assert.ok(!isName(name)))
  }
})

describe("people/idOf", () => {
  it("is a positive safe integer, the same for a name however it is written, another for another", () => {
    const name = fc.stringMatching(/^[a-zA-Z0-9]{1,20}$/)
    fc.assert(
      fc.property(name, name, (one, other) => {
        const id = idOf("User", one)
        assert.ok(Number.isSafeInteger(id) && id > 0)
        assert.equal(idOf("User", one.toUpperCase()), id)
        assert.notEqual(idOf("Organization", one), id)
        assert.equal(idOf("User", other) === id, one.toLowerCase() === other.toLowerCase())
      }),
    )
  })
  it("never changes: workspaces belong to it", () => assert.equal(idOf("User", "alice"), 207971301711311))
})

describe("people/openPeople", () => {
  let folder: Awaited<ReturnType<typeof temporaryDirectory>>
  beforeEach(async () => {
    folder = await temporaryDirectory()
  })
  afterEach(() => folder.remove())
  const logins = () =>
    openPeople(folder.path)
      .list()
      .map(person => person.login)
  const person = (login: string, organizations: string[] = []) => ({ login, name: null, organizations })

  it("has some from the start", () => assert.deepEqual(logins(), ["alice", "bob", "carol"]))
  it("puts who came last behind them, once, and remembers", () => {
    const people = openPeople(folder.path)
    for (const login of ["dora", "emil", "dora"]) people.remember(person(login))
    people.remember(person("dora", ["acme"]))
    assert.deepEqual(logins(), ["alice", "bob", "carol", "dora", "emil"])
    assert.deepEqual(openPeople(folder.path).find("DORA")?.organizations, ["acme"])
  })
  it("one of the first can be changed, and stays in place", () => {
    openPeople(folder.path).remember(person("bob", ["umbrella"]))
    assert.deepEqual(logins(), ["alice", "bob", "carol"])
    assert.deepEqual(openPeople(folder.path).find("bob")?.organizations, ["umbrella"])
  })
  it("forgets the oldest of many", () => {
    const people = openPeople(folder.path)
    for (let i = 0; i < 20; i++) people.remember(person(`p${i}`))
    assert.deepEqual(logins().slice(3, 5), ["p19", "p18"])
    assert.equal(logins().length, 15)
  })
  it("starts anew when its file is no list", async () => {
    await writeFile(join(folder.path, "sign-in-people.json"), '[{"login":"<script>"}]')
    assert.equal(logins().length, 3)
  })

  it("the app's id and secret stay, for this user alone", async () => {
    const made = appCredentials(folder.path)
    assert.deepEqual(appCredentials(folder.path), made)
    assert.equal((await stat(join(folder.path, "sign-in-app.json"))).mode & 0o777, 0o600)
  })
  it("a file that holds no id and secret is a StartError that says what to do", async () => {
    await writeFile(join(folder.path, "sign-in-app.json"), "{}")
    assert.throws(
      () => appCredentials(folder.path),
      (error: unknown) => {
        return error instanceof StartError && /sign-in-app\.json .*: delete it/.test(error.message)
      },
    )
  })
})
