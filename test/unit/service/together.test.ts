import assert from "node:assert/strict"
import { together } from "../../../service/redis/together.ts"

describe("service/redis: together", () => {
  it("asks what comes in one turn as one, and gives everybody their answer", async () => {
    const asked: number[][] = []
    const ask = together<number, string>(10, async questions => {
      asked.push(questions)
      return questions.map(one => `answer ${one}`)
    })
    assert.deepEqual(await Promise.all([1, 2, 3].map(ask)), ["answer 1", "answer 2", "answer 3"])
    assert.equal(await ask(4), "answer 4")
    assert.deepEqual(asked, [[1, 2, 3], [4]])
  })

  it("asks no more at once than it may", async () => {
    const sizes: number[] = []
    const ask = together<number, number>(3, async questions => {
      sizes.push(questions.length)
      return questions
    })
    const all = Array.from({ length: 8 }, (_, index) => index)
    assert.deepEqual(await Promise.all(all.map(ask)), all)
    assert.deepEqual(sizes, [3, 3, 2])
  })

  it("tells everybody of a failure, and goes on afterwards", async () => {
    let away = true
    const ask = together<number, number>(10, async questions => {
      if (away) throw new Error("away")
      return questions
    })
    const ends = await Promise.allSettled([ask(1), ask(2)])
    assert.deepEqual(
      ends.map(end => end.status),
      ["rejected", "rejected"],
    )
    away = false
    assert.equal(await ask(3), 3)
  })
})
