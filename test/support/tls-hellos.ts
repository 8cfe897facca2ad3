import { once } from "node:events"
import { type AddressInfo, createServer } from "node:net"

/** A port of loopback at which TLS clients say what they begin with, and are cut off. */
export interface TlsHellos {
  port: number
  /** `random` of each (RFC 8446, 4.1.2), hexadecimal. */
  hellos: string[]
  close(): void
}

export async function listenForHellos(): Promise<TlsHellos> {
  const hellos: string[] = []
  const server = createServer(socket => {
    socket.once("data", bytes => {
      // Record header 5, handshake header 4, version 2: then 32 bytes of randomness.
      if (bytes[0] === 22) hellos.push(bytes.subarray(11, 43).toString("hex"))
      socket.destroy()
    })
    socket.on("error", () => {})
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return { port: (server.address() as AddressInfo).port, hellos, close: () => void server.close() }
}
