import assert from "node:assert/strict"
import { imagesToPrune, readyImage } from "../../../image-builder/cloud/image-list.ts"
import { readInventory } from "../../../image-builder/cloud/inventory.ts"
import type { Snapshot } from "../../../infra/machines/contract.ts"

const image = (id: string, day: number, state: Snapshot["state"] = "available"): Snapshot => ({
  id,
  state,
  description: "",
  labels: {},
  bytes: 1,
  diskGb: 10,
  createdAt: new Date(Date.UTC(2026, 0, day)),
})

describe("cloud images", () => {
  describe("#readyImage()", () => {
    it("is the newest that is available", () => {
      assert.equal(readyImage([image("a", 1), image("b", 3), image("c", 2)])?.id, "b")
      assert.equal(readyImage([image("a", 1), image("b", 3, "creating")])?.id, "a")
      assert.equal(readyImage([image("b", 3, "unavailable")]), undefined)
    })
  })

  describe("#imagesToPrune()", () => {
    const all = [image("a", 1), image("e", 5), image("c", 3), image("b", 2), image("d", 4)]
    it("are all but the two newest", () => {
      assert.deepEqual(
        imagesToPrune(all, []).map(({ id }) => id),
        ["c", "b", "a"],
      )
      assert.deepEqual(imagesToPrune(all.slice(0, 2), []), [])
    })
    it("are never one in use, which takes no other's place", () => {
      assert.deepEqual(
        imagesToPrune(all, ["a", "c"]).map(({ id }) => id),
        ["b"],
      )
    })
  })

  describe("#readInventory()", () => {
    it("reads the figures and the packages", () => {
      assert.deepEqual(readInventory("kernel 6.8.0-1-x\ncontent 10\ndisk 20\nbash\t5.2\nlibc6:amd64\t2.39\n"), {
        kernel: "6.8.0-1-x",
        content: 10,
        disk: 20,
        packages: { bash: "5.2", "libc6:amd64": "2.39" },
      })
    })
    it("refuses what tells less", () => {
      for (const text of ["", "kernel 1\ncontent 10\ndisk 20\n", "kernel 1\ncontent x\ndisk 20\nbash\t5.2\n"])
        assert.throws(() => readInventory(text), { id: "no-inventory" })
    })
  })
})
