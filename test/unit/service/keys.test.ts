import assert from "node:assert/strict"
import fc from "fast-check"
import { createKeys, hashOf, randomToken } from "../../../service/keys.ts"
import { workspaceKey, workspaceOfKey } from "../../../service/machines/workspace-key.ts"

describe("keys of the service", () => {
  const keys = createKeys("one secret of a service, for tests")
  const others = createKeys("another secret of a service, for tests")

  it("open what they sealed, under the same context only", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string(), fc.string(), (text, context, other) => {
        const sealed = keys.seal(text, context)
        assert.equal(keys.open(sealed, context), text.toWellFormed())
        if (other !== context) assert.throws(() => keys.open(sealed, other))
        assert.throws(() => others.open(sealed, context))
      }),
      { numRuns: 200 },
    )
  })

  it("open nothing that was changed, in any byte", () => {
    const sealed = Buffer.from(keys.seal("the text", "place"), "base64")
    for (let index = 0; index < sealed.length; index++) {
      const changed = Buffer.from(sealed)
      changed[index] = (changed[index] as number) ^ 1
      assert.throws(() => keys.open(changed.toString("base64"), "place"), `byte ${index}`)
    }
    const empty = Buffer.from(keys.seal("", "place"), "base64")
    for (const length of [12, 16, 20, 24, 27]) {
      assert.throws(() => keys.open(empty.subarray(0, length).toString("base64"), "place"), `tag cut to ${length - 12}`)
    }
    for (const short of ["", "AAAA", sealed.subarray(0, 20).toString("base64")]) {
      assert.throws(() => keys.open(short, "place"))
    }
  })

  it("seal the same text differently each time, and never in the clear", () => {
    const sealed = new Set(Array.from({ length: 100 }, () => keys.seal("a text that is known", "place")))
    assert.equal(sealed.size, 100)
    for (const one of sealed) assert.ok(!Buffer.from(one, "base64").toString("latin1").includes("known"))
  })

  it("authenticate for one purpose only, and compare texts of any length", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (text, given) => {
        const mac = keys.mac("a purpose", text)
        assert.equal(keys.isMac("a purpose", text, mac), true)
        assert.equal(keys.isMac("another", text, mac), false)
        assert.equal(others.isMac("a purpose", text, mac), false)
        if (given !== mac) assert.equal(keys.isMac("a purpose", text, given), false)
      }),
    )
  })

  it("name the workspace a machine's key is good for, and no other", () => {
    const key = workspaceKey(keys, "calm-otter-4f7k2d")
    assert.equal(workspaceOfKey(keys, `Bearer ${key}`), "calm-otter-4f7k2d")
    const wrong = [
      undefined,
      "",
      key,
      `bearer ${key}`,
      `Bearer  ${key}`,
      `Bearer ${key} `,
      `Bearer ${key}x`,
      `Bearer ${key.replace("calm", "bold")}`,
      `Bearer ${workspaceKey(others, "calm-otter-4f7k2d")}`,
      "Bearer fz1..",
      `Bearer fz1.calm-otter-4f7k2d.${"A".repeat(43)}`,
      `Bearer fz1.a.b.${key.split(".")[2]}`,
    ]
    for (const one of wrong) assert.equal(workspaceOfKey(keys, one), null, String(one))
  })

  it("tokens are long, new each time, and stored as what cannot be turned back", () => {
    const tokens = new Set(Array.from({ length: 1_000 }, randomToken))
    assert.equal(tokens.size, 1_000)
    for (const token of tokens) assert.match(token, /^[\w-]{43}$/)
    assert.match(hashOf("a"), /^[0-9a-f]{64}$/)
    assert.notEqual(hashOf("a"), hashOf("b"))
  })

  describe("of several secrets", () => {
    const [old, fresh] = ["one secret of a service, for tests", "another secret of a service, for tests"]
    const both = createKeys(fresh, [old])

    it("accept what any has made, and make with the newest until told otherwise", () => {
      assert.equal(both.open(keys.seal("text", "place"), "place"), "text")
      assert.equal(both.isMac("a purpose", "text", keys.mac("a purpose", "text")), true)
      assert.equal(
        both.isMac("a purpose", "text", createKeys("a third secret of no service at all").mac("a purpose", "text")),
        false,
      )
      assert.equal(both.mac("a purpose", "text"), others.mac("a purpose", "text"))
      assert.equal(both.use(keys.inUse), true)
      assert.equal(both.mac("a purpose", "text"), keys.mac("a purpose", "text"))
      assert.equal(keys.open(both.seal("text", "place"), "place"), "text")
      assert.deepEqual(both.macs("a purpose", "text"), [keys.mac("a purpose", "text"), others.mac("a purpose", "text")])
    })
    it("are named by fingerprints, and none is used that is not known", () => {
      assert.deepEqual(both.fingerprints, [others.inUse, keys.inUse])
      assert.equal(both.use("0000000000000000"), false)
      assert.equal(both.of("0000000000000000"), null)
      assert.equal(createKeys(old, [old]).fingerprints.length, 1)
    })
    it("open nothing that was changed, whichever made it", () => {
      const sealed = Buffer.from(keys.seal("text", "place"), "base64")
      sealed[20] = (sealed[20] as number) ^ 1
      assert.throws(() => both.open(sealed.toString("base64"), "place"))
    })
  })
})
