import assert from "node:assert/strict"
import { inProject, parseProjects, projectOf, projectOfVariable, tokenVariable } from "../../../infra/projects.ts"

const TOKEN = "t".repeat(64)

describe("projects: FOOZOL_PROJECTS", () => {
  it("names further projects with their tokens", () => {
    assert.deepEqual(parseProjects(""), {})
    assert.deepEqual(parseProjects(` two=${TOKEN}  three-b=${TOKEN}== `), { two: TOKEN, "three-b": `${TOKEN}==` })
  })

  it("says what is wrong without showing a token", () => {
    const wrong = ["two", `=${TOKEN}`, `Two=${TOKEN}`, `two_b=${TOKEN}`, "two=short", `main=${TOKEN}`, TOKEN]
    for (const text of [...wrong, `two=${TOKEN} two=${TOKEN}x`]) {
      assert.throws(
        () => parseProjects(text),
        (error: Error) => /^must (be|name) .*its part \d/.test(error.message) && !error.message.includes(TOKEN),
        text,
      )
    }
  })

  it("each has a variable of its own, and the main one is left out of records", () => {
    assert.equal(tokenVariable("three-b"), "HCLOUD_TOKEN_THREE_B")
    assert.equal(projectOfVariable(tokenVariable("three-b")), "three-b")
    assert.deepEqual([inProject("main"), inProject("two")], [{}, { project: "two" }])
    assert.deepEqual([projectOf({}), projectOf({ project: "two" })], ["main", "two"])
  })
})
