import assert from "node:assert/strict"
import { once } from "node:events"
import { type AddressInfo, createServer, type Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { practisePicture } from "../../../image-builder/agent/practice-picture.ts"

/** A VNC server that hands out each answer in two halves, as a slow machine does. */
describe("practice of the first picture", () => {
  const asked: Buffer[] = []
  const server = createServer(socket => {
    serve(socket).catch(() => socket.destroy())
  })
  before(async () => {
    await once(server.listen(0, "127.0.0.1"), "listening")
  })
  after(() => server.close())

  async function serve(socket: Socket): Promise<void> {
    const say = async (bytes: Buffer) => {
      socket.write(bytes.subarray(0, 1))
      await sleep(20)
      socket.write(bytes.subarray(1))
    }
    const hear = async () => (await once(socket, "data"))[0] as Buffer
    socket.setNoDelay(true)
    await say(Buffer.from("RFB 003.008\n"))
    assert.equal(String(await hear()), "RFB 003.008\n")
    await say(Buffer.from([1, 1]))
    assert.deepEqual([...(await hear())], [1])
    await say(Buffer.alloc(4))
    assert.deepEqual([...(await hear())], [1])
    const about = Buffer.alloc(24)
    about.writeUInt16BE(640, 0)
    about.writeUInt16BE(480, 2)
    about.writeUInt32BE(4, 20)
    await say(Buffer.concat([about, Buffer.from("desk")]))
    let wanted = await hear()
    const length = 4 + 4 * wanted.readUInt16BE(2) + 10
    while (wanted.length < length) wanted = Buffer.concat([wanted, await hear()])
    asked.push(wanted)
    await say(Buffer.alloc(4_000))
  }

  it("asks for the whole of it in each of the ways that viewers do", async () => {
    await practisePicture({ host: "127.0.0.1", port: (server.address() as AddressInfo).port })
    assert.deepEqual(
      asked.map(one => one.readInt32BE(4)),
      [1, 5],
    )
    for (const one of asked) assert.deepEqual([...one.subarray(-10)], [3, 0, 0, 0, 0, 0, 2, 128, 1, 224])
  })

  it("ends with an error where nobody serves one", async () => {
    const free = createServer().listen(0, "127.0.0.1")
    await once(free, "listening")
    const { port } = free.address() as AddressInfo
    free.close()
    await assert.rejects(practisePicture({ host: "127.0.0.1", port }), /ECONNREFUSED/)
  })
})
