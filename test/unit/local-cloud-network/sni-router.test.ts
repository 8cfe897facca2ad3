import assert from "node:assert/strict"
import { createHash, randomBytes } from "node:crypto"
import { once } from "node:events"
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer, type Server } from "node:net"
import { connect, createServer } from "node:tls"
import { type SniRouter, startSniRouter } from "../../../local-cloud/network/sni-router.ts"
import { selfSignedCertificate } from "../../support/certificate.ts"
import { fragmented, realClientHello } from "../../support/client-hello.ts"

const hosts = ["one.cloud.example", "two.cloud.localhost"]

describe("startSniRouter()", () => {
  let router: SniRouter
  const servers: Server[] = []
  const certificates = new Map<string, string>()

  before(async () => {
    for (const host of hosts) {
      const pair = selfSignedCertificate(host)
      certificates.set(host, pair.cert)
      const server = createServer({ ...pair, allowHalfOpen: true }, socket => {
        const hash = createHash("sha256")
        socket.on("error", () => {})
        socket.on("data", chunk => hash.update(chunk))
        // Answers only after the client has said all: works only if half-closed connections stay open.
        socket.on("end", () => socket.end(`${host} ${hash.digest("hex")}`))
      })
      servers.push(server)
      await once(server.listen(0, "127.0.0.1"), "listening")
    }
    const ports = servers.map(server => (server.address() as AddressInfo).port)
    router = await startSniRouter({
      port: 0,
      lookup: host => {
        if (host === "gone.cloud.example") return { address: "127.0.0.1", port: 1 }
        const port = ports[hosts.indexOf(host)]
        return port === undefined ? null : { address: "127.0.0.1", port }
      },
    })
  })
  after(async () => {
    await router.close()
    for (const server of servers) server.close()
  })

  const call = async (servername: string, certificateOf: string, content: Buffer | string): Promise<string> => {
    const ca = certificates.get(certificateOf) ?? ""
    const checkServerIdentity = () => undefined
    const socket = connect({
      host: "127.0.0.1",
      port: router.port,
      servername,
      ca,
      checkServerIdentity,
    })
    await once(socket, "secureConnect")
    socket.end(content)
    return (await socket.setEncoding("utf8").toArray()).join("")
  }
  const digest = (content: Buffer | string) => createHash("sha256").update(content).digest("hex")

  it("leads each connection to the machine it names", async () => {
    assert.equal(await call("one.cloud.example", "one.cloud.example", "hi"), `one.cloud.example ${digest("hi")}`)
    assert.equal(await call("two.cloud.localhost", "two.cloud.localhost", "hi"), `two.cloud.localhost ${digest("hi")}`)
  })

  it("takes .localhost behind a name for nothing, and capitals for small letters", async () => {
    const expected = `one.cloud.example ${digest("hi")}`
    assert.equal(await call("one.cloud.example.localhost", "one.cloud.example", "hi"), expected)
    assert.equal(await call("ONE.cloud.Example", "one.cloud.example", "hi"), expected)
  })

  it("carries much, in many connections at once", async () => {
    const content = randomBytes(8 * 1024 * 1024)
    const answers = await Promise.all(hosts.concat(hosts).map(host => call(host, host, content)))
    assert.deepEqual(
      answers,
      hosts.concat(hosts).map(host => `${host} ${digest(content)}`),
    )
  })

  it("answers an unknown name with the alert for it", async () => {
    await assert.rejects(call("nobody.cloud.example", "one.cloud.example", "hi"), /unrecognized.name/)
    assert.deepEqual(await raw(await realClientHello(null)), Buffer.of(21, 3, 1, 0, 2, 2, 112))
  })

  it("answers with an alert when the machine does not listen", async () => {
    assert.deepEqual(await raw(await realClientHello("gone.cloud.example")), Buffer.of(21, 3, 1, 0, 2, 2, 80))
  })

  it("understands a greeting that comes byte by byte in many records", async () => {
    const answer = await raw(
      ...Array.from(fragmented(await realClientHello("one.cloud.example"), 7), byte => Buffer.of(byte)),
    )
    // A TLS server's answer: a handshake record.
    assert.equal(answer[0], 22)
  })

  it("hangs up on rubbish, on silence and on half a greeting", async () => {
    const hello = await realClientHello("one.cloud.example")
    const hasty = await startSniRouter({ port: 0, helloTimeout: 500, lookup: () => null })
    const rubbish: Buffer[][] = [
      [Buffer.from("GET / HTTP/1.1\r\n\r\n")],
      [],
      [hello.subarray(0, 50)],
      [Buffer.of(22, 3, 1, 0x40, 0), Buffer.of(1, 0, 0xff, 0xff), Buffer.alloc(40_000)],
    ]
    for (const chunks of rubbish) assert.equal((await rawTo(hasty, chunks)).length, 0)
    await hasty.close()
  })

  it("cuts the machine's side when the client vanishes, and the other way round", async () => {
    const machine = createTcpServer(socket => socket.on("error", () => {}))
    await once(machine.listen(0, "127.0.0.1"), "listening")
    const target = { address: "127.0.0.1", port: (machine.address() as AddressInfo).port }
    const own = await startSniRouter({ port: 0, lookup: () => target })
    for (const side of ["client", "machine"] as const) {
      const client = connectTcp(own.port, "127.0.0.1").on("error", () => {})
      client.write(await realClientHello("one.cloud.example"))
      const [accepted] = await once(machine, "connection")
      const [left, stays] = side === "client" ? [client, accepted] : [accepted, client]
      const closed = once(stays, "close")
      stays.resume()
      left.resetAndDestroy()
      await closed
    }
    await own.close()
    machine.close()
  })

  /** Sends bytes as they are and returns all that comes back until the router hangs up. */
  const raw = (...chunks: Buffer[]) => rawTo(router, chunks)
  async function rawTo({ port }: SniRouter, chunks: Buffer[]): Promise<Buffer> {
    const socket = connectTcp(port, "127.0.0.1")
    const received: Buffer[] = []
    socket.on("data", chunk => {
      received.push(chunk)
      // A server that has answered a greeting waits for the client; here nothing more comes.
      if (chunk[0] === 22) socket.destroy()
    })
    socket.on("error", () => {})
    socket.setNoDelay(true)
    for (const chunk of chunks) socket.write(chunk)
    await once(socket, "close")
    return Buffer.concat(received)
  }
})
