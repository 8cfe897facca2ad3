import assert from "node:assert/strict"
import { InfraError } from "../../../../infra/errors.ts"
import { isDevContainer, readDevContainer } from "../../../../infra/repositories/dev-container.ts"

const GOOD = [
  ".devcontainer/devcontainer.json",
  ".devcontainer.json",
  ".devcontainer/python/devcontainer.json",
  ".devcontainer/C++ (gcc 13)/devcontainer.json",
  ".devcontainer/größe_2/devcontainer.json",
]
const BAD = [
  ...["devcontainer.json", "/etc/passwd", "--config", "-x/.devcontainer.json", ".devcontainer", ".devcontainer/"],
  ...["../.devcontainer.json", ".devcontainer/../devcontainer.json", ".devcontainer/./devcontainer.json"],
  ...[".devcontainer//devcontainer.json", ".devcontainer/a/b/devcontainer.json", "./.devcontainer.json"],
  ...[
    ".devcontainer/-rf/devcontainer.json",
    ".devcontainer/.hidden/devcontainer.json",
    ".devcontainer/a /devcontainer.json",
  ],
  ...[".devcontainer/a\n/devcontainer.json", ".devcontainer/a\n", "\n.devcontainer.json", ".devcontainer.json\n"],
  ...[
    ".devcontainer/$(id)/devcontainer.json",
    ".devcontainer/`id`/devcontainer.json",
    ".devcontainer/a;b/devcontainer.json",
  ],
  ...[
    ".devcontainer/*/devcontainer.json",
    ".devcontainer/a\\b/devcontainer.json",
    ".devcontainer/a\u202eb/devcontainer.json",
  ],
  ...[".devcontainer/a\0/devcontainer.json", ".devcontainer/a.json", ".DEVCONTAINER.JSON", " .devcontainer.json"],
  ...[
    '.devcontainer/a"/devcontainer.json',
    ".devcontainer/a'b/devcontainer.json",
    ".devcontainer/<b>/devcontainer.json",
  ],
  `.devcontainer/${"x".repeat(200)}/devcontainer.json`,
]

describe("infra/repositories: which dev container", () => {
  it("is one of the places that the specification names", () => {
    for (const path of GOOD) assert.equal(readDevContainer(path), path)
    assert.equal(readDevContainer(""), null)
  })

  it("is nothing else, and what is wrong is said", () => {
    for (const path of BAD) {
      assert.equal(isDevContainer(path), false, JSON.stringify(path))
      assert.throws(
        () => readDevContainer(path),
        (error: unknown) =>
          error instanceof InfraError && error.id === "bad-devcontainer" && /such as/.test(error.message),
      )
    }
  })
})
