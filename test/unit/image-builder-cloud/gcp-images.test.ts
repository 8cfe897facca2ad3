import assert from "node:assert/strict"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"
import type { Snapshot } from "../../../infra/machines/contract.ts"
import { createGcpImages } from "../../../infra/machines/gcp-images.ts"
import type { ProviderImages } from "../../../infra/machines/images.ts"
import { Secret } from "../../../infra/secret.ts"

/** Answers as Google's reference describes them: no real one can be asked here. */
describe("gcp-images", () => {
  let server: Server
  let images: ProviderImages
  let calls: string[]
  let answers: Record<string, [number, unknown]>
  let bodies: Record<string, unknown>
  beforeEach(async () => {
    calls = []
    answers = {}
    bodies = {}
    server = createServer(async (request, response) => {
      const call = `${request.method} ${request.url}`
      calls.push(call)
      const sent = await text(request)
      if (sent) bodies[call] = JSON.parse(sent)
      assert.equal(request.headers.authorization, "Bearer the-token")
      const [status, body] = answers[call] ?? [404, { error: { code: 404 } }]
      response.writeHead(status).end(JSON.stringify(body))
    }).listen(0, "127.0.0.1")
    await new Promise(resolve => server.once("listening", resolve))
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    images = createGcpImages({ project: "desks", zone: "z-a", accessToken: new Secret("the-token"), endpoint })
  })
  afterEach(() => server.close())
  const link = (path: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`

  it("lists the images with these labels over all pages", async () => {
    const image = (name: string, labels: Record<string, string>) => ({
      name,
      labels,
      status: "READY",
      archiveSizeBytes: "1500000000",
      creationTimestamp: "2026-01-02T03:04:05.000-07:00",
    })
    const path = "GET /projects/desks/global/images?maxResults=500"
    answers[path] = [200, { items: [image("a", { p: "x" }), image("b", { p: "y" })], nextPageToken: "n/1" }]
    answers[`${path}&pageToken=n%2F1`] = [200, { items: [image("c", { p: "x", q: "z" })] }]
    const found = await images.list({ p: "x" })
    assert.deepEqual(
      found.map(({ id }) => id),
      ["a", "c"],
    )
    assert.equal(found[0]?.state, "available")
    assert.equal(found[0]?.bytes, 1_500_000_000)
    assert.equal(found[0]?.createdAt.toISOString(), "2026-01-02T10:04:05.000Z")
  })

  it("tells which images disks were made from, over all zones", async () => {
    answers["GET /projects/desks/aggregated/disks?maxResults=500"] = [
      200,
      {
        items: {
          "zones/a": { disks: [{ sourceImage: "https://x/projects/desks/global/images/one" }, {}] },
          "zones/b": { warning: { code: "NO_RESULTS_ON_PAGE" } },
          "zones/c": { disks: [{ sourceImage: "https://x/projects/desks/global/images/one" }] },
        },
      },
    ]
    assert.deepEqual(await images.inUse(), ["one"])
  })

  it("removes an image and waits until it is gone, or says why not", async () => {
    const operation = (status: string, error?: unknown) => ({ selfLink: link("/operation"), status, error })
    answers["DELETE /projects/desks/global/images/a"] = [200, operation("RUNNING")]
    answers["GET /operation"] = [200, operation("DONE")]
    await images.remove("a")
    assert.deepEqual(calls, ["DELETE /projects/desks/global/images/a", "GET /operation"])
    answers["GET /operation"] = [200, operation("DONE", { errors: [{ code: "X", message: "it is in use" }] })]
    await assert.rejects(images.remove("a"), /it is in use/)
  })

  it("makes the newest one its family's, and marks the others as outdated by it", async () => {
    const done = { selfLink: link("/operation"), status: "DONE" }
    const [family, outdated] = [
      "PATCH /projects/desks/global/images/b",
      "POST /projects/desks/global/images/a/deprecate",
    ]
    answers[family] = [200, done]
    answers[outdated] = [200, done]
    const older: Snapshot = {
      ...{ id: "a", state: "available", description: "", labels: {} },
      ...{ bytes: 1, diskGb: 20, createdAt: new Date() },
    }
    await images.succeed?.("b", "foozol-browser", [older])
    assert.deepEqual(calls, [family, outdated])
    assert.deepEqual(bodies, {
      [family]: { family: "foozol-browser" },
      [outdated]: { state: "DEPRECATED", replacement: "projects/desks/global/images/b" },
    })
  })

  it("takes an image that is gone for removed", async () => {
    await images.remove("gone")
  })

  it("removes the builder of this build alone", async () => {
    const instance = (name: string, builder: string, manager = "foozol-cloud") => ({
      name,
      labels: { "managed-by": manager, "foozol-builder": builder },
    })
    answers["GET /projects/desks/zones/z-a/instances?maxResults=500"] = [
      200,
      { items: [instance("a", "mine"), instance("b", "other"), instance("c", "mine", "somebody"), { name: "d" }] },
    ]
    await images.removeBuilder("mine")
    assert.deepEqual(
      calls.filter(call => call.startsWith("DELETE")),
      ["DELETE /projects/desks/zones/z-a/instances/a"],
    )
  })

  it("says what to do about a token that is no good any more", async () => {
    answers["GET /projects/desks/global/images?maxResults=500"] = [401, { error: { message: "expired" } }]
    await assert.rejects(images.list({}), (error: Error & { id: string }) => {
      assert.equal(error.id, "provider-unauthorized")
      assert.match(error.message, /print-access-token/)
      assert.ok(!JSON.stringify(error).includes("the-token"))
      return true
    })
  })
})
