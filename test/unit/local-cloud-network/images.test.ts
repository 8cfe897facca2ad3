import assert from "node:assert/strict"
import { unneeded } from "../../../local-cloud/machines/qemu/images.ts"

const image = (id: number, backing: number | null, removed: boolean) =>
  ({ version: 1, id, backing, diskBytes: 0, removed }) as const

describe("unneeded()", () => {
  it("keeps wanted images and those that something is based on", () => {
    assert.deepEqual(unneeded([image(1, null, false)], []), [])
    assert.deepEqual(unneeded([image(1, null, true)], [1]), [])
    assert.deepEqual(unneeded([image(1, null, true), image(2, 1, false)], []), [])
  })

  it("names a whole unwanted chain, the topmost layer first", () => {
    assert.deepEqual(unneeded([image(1, null, true), image(2, 1, true), image(3, 2, true)], []), [3, 2, 1])
    assert.deepEqual(unneeded([image(1, null, true), image(2, 1, true), image(3, 2, true)], [2]), [3])
  })
})
