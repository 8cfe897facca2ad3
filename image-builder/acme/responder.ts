import { once } from "node:events"
import { chmod, chown, rm } from "node:fs/promises"
import { createServer } from "node:tls"

/** Answers the authority's connections (RFC 8737) with the certificate that proves who holds the name. */
export async function startResponder(options: {
  key: string
  cert: string
  socket: string
  /** Group that may connect. */
  gid: number | undefined
}): Promise<{ close(): Promise<void> }> {
  const { key, cert, socket, gid } = options
  const server = createServer({ key, cert, ALPNProtocols: ["acme-tls/1"], minVersion: "TLSv1.2" }, connection => {
    connection.on("error", () => {})
    connection.end()
  })
  server.on("tlsClientError", () => {})
  // What a run that was cut off has left would be in the way.
  await rm(socket, { force: true })
  server.listen(socket)
  await once(server, "listening")
  await chmod(socket, 0o660)
  if (gid !== undefined) await chown(socket, process.getuid?.() ?? 0, gid)
  return {
    close: async () => {
      server.close()
      await rm(socket, { force: true })
    },
  }
}
