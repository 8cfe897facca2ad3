import assert from "node:assert/strict"
import fc from "fast-check"
import { longestPeek, parseClientHello } from "../../../local-cloud/network/client-hello.ts"
import { fragmented, realClientHello } from "../../support/client-hello.ts"

describe("parseClientHello()", () => {
  let hello: Buffer
  before(async () => {
    hello = await realClientHello("One.Cloud.Example")
  })

  it("reads the name a real client asks for, in lower case", () => {
    assert.deepEqual(parseClientHello(hello), { kind: "hello", serverName: "one.cloud.example" })
  })

  it("asks for more at each cut", () => {
    for (let length = 0; length < hello.length; length++) {
      assert.deepEqual(parseClientHello(hello.subarray(0, length)), { kind: "more" }, `after ${length} bytes`)
    }
  })

  it("reads a message that is split into many records, and ignores what follows it", () => {
    for (const size of [1, 2, 3, 5, 100]) {
      const bytes = Buffer.concat([fragmented(hello, size), Buffer.from("rest")])
      assert.deepEqual(parseClientHello(bytes), { kind: "hello", serverName: "one.cloud.example" })
    }
  })

  it("knows a client that names no server", async () => {
    assert.deepEqual(parseClientHello(await realClientHello(null)), { kind: "hello", serverName: null })
  })

  it("refuses what is no TLS at its first bytes", () => {
    for (const text of [
      "GET / HTTP/1.1\r\n",
      "SSH-2.0-x\r\n",
      "\x16\x02",
      "\x16\x03\x01\x00\x00",
      "\x16\x03\x01\x00\x01\x02",
    ]) {
      assert.deepEqual(parseClientHello(Buffer.from(text, "latin1")), { kind: "invalid" }, JSON.stringify(text))
    }
  })

  it("refuses what is too long, by its own word or by its bytes", () => {
    assert.deepEqual(parseClientHello(Buffer.from("16030100040100ffff", "hex")), { kind: "invalid" })
    assert.deepEqual(parseClientHello(Buffer.from("1603014001", "hex")), { kind: "invalid" })
    const endless = fragmented(Buffer.concat([Buffer.from("16030140000100" + "3ff0", "hex"), Buffer.alloc(16_300)]), 1)
    assert.deepEqual(parseClientHello(endless.subarray(0, longestPeek)), { kind: "invalid" })
  })

  it("never throws and never finds a name in noise", () => {
    const byte = fc.integer({ min: 0, max: 255 })
    const property = fc.property(fc.nat(hello.length - 1), byte, (at, value) => {
      const damaged = Buffer.from(hello)
      damaged[at] = value
      assert.ok(["hello", "more", "invalid"].includes(parseClientHello(damaged).kind))
    })
    fc.assert(property)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), bytes => parseClientHello(Buffer.from(bytes)).kind !== "hello"),
    )
  })

  it("refuses names that cannot be host names", () => {
    const text = hello.toString("latin1").replace("One.Cloud.Example", "../Cloud Example")
    assert.equal(text.length, hello.length - 1)
    const odd = hello.toString("latin1").replace("One.Cloud.Example", "One/Cloud Example")
    assert.deepEqual(parseClientHello(Buffer.from(odd, "latin1")), { kind: "invalid" })
  })
})
