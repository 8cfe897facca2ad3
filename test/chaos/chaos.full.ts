import assert from "node:assert/strict"
import { hold } from "./hold.ts"

/** One round each of the campaigns that take longest; see chaos.test.ts for the others. */
describe("chaos, at length", function () {
  this.timeout(1_800_000)

  it("a worker is frozen past its lease and wakes up: nothing of what it writes counts", async () => {
    assert.equal((await hold("freezes", 1)).get("blows"), 1)
  })
  it("Redis is killed, frozen or restarted in the middle of work: every workspace is there, all come to their end", async () => {
    assert.equal((await hold("redis", 1)).get("blows"), 1)
  })
  it("Redis is emptied in the middle of work: every workspace is found again", async () => {
    assert.equal((await hold("wipes", 1)).get("wipes"), 1)
  })
})
