import assert from "node:assert/strict"
import { NoRoomError } from "../../../local-cloud/machines/contract.ts"
import { checkDisk, checkMemory, stillPromised } from "../../../local-cloud/machines/qemu/room.ts"

const gib = 1024 ** 3

describe("room", () => {
  it("memory that is overcommitted: a part of what was given counts, or what is held already", () => {
    assert.equal(stillPromised(2 * gib, 0.5 * gib, 1), 1.5 * gib)
    assert.equal(stillPromised(2 * gib, 0.5 * gib, 2), 0.5 * gib)
    assert.equal(stillPromised(2 * gib, 1.5 * gib, 2), 0)
    checkMemory(4 * gib, 4 * gib, gib, gib, 2)
    assert.throws(() => checkMemory(4 * gib, 4 * gib, gib, gib, 1.9), /with 4\.0 GiB of memory does not fit/)
  })
  it("checkMemory() counts what running machines may still take", () => {
    checkMemory(2 * gib, 4 * gib, gib, gib)
    assert.throws(
      () => checkMemory(2 * gib, 4 * gib, 1.5 * gib, gib),
      (error: Error) => {
        assert.ok(error instanceof NoRoomError)
        assert.match(error.message, /2\.0 GiB of memory does not fit: 4\.0 GiB are available, 1\.5 GiB/)
        return true
      },
    )
  })

  it("checkDisk() keeps the reserve free", () => {
    checkDisk(0, gib, gib)
    assert.throws(() => checkDisk(1, gib, gib), NoRoomError)
  })
})
