import assert from "node:assert/strict"
import { once } from "node:events"
import { request } from "node:http"
import { type AddressInfo, connect } from "node:net"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { relay } from "../../../local-cloud/machines/qemu/host-network/host-network.ts"
import { serveMetadata } from "../../../local-cloud/machines/qemu/metadata-server.ts"
import { nobody } from "../../../local-cloud/machines/qemu/standby.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"

const METADATA = {
  ...{ instanceId: 42, hostname: "one", publicIpv4: "127.77.0.1", region: "eu-central" },
  ...{ availabilityZone: "fsn1-dc14", publicKeys: [], userData: "the key of its workspace" },
}

describe("metadata of a machine", () => {
  let scratch: Awaited<ReturnType<typeof temporaryDirectory>>
  let served: Awaited<ReturnType<typeof serveMetadata>>
  let socketPath: string

  before(async () => {
    scratch = await temporaryDirectory()
    socketPath = join(scratch.path, "metadata.sock")
    served = await serveMetadata(
      socketPath,
      () => METADATA,
      () => nobody,
    )
  })
  after(async () => {
    await served?.close()
    await scratch?.remove()
  })

  const ask = async (path: string) => {
    const [answer] = await once(request({ socketPath, path }).end(), "response")
    return { status: answer.statusCode, text: await text(answer) }
  }

  it("is told by path, and what is no path is not there", async () => {
    assert.deepEqual(await ask("/hetzner/v1/userdata"), { status: 200, text: METADATA.userData })
    for (const path of ["//", "//[", "/hetzner/v1/userdata/../nothing", "http://"])
      assert.equal((await ask(path)).status, 404, path)
    assert.equal((await ask("/hetzner/v1/userdata")).status, 200)
  })

  it("is told over the network to its own machine alone", async () => {
    let guest: string | null = "127.0.0.1"
    const server = await relay(socketPath, () => guest, "127.0.0.1")
    const { port } = server.address() as AddressInfo
    const read = async (localAddress: string) => {
      const socket = connect({ port, host: "127.0.0.1", localAddress })
      socket.end("GET /hetzner/v1/userdata HTTP/1.1\r\nHost: x\r\n\r\n")
      return text(socket).catch(() => "")
    }
    assert.match(await read("127.0.0.1"), /the key of its workspace$/)
    assert.equal(await read("127.0.0.2"), "")
    guest = null
    assert.equal(await read("127.0.0.1"), "")
    server.close()
  })
})
