import assert from "node:assert/strict"
import { InfraError, toErrorValue } from "../../../infra/errors.ts"
import { forOwner, ServiceError } from "../../../service/errors.ts"
import type { Form } from "../../../service/routes/pages/forms.ts"
import { errorsOf, readWorkspaceForm } from "../../../service/routes/pages/workspace-form.ts"

/** A form as it comes from the page, with fields in the order of the page. */
function form(fields: [string, string][]): Form {
  const sent = new URLSearchParams(fields)
  const all = (name: string) => sent.getAll(name)
  return { caller: null as never, all, text: name => all(name)[0]?.trim() ?? "" }
}
const rows = (...pairs: [string, string][]): [string, string][] =>
  pairs.flatMap(([name, value]): [string, string][] => [
    ["secretName", name],
    ["secretValue", value],
  ])

describe("the form for a new workspace", () => {
  it("left as it comes is a wish with the defaults", () => {
    const entered = readWorkspaceForm(
      form([["profile", "browser"], ["sizeClass", "large"], ["name", ""], ["proxy", " "], ...rows(["", ""])]),
    )
    assert.ok("wish" in entered)
    assert.deepEqual(entered.wish, { profile: "browser", sizeClass: "large", secrets: {} })
  })

  it("takes names and values in pairs, and rows that were left empty for none", () => {
    const entered = readWorkspaceForm(form(rows(["A_KEY", " one "], ["", ""], ["B_KEY", "two"], ["UNUSED", ""])))
    assert.ok("wish" in entered)
    assert.deepEqual(entered.wish.secrets, { A_KEY: "one", B_KEY: "two" })
  })

  it("says what is wrong by field, and never sends a value back", () => {
    const entered = readWorkspaceForm(
      form([
        ["profile", "gaming"],
        ["region", "NOWHERE!"],
        ["name", "x".repeat(61)],
        ["proxy", "ftp://user:canary@p"],
        ...rows(["PATH", "canary"]),
      ]),
    )
    assert.ok("errors" in entered)
    assert.deepEqual(Object.keys(entered.errors).sort(), ["name", "profile", "proxy", "region", "secrets"])
    for (const text of Object.values(entered.errors)) assert.match(text, /^[A-Z].+\.$/)
    assert.match(entered.errors.secrets ?? "", /^PATH is a name that the machine itself needs\.$/)
    assert.doesNotMatch(JSON.stringify(entered), /canary/)
    assert.deepEqual(entered.values.secretNames, ["PATH"])
  })

  it("a value without a name is said", () => {
    const entered = readWorkspaceForm(form(rows(["", "canary"])))
    assert.ok("errors" in entered)
    assert.equal(entered.errors.secrets, "A key has a value, but no name.")
    assert.doesNotMatch(JSON.stringify(entered), /canary/)
  })

  it("a name that objects have already is a name like any other", () => {
    const entered = readWorkspaceForm(form(rows(["__proto__", "x"], ["constructor", "y"])))
    if ("wish" in entered) assert.deepEqual(Object.getPrototypeOf(entered.wish.secrets), Object.prototype)
    assert.equal(({} as Record<string, unknown>).x, undefined)
  })

  it("takes a repository with its branch and folder, and shows no password that was in its address again", () => {
    const entered = readWorkspaceForm(
      form([
        ["repository", " git@github.com:a/b.git "],
        ["branch", "x"],
        ["folder", ""],
      ]),
    )
    assert.ok("wish" in entered)
    assert.deepEqual(entered.wish.repository, {
      url: "git@github.com:a/b.git",
      branch: "x",
      folder: "",
      devcontainer: "",
    })
    assert.equal(entered.values.repository, "git@github.com:a/b.git")
    const { values } = readWorkspaceForm(form([["repository", "https://ada:canary@github.com/a/b"]]))
    assert.doesNotMatch(JSON.stringify(values), /canary/)
  })

  it("errors of the creation stand beside the field they belong to, others are errors of the page", () => {
    const error = (id: string) => new ServiceError(id, 409, "A sentence.")
    assert.deepEqual(errorsOf(error("sold-out")), { sizeClass: "A sentence." })
    assert.deepEqual(errorsOf(error("unknown-region")), { region: "A sentence." })
    for (const id of ["bad-repository", "unknown-host", "repository-and-backup"])
      assert.deepEqual(errorsOf(error(id)), { repository: "A sentence." })
    assert.deepEqual(errorsOf(error("bad-branch")), { branch: "A sentence." })
    assert.deepEqual(errorsOf(error("bad-folder")), { folder: "A sentence." })
    assert.deepEqual(errorsOf(error("quota-reached")), { form: "A sentence." })
    assert.equal(errorsOf(error("too-often")), null)
    assert.equal(errorsOf(new Error("x")), null)
  })
})

describe("errors of the cloud, as an owner is told them", () => {
  it("keep id and next, and say nothing of commands, settings and addresses of the operator's", () => {
    const operators = new InfraError(
      "provider-unauthorized",
      "fail",
      "Set HCLOUD_TOKEN; see `foozol-cloud stack list`.",
    )
    const told = forOwner(toErrorValue(operators))
    assert.deepEqual([told.id, told.next], ["provider-unauthorized", "fail"])
    assert.match(told.message, /^The cloud behind this service had a fault \(provider-unauthorized\)\. .+operator\.$/)
    assert.doesNotMatch(told.message, /HCLOUD|foozol-cloud/)
  })

  it("that are an owner's own are told as they are", () => {
    for (const id of ["provider-no-capacity", "machine-not-ready", "machine-silent"]) {
      const error = new InfraError(id, "retry", "What is so.")
      assert.equal(forOwner(toErrorValue(error)).message, "What is so.")
    }
  })
})
