import { once } from "node:events"
import { createServer } from "node:net"
import { connect } from "node:tls"

/** The first bytes that Node's own TLS client sends when it wants to reach `serverName`; null sends no name. */
export async function realClientHello(serverName: string | null): Promise<Buffer> {
  const server = createServer()
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  const client = connect({ host: "127.0.0.1", port, ...(serverName !== null && { servername: serverName }) })
  client.on("error", () => {})
  const [accepted] = await once(server, "connection")
  const [bytes] = await once(accepted, "data")
  client.destroy()
  accepted.destroy()
  server.close()
  return bytes
}

/** Splits the one handshake record of `hello` into records that hold `size` bytes each. */
export function fragmented(hello: Buffer, size: number): Buffer {
  const payload = hello.subarray(5, 5 + hello.readUInt16BE(3))
  const records: Buffer[] = []
  for (let at = 0; at < payload.length; at += size) {
    const part = payload.subarray(at, at + size)
    records.push(Buffer.of(22, 3, 1, part.length >> 8, part.length & 255), part)
  }
  return Buffer.concat(records)
}
