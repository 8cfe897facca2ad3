import assert from "node:assert/strict"
import { which } from "../../tools/setup/run.ts"
import { startBucket } from "../support/bucket.ts"
import { share } from "../support/share.ts"
import { skipTest } from "../support/skip.ts"
import { VICTIMS } from "./fleet.ts"
import { hold } from "./hold.ts"

const PEOPLE = share(30, 15)

/** A small share of `npm run chaos`: each kind of victim once, and some thousand forged tokens. */
describe("chaos", function () {
  this.timeout(900_000)

  it(`${VICTIMS.join(", ")} killed in the middle of creations: all come to their end, nothing is left over or there twice`, async () => {
    const counted = await hold("kills", VICTIMS.length)
    assert.equal(counted.get("blows"), VICTIMS.length)
    assert.ok((counted.get("operations") ?? 0) > 0, "somebody was in the middle of something")
  })

  it("one of them killed in the middle of a stop, a start, a backup or a deletion", async () => {
    assert.equal((await hold("life-kills", 1)).get("blows"), 1)
  })

  it("a deploy in the middle of work: nothing has failed in anybody's eyes", async () => {
    assert.equal((await hold("deploys", 1)).get("blows"), 1)
  })

  it("a whole life while a fifth of the provider's answers are faults: it ends well, and nothing is left over", async () => {
    assert.ok(((await hold("weather", 1)).get("lives") ?? 0) >= 1)
  })

  it("a host that shares its state in a bucket is lost in the middle of work: another one ends what it had begun", async function () {
    const bucket = await startBucket()
    if ("reason" in bucket) return skipTest(this, bucket.reason)
    await bucket.close()
    assert.equal((await hold("hosts", 1)).get("blows"), 1)
  })

  it("a stack's file is damaged: the workspace goes on, or says what is wrong and goes on when asked again", async () => {
    assert.equal((await hold("states", 1)).get("blows"), 1)
  })

  it("desktops that were open close when they must, and no others", async function () {
    if (!(await which("nginx"))) return skipTest(this, "this system has no nginx")
    assert.equal((await hold("streams", 6)).get("not_closed"), 0)
  })

  it(`${PEOPLE} people create a workspace at once where 4 spare machines are kept, the service is killed: none is given twice, all are replaced, never more than they may cost`, async () => {
    const counted = await hold("pool", PEOPLE)
    assert.deepEqual([counted.get("people"), counted.get("pool")], [PEOPLE, 4])
    assert.ok(
      (counted.get("taken") ?? 0) >= 4 && (counted.get("made") ?? 0) > 0,
      "some found one ready, and others none",
    )
    assert.ok((counted.get("blows") ?? 0) > 0)
  })

  it("thousands of tokens, tickets and keys that belong to others, were used or are forged: none admits", async () => {
    const counted = await hold("tokens", 3_000)
    assert.equal(counted.get("attempts"), 3_000)
    assert.ok((counted.get("controls") ?? 0) > 10)
  })
})
