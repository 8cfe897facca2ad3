import { chmod, rm } from "node:fs/promises"
import { createServer } from "node:http"
import type { MachineMetadata } from "../contract.ts"
import { metadataAnswer } from "./metadata-answer.ts"
import { STANDBY_PATH, type Standby } from "./standby.ts"

/**
 * Serves one machine's metadata on a unix socket of its own: who reads is known by the socket, so no machine can ask
 * for another's. `current` is called for each request, `standby` when a machine asks whether it is somebody's by now. A
 * socket left by a crash is replaced.
 */
export async function serveMetadata(
  path: string,
  current: () => MachineMetadata,
  standby: Standby,
): Promise<{ close(): Promise<void> }> {
  const server = createServer((request, response) => {
    response.setHeader("connection", "close")
    response.setHeader("content-type", "text/plain; charset=utf-8")
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.writeHead(405, { allow: "GET, HEAD" }).end()
      return
    }
    const { pathname } = new URL(request.url ?? "/", "http://metadata")
    if (pathname === STANDBY_PATH) {
      const { status, text } = standby()
      response.writeHead(status).end(text)
      return
    }
    const answer = metadataAnswer(current(), pathname)
    if (answer === null) response.writeHead(404).end("404 page not found\n")
    else response.end(answer)
  })
  // Each connection is a process of the connector on this host: a guest gets few of them, and not for long.
  server.maxConnections = 32
  server.headersTimeout = 10_000
  server.requestTimeout = 10_000
  await rm(path, { force: true })
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(path, resolve)
  })
  await chmod(path, 0o600)
  return {
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>(resolve => server.close(() => resolve()))
      await rm(path, { force: true })
    },
  }
}
