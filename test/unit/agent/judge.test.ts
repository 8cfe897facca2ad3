import assert from "node:assert/strict"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { judge, statusOf } from "../../../image-builder/agent/admission.ts"
import { createBackoff } from "../../../image-builder/agent/backoff.ts"
import { groupId, readConfig } from "../../../image-builder/agent/config.ts"
import { clampSize, createDisplay } from "../../../image-builder/agent/display.ts"
import { parseOrder } from "../../../image-builder/agent/service/orders.ts"
import { createEventReader, formatEvent } from "../../../image-builder/agent/service/sse.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"

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
    assert.deepEqual(order("stopping", { reason: "idle", at, inMs: 60_000 }), {
      ...{ type: "stopping", reason: "idle", at: Date.parse(at), inMs: 60_000 },
    })
    assert.deepEqual([order("stay", {}), order("report", {})], [{ type: "stay" }, { type: "report" }])
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
  it("makes only the last of many changes asked for", async () => {
    const made: string[] = []
    const run = async (program: string, args: string[]) => {
      if (program === "set") made.push(args.join("x"))
      return { code: 0, stdout: "", stderr: "" }
    }
    const display = createDisplay(run, "set", async () => ({ width: 800, height: 600 }))
    await Promise.all([1, 2, 3, 4].map(n => display.resize({ width: n, height: n })))
    assert.deepEqual(made, ["4x4"])
  })
  it("says when a change failed", async () => {
    const display = createDisplay(
      async () => ({ code: -1, stdout: "", stderr: "" }),
      "set",
      async () => ({ width: 800, height: 600 }),
    )
    assert.equal(await display.resize({ width: 900, height: 700 }), null)
    assert.deepEqual(await display.size(), { width: 800, height: 600 })
  })
})

describe("agent/config", () => {
  const read = async (identity: object) => {
    const { path, remove } = await temporaryDirectory()
    try {
      await mkdir(join(path, "secrets"))
      await writeFile(join(path, "secrets/workspace-key"), "k".repeat(43))
      await writeFile(join(path, "workspace.json"), JSON.stringify(identity))
      return await readConfig({ FOOZOL_ETC: path })
    } finally {
      await remove()
    }
  }
  const identity = {
    workspace: "blue-otter",
    profile: "browser",
    service: "http://127.0.0.1:1/",
    site: "https://a.b/c/",
  }

  it("takes from the boot's file who the machine is, and where its people find its service", async () => {
    const { workspace, service, entry, sessionId } = await read(identity)
    assert.deepEqual([workspace, sessionId, service], ["blue-otter", "blue-otter", "http://127.0.0.1:1"])
    assert.equal(entry, "https://a.b/c/connect?workspace=blue-otter")
    assert.equal((await read(identity)).certificate, null)
    const named = await read({ ...identity, fqdn: "blue-otter.desk.example" })
    assert.equal(named.certificate?.name, "blue-otter.desk.example")
  })
  it("does with neither service nor pages, but not with what is no address", async () => {
    const { service, entry } = await read({ ...identity, service: null, site: undefined })
    assert.deepEqual([service, entry], [null, null])
    await assert.rejects(read({ ...identity, service: "ftp://a" }), /service is no URL/)
    await assert.rejects(read({ ...identity, workspace: "" }), /no workspace/)
  })
  it("finds a group's number", () => {
    assert.equal(groupId("root:x:0:\nwww-data:x:33:a,b\n", "www-data"), 33)
    assert.equal(groupId("root:x:0:\n", "www"), undefined)
  })
})
