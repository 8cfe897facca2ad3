import assert from "node:assert/strict"
import { toEngineEvent } from "../../../infra/engine-events.ts"

const at = { sequence: 1, timestamp: 1 }
const step = (op: string, type = "hcloud:index/server:Server") => ({
  op: op as "create",
  urn: `urn:pulumi:blue-otter::foozol-cloud::${type}::machine`,
  type,
  provider: "",
})

describe("engine-events/toEngineEvent", () => {
  it("tells of resources by the name the program gave them", () => {
    assert.deepEqual(toEngineEvent({ ...at, resourcePreEvent: { metadata: step("create") } }), {
      type: "resource",
      name: "machine",
      kind: "hcloud:index/server:Server",
      change: "create",
      state: "begun",
    })
  })
  it("calls every kind of replacement a replacement", () => {
    for (const op of ["replace", "create-replacement", "delete-replaced"]) {
      const event = toEngineEvent({ ...at, resOutputsEvent: { metadata: step(op) } })
      assert.equal(event?.type === "resource" && event.change, "replace")
    }
  })
  it("leaves out the engine's own bookkeeping", () => {
    assert.equal(toEngineEvent({ ...at, resourcePreEvent: { metadata: step("create", "pulumi:pulumi:Stack") } }), null)
    assert.equal(
      toEngineEvent({ ...at, diagnosticEvent: { message: "…", color: "", severity: "info", ephemeral: true } }),
      null,
    )
  })
  it("takes colour marks out of messages", () => {
    const event = toEngineEvent({
      ...at,
      diagnosticEvent: { message: "<{%fg 1%}>error: <{%reset%}>no\n", color: "never", severity: "error" },
    })
    assert.equal(event?.type === "diagnostic" && event.message, "error: no")
  })
})
