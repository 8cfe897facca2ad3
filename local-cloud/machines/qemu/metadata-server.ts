import { chmod, rm } from "node:fs/promises"
import { createServer } from "node:http"
import type { MachineMetadata } from "../contract.ts"
import { metadataAnswer } from "./metadata-answer.ts"
import { nobody, SLEEP_PATH, STANDBY_PATH, type Standby } from "./standby.ts"

/** Puts the machine to sleep with its memory. */
export interface Sleep {
  can(): boolean
  begin(): void
}

/**
 * Serves one machine's metadata on a unix socket of its own: who reads is known by the socket, so no machine can ask
 * for another's. `current` is called for each request, `standby` when a machine asks whether it is somebody's by now, `sleep`
 * when it wishes to fall asleep. A socket left by a crash is replaced.
 */
export async function serveMetadata(
  path: string,
  current: () => MachineMetadata,
  standby: Standby,
  sleep?: Sleep,
): Promise<{ close(): Promise<void> }> {
  const server = createServer((request, response) => {
    response.setHeader("connection", "close")
    response.setHeader("content-type", "text/plain; charset=utf-8")
    // Whatever a program in a machine asks for: what is no path is not there.
    const { pathname } = URL.parse(request.url ?? "/", "http://metadata") ?? { pathname: "" }
    const isWish = pathname === SLEEP_PATH && request.method === "POST"
    if (request.method !== "GET" && request.method !== "HEAD" && !isWish) {
      response.writeHead(405, { allow: "GET, HEAD" }).end()
      return
    }
    if (pathname === SLEEP_PATH && sleep?.can()) {
      if (isWish) sleep.begin()
      response.writeHead(isWish ? nobody.status : 200).end(isWish ? nobody.text : "{}")
      return
    }
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
