import { createHash, randomBytes } from "node:crypto"
import { once } from "node:events"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { FOLDERS, type Folder } from "./order.ts"
import { Refused, type Storage } from "./storage.ts"

/** Its list of objects, with their sizes. */
const LIST_TYPE = "application/vnd.x.restic.rest.v2"
const OBJECT = new RegExp(`^/((?:${FOLDERS.join("|")})/([0-9a-f]{64})|config)$`)
/** The one object that is not named by its content is small. */
const MOST_CONFIG_BYTES = 64 * 1024

/**
 * A repository as restic's own protocol has it (REST), at an address of this machine that only those know who are told.
 * @param mayRemove whether a backup may go; locks always may
 * @param faulty hears of every fault: restic would only try again
 */
export async function startRestServer(
  storage: Storage,
  options: { mayRemove: boolean; faulty(error: unknown): void },
): Promise<{ repository: string; close(): void }> {
  const password = randomBytes(24).toString("base64url")
  const expected = `Basic ${Buffer.from(`agent:${password}`).toString("base64")}`

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    if (request.headers.authorization !== expected) return response.writeHead(401).end()
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://agent")
    const folder = FOLDERS.find(one => `/${one}/` === pathname)
    if (request.method === "GET" && folder !== undefined) return list(folder, response)
    // There are no folders in a bucket: nothing is to be made.
    if (request.method === "POST" && pathname === "/" && searchParams.get("create")) return response.end()
    const [, name, sha256 = null] = OBJECT.exec(pathname) ?? []
    if (name === undefined) return response.writeHead(404).end()
    if (request.method === "HEAD") return size(name, response)
    if (request.method === "GET") return read(name, request, response)
    if (request.method === "POST") return write(name, sha256, request, response)
    if (request.method !== "DELETE") return response.writeHead(405).end()
    // It removes what it could not write too, which is not asked for then.
    if (!options.mayRemove && !name.startsWith("locks/")) return response.writeHead(403).end()
    await storage.remove(name)
    return response.end()
  }

  async function list(folder: Folder, response: ServerResponse) {
    const body = JSON.stringify(await storage.list(folder))
    response.writeHead(200, { "content-type": LIST_TYPE }).end(body)
  }
  async function size(name: string, response: ServerResponse) {
    const bytes = await storage.size(name)
    response.writeHead(bytes === null ? 404 : 200, bytes === null ? {} : { "content-length": bytes }).end()
  }
  async function read(name: string, request: IncomingMessage, response: ServerResponse) {
    const found = await storage.read(name, request.headers.range)
    if (found === null) return response.writeHead(404).end()
    const length = found.headers["content-length"]
    response.writeHead(found.statusCode ?? 200, length === undefined ? {} : { "content-length": length })
    return pipeline(found, response)
  }
  async function write(name: string, sha256: string | null, request: IncomingMessage, response: ServerResponse) {
    const bytes = Number(request.headers["content-length"])
    if (!Number.isInteger(bytes)) return response.writeHead(411).end()
    if (sha256 !== null) await storage.write(name, bytes, request, sha256)
    else {
      if (bytes > MOST_CONFIG_BYTES) return response.writeHead(413).end()
      const parts: Buffer[] = []
      for await (const part of request) parts.push(part)
      const body = Buffer.concat(parts)
      const digest = createHash("sha256").update(body).digest("hex")
      await storage.write(name, body.length, Readable.from([body], { objectMode: false }), digest)
    }
    return response.end()
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(error => {
      // Restic itself has had enough: it hangs up on what it has read as far as it needs.
      if (!request.socket.destroyed || error instanceof Refused) options.faulty(error)
      if (response.headersSent) return response.destroy()
      return response.writeHead(error instanceof Refused ? 403 : 502, { connection: "close" }).end()
    })
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  return {
    repository: `rest:http://agent:${password}@127.0.0.1:${port}/`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
