import assert from "node:assert/strict"
import fc from "fast-check"
import { createInputWatch } from "../../../image-builder/agent/relay/rfb-input.ts"

const hello = Buffer.from("RFB 003.008\n\x01\x01", "latin1")
const key = Buffer.from([4, 1, 0, 0, 0, 0, 0, 97])
const pointer = Buffer.from([5, 0, 0, 10, 0, 10])
const extendedKey = Buffer.from([255, 0, 0, 1, 0, 0, 0, 97, 0, 0, 0, 30])
const paste = (size: number) => Buffer.concat([Buffer.from([6, 0, 0, 0, 0, 0, 0, size]), Buffer.alloc(size, 4)])
const extendedPaste = Buffer.concat([Buffer.from([6, 0, 0, 0, 255, 255, 255, 248]), Buffer.alloc(8, 5)])
const quiet: Buffer[] = [
  Buffer.alloc(20),
  Buffer.from([2, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 5]),
  Buffer.from([3, 1, 0, 0, 0, 0, 4, 4, 5, 5]),
  paste(0),
  paste(30),
  extendedPaste,
  Buffer.from([150, 1, 0, 0, 0, 0, 4, 5, 4, 5]),
  Buffer.from([248, 0, 0, 0, 0, 0, 0, 0, 3, 4, 5, 4]),
  Buffer.concat([Buffer.from([251, 0, 4, 0, 4, 0, 1, 0]), Buffer.alloc(16, 4)]),
  Buffer.from([250, 0, 1, 4]),
]

describe("agent/rfb-input", () => {
  const started = () => {
    const watch = createInputWatch()
    watch(hello)
    return watch
  }
  it("sees keys, pointers and extended keys", () => {
    for (const event of [key, pointer, extendedKey]) assert.equal(started()(event), true)
  })
  it("takes nothing else for input, whatever its bytes look like", () => {
    const watch = started()
    for (const message of quiet) assert.equal(watch(message), false, message.toString("hex"))
    assert.equal(watch(pointer), true)
  })
  it("finds exactly the events, however the stream is cut", () => {
    const messages = fc.array(fc.constantFrom(...quiet, key, pointer, extendedKey), { maxLength: 30 })
    fc.assert(
      fc.property(messages, fc.array(fc.integer({ min: 1, max: 25 }), { minLength: 1 }), (list, cuts) => {
        const all = Buffer.concat([hello, ...list])
        // An event counts where its head is complete: at its first byte, for extended keys at the fourth.
        const events = new Set<number>()
        let start = hello.length
        for (const message of list) {
          if (message === key || message === pointer) events.add(start)
          if (message === extendedKey) events.add(start + 3)
          start += message.length
        }
        const watch = createInputWatch()
        for (let at = 0, i = 0; at < all.length; i++) {
          const end = Math.min(all.length, at + (cuts[i % cuts.length] ?? 1))
          const expected = [...events].some(event => event >= at && event < end)
          assert.equal(watch(all.subarray(at, end)), expected)
          at = end
        }
      }),
    )
  })
  it("follows a password and the handshake of old viewers", () => {
    const password = createInputWatch()
    assert.equal(
      password(Buffer.concat([Buffer.from("RFB 003.008\n\x02", "latin1"), Buffer.alloc(16, 5), Buffer.from([1])])),
      false,
    )
    assert.equal(password(quiet[2] as Buffer), false)
    assert.equal(password(key), true)
    const old = createInputWatch()
    assert.equal(old(Buffer.from("RFB 003.003\n\x01", "latin1")), false)
    assert.equal(old(key), true)
  })
  it("counts everything as input once it is lost", () => {
    const watch = started()
    assert.equal(watch(Buffer.from([77])), true)
    assert.equal(watch(Buffer.from([3])), true)
    assert.equal(createInputWatch()(Buffer.from("GET / HTTP/1")), true)
  })
})
