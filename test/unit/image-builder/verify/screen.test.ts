import assert from "node:assert/strict"
import { inflateSync } from "node:zlib"
import { COLOURS, findDesktop, findTerminal } from "../../../../image-builder/verify/checks/screen.ts"
import { createByteReader } from "../../../../image-builder/verify/rfb/byte-reader.ts"
import { type Box, cut, type Frame, newFrame, overlap, regionOf } from "../../../../image-builder/verify/rfb/frame.ts"
import { strokes } from "../../../../image-builder/verify/rfb/keys.ts"
import { png } from "../../../../image-builder/verify/rfb/png.ts"

const { terminal: TERMINAL, startPage: PAGE } = COLOURS

describe("screen of a checked machine", () => {
  function paint(frame: Frame, colour: number, { left, top, right, bottom }: Box): Frame {
    for (let y = top; y < bottom; y++)
      for (let x = left; x < right; x++)
        frame.pixels.writeUInt32LE((0xab000000 | colour) >>> 0, (y * frame.width + x) * 4)
    return frame
  }
  const box = (left: number, top: number, right: number, bottom: number): Box => ({ left, top, right, bottom })
  const desktop = (terminal: Box, page: Box) => paint(paint(newFrame(100, 60), TERMINAL, terminal), PAGE, page)

  describe("#regionOf()", () => {
    it("finds the box of a colour and is not misled by single pixels", () => {
      const frame = paint(newFrame(100, 60), TERMINAL, box(10, 5, 40, 50))
      paint(frame, TERMINAL, box(90, 59, 91, 60))
      assert.deepEqual(regionOf(frame, TERMINAL)?.box, box(10, 5, 40, 50))
      assert.equal(regionOf(frame, PAGE), null)
    })
  })

  describe("#findDesktop()", () => {
    it("finds terminal and page side by side", () => {
      const found = findDesktop(desktop(box(0, 0, 33, 55), box(34, 8, 100, 55)), false)
      assert.deepEqual(found, { terminal: box(0, 0, 33, 55), page: box(34, 8, 100, 55) })
    })
    it("says what is missing", () => {
      assert.equal(findTerminal(newFrame(100, 60)), "The terminal covers 0 % of the screen")
      assert.match(
        String(findDesktop(desktop(box(0, 0, 33, 55), box(90, 50, 100, 60)), false)),
        /start page covers 2 %/,
      )
    })
    it("says that one covers the other", () => {
      const frame = paint(desktop(box(0, 0, 80, 60), box(40, 10, 100, 60)), TERMINAL, box(0, 40, 60, 60))
      assert.match(String(findDesktop(frame, false)), /cover each other/)
    })
    it("looks for no page where the operator's app stands", () => {
      const frame = paint(desktop(box(0, 0, 33, 55), box(0, 0, 0, 0)), 0xcc0000, box(40, 0, 100, 55))
      assert.deepEqual(findDesktop(frame, true), { terminal: box(0, 0, 33, 55), page: null })
      assert.match(String(findDesktop(frame, false)), /start page covers 0 %/)
    })
  })

  it("cuts out a part, and sees when it has changed", () => {
    const frame = desktop(box(0, 0, 33, 55), box(34, 8, 100, 55))
    const before = cut(frame, box(30, 50, 200, 200))
    assert.equal(before.length, 70 * 10 * 4)
    paint(frame, 0, box(0, 0, 20, 20))
    assert.ok(cut(frame, box(30, 50, 200, 200)).equals(before))
    paint(frame, 0, box(99, 59, 100, 60))
    assert.ok(!cut(frame, box(30, 50, 200, 200)).equals(before))
  })

  it("knows boxes that touch from boxes that overlap", () => {
    assert.equal(overlap(box(0, 0, 10, 10), box(10, 0, 20, 10)), false)
    assert.equal(overlap(box(0, 0, 10, 10), box(9, 9, 20, 20)), true)
  })

  it("types capitals and signs with the shift key held", () => {
    const keys = (text: string) =>
      strokes(text).map(one => one.map(({ keysym, down }) => `${down ? "+" : "-"}${keysym.toString(16)}`).join(" "))
    assert.deepEqual(keys("a|\n"), ["+61 -61", "+ffe1 +7c -7c -ffe1", "+ff0d -ff0d"])
  })

  it("writes a PNG whose pixels are those of the frame", () => {
    const file = png(paint(newFrame(2, 1), 0x123456, box(1, 0, 2, 1)))
    assert.equal(file.toString("latin1", 1, 4), "PNG")
    assert.deepEqual([file.readUInt32BE(16), file.readUInt32BE(20)], [2, 1])
    const at = file.indexOf("IDAT")
    const lines = inflateSync(file.subarray(at + 4, at + 4 + file.readUInt32BE(at - 4)))
    assert.deepEqual([...lines], [0, 0, 0, 0, 0x12, 0x34, 0x56])
  })

  describe("#createByteReader()", () => {
    it("gives lengths, however the bytes come", async () => {
      const reader = createByteReader()
      const three = reader.take(3)
      for (const piece of ["a", "bcd", "e"]) reader.push(Buffer.from(piece))
      assert.equal(String(await three), "abc")
      assert.equal(String(await reader.take(2)), "de")
    })
    it("tells the end to who waits", async () => {
      const reader = createByteReader()
      const waiting = reader.take(1)
      reader.end(new Error("over"))
      await assert.rejects(waiting, /over/)
    })
  })
})
