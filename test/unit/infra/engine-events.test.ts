import assert from "node:assert/strict"
import { toEngineEvent, toStatusLine } from "../../../infra/engine-events.ts"

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
  it("leaves out the SDK's own notes", () => {
    const diagnosticEvent = { message: "RPC", color: "never", severity: "debug" as "info" }
    assert.equal(toEngineEvent({ ...at, diagnosticEvent }), null)
  })
  it("takes colour marks out of messages", () => {
    const event = toEngineEvent({
      ...at,
      diagnosticEvent: { message: "<{%fg 1%}>error: <{%reset%}>no\n", color: "never", severity: "error" },
    })
    assert.equal(event?.type === "diagnostic" && event.message, "error: no")
  })
})

describe("engine-events/toStatusLine", () => {
  const urn = "urn:pulumi:s::p::command:remote:Command::10-user"
  const told = { message: "<{%reset%}>Get:1 noble<{%reset%}>", color: "never", severity: "info" as const, urn }
  const at = { sequence: 1, timestamp: 1 }

  it("is what a resource's provider says while it works", () => {
    const line = toStatusLine({ ...at, diagnosticEvent: { ...told, ephemeral: true } })
    assert.deepEqual(line, { resource: "10-user", text: "Get:1 noble" })
  })
  it("is nothing that stays, is empty or is no resource's", () => {
    const { urn: _, ...without } = told
    for (const diagnosticEvent of [told, { ...told, ephemeral: true, message: "\n" }, { ...without, ephemeral: true }])
      assert.equal(toStatusLine({ ...at, diagnosticEvent }), null)
  })
})
