import assert from "node:assert/strict"
import { once } from "node:events"
import { createServer, request } from "node:http"
import type { AddressInfo } from "node:net"
import { createFilesDoor } from "../../../image-builder/agent/files/door.ts"
import type { Relay } from "../../../image-builder/agent/relay/relay.ts"
import { waitUntil } from "../../support/wait-until.ts"

describe("door to a home's files", () => {
  it("holds nothing for somebody who left while they were let in", async () => {
    let held = 0
    let [isAsked, isOver] = [false, false]
    const left = Promise.withResolvers<void>()
    const relay = {
      async hold() {
        isAsked = true
        await left.promise
        held++
        return () => {
          held--
          isOver = true
        }
      },
      noteInput() {},
    }
    const door = createFilesDoor({ relay: relay as unknown as Relay, socket: "/nowhere", home: "/nowhere" })
    const server = createServer((asked, response) => {
      response.once("close", () => left.resolve())
      void door.answer(asked, response)
    }).listen(0, "127.0.0.1")
    await once(server, "listening")
    const { port } = server.address() as AddressInfo
    const headers = { "x-foozol-token": "good" }
    const call = request({ host: "127.0.0.1", port, path: "/files/download?path=a", headers }).end()
    call.on("error", () => {})
    await waitUntil("it is asked who comes", () => isAsked)
    call.destroy()
    await left.promise
    await waitUntil("it is let go", () => isOver)
    assert.equal(held, 0)
    door.close()
    server.close()
  })
})
