import assert from "node:assert/strict"
import { once } from "node:events"
import { type ClientRequest, createServer, type OutgoingHttpHeaders, request, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { hashToken } from "../../../image-builder/agent/admission.ts"
import { createPortDoor } from "../../../image-builder/agent/ports/door.ts"
import { createVisitors, type Visitors } from "../../../image-builder/agent/ports/visitors.ts"
import { waitUntil } from "../../support/wait-until.ts"

/** Who is let in to a program, and what happens to them while the program is looked for. */
describe("door of a port", () => {
  let program: Server
  let door: Server
  let visitors: Visitors
  let asked: number
  /** What happens between the yes and the program's request. */
  let meanwhile: () => unknown
  const uncaught: unknown[] = []
  const note = (error: unknown) => uncaught.push(error)

  before(() => process.prependListener("uncaughtException", note))
  after(() => process.off("uncaughtException", note))
  beforeEach(async () => {
    asked = 0
    meanwhile = () => {}
    program = createServer((_, response) => {
      asked++
      response.end("hello")
    }).listen(0, "127.0.0.1")
    await once(program, "listening")
    visitors = createVisitors({ authorize: async () => "admitted" })
    door = createPortDoor({
      visitors,
      redeem: async () => ({ answer: "signed-out", token: null }),
      entry: null,
      async find(port) {
        await meanwhile()
        return { port, host: "127.0.0.1", inode: "1" }
      },
    }).listen(0, "127.0.0.1")
    await once(door, "listening")
  })
  afterEach(() => {
    visitors.close()
    for (const server of [door, program]) {
      server.closeAllConnections()
      server.close()
    }
    assert.deepEqual(uncaught, [])
  })

  const portOf = (server: Server) => (server.address() as AddressInfo).port
  function come(headers: OutgoingHttpHeaders = {}): ClientRequest {
    const told = {
      host: "3000.blue-otter.example",
      "x-foozol-port": portOf(program),
      cookie: "__Host-foozol-port=first",
    }
    const call = request({ host: "127.0.0.1", port: portOf(door), headers: { ...told, ...headers } })
    call.on("error", () => {}).end()
    return call
  }
  const statusOf = async (call: ClientRequest) => {
    const [answer] = await once(call, "response")
    answer.resume()
    return answer.statusCode
  }
  const UPGRADE = { connection: "Upgrade", upgrade: "websocket", origin: "https://3000.blue-otter.example" }

  it("leads to the program", async () => {
    assert.equal(await statusOf(come()), 200)
    assert.equal(asked, 1)
  })

  for (const [kind, headers] of [
    ["request", {}],
    ["upgrade", UPGRADE],
  ] as const) {
    it(`asks the program nothing when a token is taken back just before: ${kind}`, async () => {
      meanwhile = async () => {
        visitors.revoke(hashToken("first"))
        program.close()
        await once(program, "close")
      }
      assert.equal(await statusOf(come(headers)), 401)
    })
  }

  it("asks nothing for somebody who has gone, and holds nothing for them", async () => {
    let isFound = false
    meanwhile = async () => {
      call.destroy()
      await left
      isFound = true
    }
    const left = once(door, "connection").then(([socket]) => once(socket, "close"))
    const call = come()
    await waitUntil("the program is found", () => isFound)
    assert.equal(visitors.usedAt(), null)
    assert.equal(asked, 0)
  })
})
