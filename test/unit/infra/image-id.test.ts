import assert from "node:assert/strict"
import { IMAGE_ID_PATTERN, imageIdOf } from "../../../infra/image-id.ts"
import { parseWorkspaceSpec } from "../../../infra/workspace-spec.ts"
import { parseWorkspace } from "../../../service/workspaces/workspace.ts"
import { gcpSpec } from "../../support/gcp-spec.ts"
import { testSpec } from "../../support/workspace.ts"

describe("ids of images", () => {
  it("are numbers at Hetzner and names at Google, as their specs take them", () => {
    for (const spec of [testSpec({ image: imageIdOf("4711") }), gcpSpec({ image: imageIdOf("snapshot-foozol-a-1f") })])
      assert.deepEqual(parseWorkspaceSpec(spec), spec)
    assert.equal(imageIdOf("4711"), 4711)
    assert.equal(imageIdOf(4711), 4711)
  })

  it("in stored records are what they were, numbers and names", () => {
    const info = { id: "one", owner: "gh-1", name: "one", profile: "browser", provider: "hetzner", createdAt: 1 }
    const stored = (image: number | string, more: Record<string, string> = {}) =>
      parseWorkspace({ info: JSON.stringify({ ...info, image }), state: "RUNNING", since: "1", epoch: "1", ...more })
    assert.equal(stored(7)?.image, 7)
    assert.equal(stored(7, { image: "8" })?.image, 8)
    assert.equal(stored("foozol-browser-a")?.image, "foozol-browser-a")
    assert.equal(stored("foozol-browser-a", { image: "foozol-browser-b" })?.image, "foozol-browser-b")
  })

  it("may stand in a path, and nothing else may", () => {
    for (const id of ["1", "12345678901234567890", "snapshot-foozol-calm-otter-4f7k2d-0123456789"])
      assert.match(id, IMAGE_ID_PATTERN)
    for (const id of ["", "-a", "a-", "../a", "a/b", "A", "a b", "a".repeat(64)])
      assert.doesNotMatch(id, IMAGE_ID_PATTERN)
  })
})
