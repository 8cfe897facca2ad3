import assert from "node:assert/strict"
import type { Exchange } from "../../../local-cloud/scaleway/server.ts"
import { scalewayDeviations } from "../../support/scaleway-description.ts"

describe("scaleway-description", () => {
  const exchange = (method: string, path: string, more: Partial<Exchange> = {}): Exchange => ({
    ...{ method, path, query: new URLSearchParams(), body: {}, status: 200, answer: {} },
    ...more,
  })
  const volumes = "/block/v1/zones/fr-par-1/volumes"

  it("has nothing to say of what is as the reference has it", () => {
    const volume = { id: "v", name: "n", size: 1, tags: [], zone: "fr-par-1" }
    const query = new URLSearchParams("project_id=p&tags=a&tags=b&page=2&page_size=50")
    const answer = { volumes: [volume], total_count: 1 }
    assert.deepEqual(scalewayDeviations(exchange("GET", volumes, { query, answer })), [])
    assert.deepEqual(scalewayDeviations(exchange("POST", volumes, { body: { name: "n" }, answer: volume })), [])
    const refusal = { type: "not_found", message: "resource is not found" }
    assert.deepEqual(scalewayDeviations(exchange("GET", `${volumes}/v`, { status: 404, answer: refusal })), [])
  })
  it("names calls, parameters and fields that there are not", () => {
    const told = (one: Exchange) => scalewayDeviations(one).map(text => text.replace(/^.*?: /, ""))
    assert.deepEqual(told(exchange("PUT", volumes)), ["no such call"])
    // Instances' name for the size of a page is not Block Storage's.
    const query = new URLSearchParams("per_page=50&project=p")
    assert.deepEqual(told(exchange("GET", volumes, { query })), [
      ...["no such parameter per_page", "no such parameter project"],
    ])
    assert.deepEqual(told(exchange("POST", volumes, { body: { project: "p" } })), ["no such field project"])
    assert.deepEqual(told(exchange("GET", volumes, { answer: { volumes: [{ id: "v", server: "s" }] } })), [
      "volume has no server",
    ])
    assert.deepEqual(told(exchange("GET", `${volumes}/v`, { answer: { organization: "o" } })), [
      "volume has no organization",
    ])
    assert.deepEqual(told(exchange("GET", volumes, { answer: { snapshots: [] } })), ["answers snapshots"])
    assert.deepEqual(told(exchange("GET", volumes, { status: 403, answer: {} })), ["is no error of Scaleway's"])
  })
})
