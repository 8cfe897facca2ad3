import { readFile } from "node:fs/promises"
import { createServer, request } from "node:https"
import type { AddressInfo } from "node:net"
import { dirname, join } from "node:path"
import { buffer } from "node:stream/consumers"
import type { Pebble } from "./pebble.ts"

/** Pebble behind somebody who reads everything that its clients say, within TLS. */
export interface RecordingAuthority {
  /** Its directory, where machines of the local cloud find it. */
  directory: string
  /** All that was said: heads and bodies of requests, and what is in their Base64. */
  said(): Buffer
  requests(): number
  close(): Promise<void>
}

/** @param host how clients call this computer */
export async function startRecordingAuthority(pebble: Pebble, host: string): Promise<RecordingAuthority> {
  const folder = dirname(pebble.trustFile)
  const file = (name: string) => readFile(join(folder, name))
  const [key, cert, ca] = await Promise.all([file("directory.key"), file("directory.pem"), file("root.pem")])
  const behind = new URL(pebble.authority("127.0.0.1").directory)
  const said: Buffer[] = []
  let requests = 0
  const server = createServer({ key, cert }, async (asked, answer) => {
    try {
      const body = await buffer(asked)
      requests++
      said.push(Buffer.from(`${asked.method} ${asked.url}\n${asked.rawHeaders.join("\n")}\n`), body, ...within(body))
      const { method = "GET", url: path = "/", headers } = asked
      // Its addresses are made of the name it is called by, so everything comes this way.
      const to = { host: "127.0.0.1", port: behind.port, method, path, headers, ca, servername: "localhost" }
      const call = request(to, reply => {
        answer.writeHead(reply.statusCode ?? 502, reply.headers)
        reply.pipe(answer)
      })
      call.once("error", () => answer.destroy())
      call.end(body)
    } catch {
      answer.destroy()
    }
  })
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
  return {
    directory: `https://${host}:${(server.address() as AddressInfo).port}${behind.pathname}`,
    said: () => Buffer.concat(said),
    requests: () => requests,
    close() {
      server.closeAllConnections()
      return new Promise<void>(resolve => server.close(() => resolve()))
    },
  }
}

/** What a signed request holds in Base64, and what that holds again: the request for a certificate. */
function within(body: Buffer): Buffer[] {
  try {
    const fields = JSON.parse(body.toString()) as Record<string, unknown>
    return Object.values(fields).flatMap(value => {
      if (typeof value !== "string") return []
      const inner = Buffer.from(value, "base64url")
      return [inner, ...within(inner)]
    })
  } catch {
    return []
  }
}
