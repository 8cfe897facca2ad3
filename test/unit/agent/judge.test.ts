import assert from "node:assert/strict"
import { judge, statusOf } from "../../../image-builder/agent/admission.ts"
import { createBackoff } from "../../../image-builder/agent/backoff.ts"
import { groupId } from "../../../image-builder/agent/config.ts"
import { clampSize, createDisplay, parseSize } from "../../../image-builder/agent/display.ts"
import { parseOrder } from "../../../image-builder/agent/service/orders.ts"
import { createEventReader, formatEvent } from "../../../image-builder/agent/service/sse.ts"

describe("agent/admission", () => {
  it("keeps, ends, or waits while the service is away", () => {
    assert.equal(judge("admitted", 0, 1e9), null)
    assert.equal(judge("signed-out", 100, 100), 4401)
    assert.equal(judge("another's", 100, 100), 4401)
    assert.equal(judge("unknown", 100, 60_099), null)
    assert.equal(judge("unknown", 100, 60_100), 4503)
  })
  it("lets in only for a clear yes", () => {
    const answers = ["admitted", "signed-out", "another's", "unknown"] as const
    assert.deepEqual(answers.map(statusOf), [0, 401, 403, 503])
  })
})

describe("agent/backoff", () => {
  it("doubles up to the most, less a random part, and begins anew", () => {
    const backoff = createBackoff({ first: 100, most: 350, random: () => 0 })
    assert.deepEqual([backoff.next(), backoff.next(), backoff.next(), backoff.next()], [100, 200, 350, 350])
    backoff.reset()
    assert.equal(backoff.next(), 100)
    assert.equal(createBackoff({ first: 100, most: 350, random: () => 1 }).next(), 50)
  })
})

describe("agent/orders", () => {
  const order = (type: string, data: unknown) => parseOrder({ type, data: JSON.stringify(data) })
  it("reads what the service may say, and passes over what is new to it", () => {
    assert.deepEqual(order("revoke", { tokenHash: "AB".repeat(32) }), { type: "revoke", tokenHash: "ab".repeat(32) })
    assert.deepEqual(parseOrder({ type: "revoke-all", data: "" }), { type: "revoke-all" })
    const at = "2030-01-01T00:00:00.000Z"
    assert.deepEqual(order("stopping", { reason: "idle", at }), {
      type: "stopping",
      reason: "idle",
      at: Date.parse(at),
    })
    assert.deepEqual(order("stopping", {}), { type: "stopping", reason: "", at: null })
    assert.equal(order("dance", {}), null)
  })
  it("refuses what is malformed, without repeating it", () => {
    assert.throws(
      () => order("revoke", { tokenHash: "hush" }),
      (error: Error) => !error.message.includes("hush"),
    )
    const broken = { type: "settings", data: '{"secrets": hush' }
    assert.throws(
      () => parseOrder(broken),
      (error: Error) => !error.message.includes("hush"),
    )
  })
})

describe("agent/sse", () => {
  it("reads events however they are cut, with every kind of line end", () => {
    const text = `: hello\r\n\r\n${formatEvent("revoke", { a: 1 })}data: one\rdata:two\r\revent: x\n\ndata: z\n\n`
    const expected = [
      { type: "revoke", data: '{"a":1}' },
      { type: "message", data: "one\ntwo" },
      { type: "message", data: "z" },
    ]
    for (let size = 1; size <= text.length; size++) {
      const read = createEventReader()
      const events = []
      for (let at = 0; at < text.length; at += size) events.push(...read(text.slice(at, at + size)))
      assert.deepEqual(events, expected)
    }
  })
  it("does not collect without end", () => {
    const read = createEventReader()
    assert.throws(() => {
      for (let i = 0; i < 40; i++) read(`data: ${"x".repeat(60_000)}\n`)
    }, /too long/)
  })
})

describe("agent/display", () => {
  it("keeps a size within its limits", () => {
    assert.deepEqual(clampSize({ width: 1, height: 9999 }), { width: 320, height: 2160 })
    assert.deepEqual(clampSize({ width: 1280.4, height: 720 }), { width: 1280, height: 720 })
    for (const none of [null, 5, {}, { width: "1280", height: 720 }, { width: Number.NaN, height: 1 }]) {
      assert.equal(clampSize(none), null)
    }
  })
  it("reads the size in use", () => {
    assert.deepEqual(parseSize("Screen 0: minimum 1 x 1, current 1920 x 1080, maximum 3840 x 2160\n"), {
      width: 1920,
      height: 1080,
    })
    assert.equal(parseSize("Can't open display :99"), null)
  })
  it("makes only the last of many changes asked for", async () => {
    const made: string[] = []
    const run = async (program: string, args: string[]) => {
      if (program === "set") made.push(args.join("x"))
      return { code: 0, stdout: "current 800 x 600", stderr: "" }
    }
    const display = createDisplay(run, { name: ":99", setSize: "set" })
    await Promise.all([1, 2, 3, 4].map(n => display.resize({ width: n, height: n })))
    assert.deepEqual(made, ["4x4"])
  })
})

describe("agent/config", () => {
  it("finds a group's number", () => {
    assert.equal(groupId("root:x:0:\nwww-data:x:33:a,b\n", "www-data"), 33)
    assert.equal(groupId("root:x:0:\n", "www"), undefined)
  })
})
