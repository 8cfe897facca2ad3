import assert from "node:assert/strict"
import fc from "fast-check"
import { createFrameReader } from "../../../image-builder/agent/relay/frame-reader.ts"
import { closeFrame, controlFrame, MAX_HEADER, unmask, writeHeader } from "../../../image-builder/agent/relay/frames.ts"

/** A frame as a client sends it. */
function frame(opcode: number, payload: Buffer, given: { final?: boolean; mask?: Buffer | null } = {}): Buffer {
  const { final = true, mask = Buffer.from([1, 2, 3, 4]) } = given
  const length = payload.length
  const head = [(final ? 0x80 : 0) | opcode]
  if (length < 126) head.push(length)
  else if (length < 65_536) head.push(126, length >> 8, length & 255)
  else head.push(127, 0, 0, 0, 0, (length >>> 24) & 255, (length >> 16) & 255, (length >> 8) & 255, length & 255)
  if (!mask) return Buffer.concat([Buffer.from(head), payload])
  head[1] = (head[1] ?? 0) | 0x80
  const hidden = Buffer.from(payload.map((byte, index) => byte ^ (mask[index & 3] ?? 0)))
  return Buffer.concat([Buffer.from(head), mask, hidden])
}

function reader(maxFrame?: number) {
  const seen = { data: Buffer.alloc(0), pings: [] as string[], pongs: 0, closes: [] as number[] }
  const read = createFrameReader(
    {
      data: bytes => {
        seen.data = Buffer.concat([seen.data, bytes])
      },
      ping: payload => seen.pings.push(payload.toString()),
      pong: () => seen.pongs++,
      close: code => seen.closes.push(code),
    },
    maxFrame === undefined ? {} : { maxFrame },
  )
  return { seen, read }
}

describe("agent/frames", () => {
  it("writes headers of all three lengths right before the payload", () => {
    const buffer = Buffer.alloc(MAX_HEADER)
    for (const [length, header] of [
      [125, "827d"],
      [126, "827e007e"],
      [65_535, "827effff"],
      [65_536, "827f0000000000010000"],
    ] as const) {
      assert.equal(buffer.subarray(writeHeader(buffer, MAX_HEADER, 2, length)).toString("hex"), header)
    }
  })
  it("writes close frames with code and reason", () => {
    assert.equal(closeFrame(4401, "out").toString("hex"), "880511316f7574")
    assert.equal(controlFrame(9).toString("hex"), "8900")
    assert.equal(closeFrame(1000, "x".repeat(200)).length, 127)
  })
  it("takes a mask off from any phase and length", () => {
    const check = (bytes: Uint8Array, phase: number) => {
      const mask = Uint8Array.from([9, 80, 171, 255])
      const expected = bytes.map((byte, index) => byte ^ (mask[(index + phase) & 3] ?? 0))
      unmask(bytes, mask, phase)
      assert.deepEqual(bytes, expected)
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(1_000), check))
  })
})

describe("agent/frame-reader", () => {
  it("reads frames however they are cut", () => {
    const parts = fc.array(
      fc.record({ opcode: fc.constantFrom(2, 9, 10), payload: fc.uint8Array({ maxLength: 125 }) }),
      { minLength: 1, maxLength: 12 },
    )
    fc.assert(
      fc.property(parts, fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), (frames, cuts) => {
        const { seen, read } = reader()
        const all = Buffer.concat(frames.map(one => frame(one.opcode, Buffer.from(one.payload))))
        for (let at = 0, i = 0; at < all.length; i++) {
          const size = cuts[i % cuts.length] ?? 1
          assert.equal(read(Buffer.from(all.subarray(at, at + size))), 0)
          at += size
        }
        const payloads = (opcode: number) =>
          frames.filter(one => one.opcode === opcode).map(one => Buffer.from(one.payload))
        assert.deepEqual(seen.data, Buffer.concat(payloads(2)))
        assert.deepEqual(seen.pings, payloads(9).map(String))
        assert.equal(seen.pongs, payloads(10).length)
      }),
    )
  })
  it("reads fragments with a ping between them, and long frames", () => {
    const { seen, read } = reader()
    const long = Buffer.alloc(70_000, 5)
    const parts = [
      frame(2, Buffer.from("ab"), { final: false }),
      frame(9, Buffer.from("?")),
      frame(0, Buffer.from("cd")),
    ]
    assert.equal(read(Buffer.concat([...parts, frame(2, Buffer.alloc(300, 1)), frame(2, long)])), 0)
    assert.equal(seen.data.length, 4 + 300 + 70_000)
    assert.equal(seen.data.subarray(0, 4).toString(), "abcd")
    assert.deepEqual(seen.pings, ["?"])
  })
  it("tells close codes", () => {
    for (const [payload, code] of [
      ["", 1005],
      ["03e8", 1000],
      ["0fa1", 4001],
    ] as const) {
      const { seen, read } = reader()
      assert.equal(read(frame(8, Buffer.from(payload, "hex"))), 0)
      assert.deepEqual(seen.closes, [code])
    }
  })
  const wrong: [string, Buffer, number][] = [
    ["an unmasked frame", frame(2, Buffer.from("x"), { mask: null }), 1002],
    ["reserved bits", Buffer.from("c2810000000000", "hex"), 1002],
    ["an unknown opcode", frame(3, Buffer.alloc(0)), 1002],
    ["text", frame(1, Buffer.from("x")), 1003],
    ["a ping in fragments", frame(9, Buffer.alloc(0), { final: false }), 1002],
    ["a ping of 126 bytes", frame(9, Buffer.alloc(126)), 1002],
    ["a continuation of nothing", frame(0, Buffer.from("x")), 1002],
    [
      "a message inside a message",
      Buffer.concat([frame(2, Buffer.alloc(0), { final: false }), frame(2, Buffer.alloc(0))]),
      1002,
    ],
    ["a close of one byte", frame(8, Buffer.from("x")), 1002],
    ["a close with a reserved code", frame(8, Buffer.from("03ee", "hex")), 1002],
    ["a length of 2^63", Buffer.from("82ff800000000000000000000000", "hex"), 1002],
    ["a frame that is too long", frame(2, Buffer.alloc(1_001)), 1009],
  ]
  for (const [what, bytes, code] of wrong) {
    it(`refuses ${what}, and all that follows`, () => {
      const { seen, read } = reader(1_000)
      assert.equal(read(Buffer.from(bytes)), code)
      assert.equal(read(frame(2, Buffer.from("more"))), code)
      assert.equal(seen.data.length, 0)
    })
  }
})
