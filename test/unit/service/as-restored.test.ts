import assert from "node:assert/strict"
import { asRestored } from "../../../service/state-backup/as-restored.ts"
import { isKept } from "../../../service/state-backup/redis-keys.ts"

const NOW = Date.parse("2026-03-04T05:06:07Z")
const hash = (key: string, value: Record<string, string>) => asRestored({ key, type: "hash", value }, NOW)

describe("what is put back out of a backup", () => {
  it("has epochs above all that were ever given, and keeps what is not known here", () => {
    const found = hash("ws:calm-otter", { epoch: "7", state: "RUNNING", fromLater: "1" })
    assert.deepEqual(found?.value, { epoch: String(NOW / 1000 + 1), state: "RUNNING", fromLater: "1" })
    assert.deepEqual(hash("ws:calm-otter:prove", { epoch: "9999999999" })?.value, { epoch: "10000000000" })
  })
  it("holds no spare machine, which somebody may have taken since", () => {
    const record = (owner: string) => hash("ws:a", { info: JSON.stringify({ id: "a", owner }), epoch: "3" })
    assert.equal(record("warm-pool"), null)
    assert.equal(record("7")?.key, "ws:a")
  })
  it("has nothing under way", () => {
    for (const state of ["queued", "running"]) {
      const found = hash("op:1", { state, info: "{}" })
      assert.equal(found?.type === "hash" && found.value.state, "cancelled")
    }
    assert.deepEqual(hash("op:1", { state: "failed" })?.value, { state: "failed" })
    assert.equal(asRestored({ key: "ops-to-do", type: "zset", value: [["1", "2"]] }, NOW), null)
    assert.match(JSON.stringify(hash("roll-out", { begun: "{}" })), /"end":"stopped The service was restored/)
  })
  it("holds nothing of the moment, and nobody's login", () => {
    const gone = [
      "login:a",
      "vnc:a",
      "vnc-of:ws:a",
      "share:a",
      "ws:a:shares",
      "ticket:a",
      "ws:a:lease",
      "ws:a:prove:lease",
      "process:a",
      "turn:a",
    ]
    assert.deepEqual(gone.filter(isKept), [])
    const kept = [
      "ws:a",
      "ws:a:ops",
      "user:gh-1",
      "user:gh-1:api",
      "api:a",
      "changes",
      "outbox",
      "format",
      "secret",
      "ws-all",
    ]
    assert.deepEqual(kept.filter(isKept), kept)
  })
})
