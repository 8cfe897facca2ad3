import { readFile } from "node:fs/promises"
import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import { dirname, join } from "node:path"
import type { Authority } from "../../image-builder/agent/certificate/authority.ts"
import type { Pebble } from "./pebble.ts"

/**
 * A directory in front of Pebble's, which itself knows no limits: orders are refused as Let's Encrypt refuses them,
 * until that is lifted; everything else is Pebble's own.
 */
export async function startLimitingDirectory(behind: Authority, pebble: Pebble, retryAfterSeconds: number) {
  const folder = dirname(pebble.trustFile)
  const [key, cert] = await Promise.all(["directory.key", "directory.pem"].map(name => readFile(join(folder, name))))
  let limited = true
  const server = createServer({ key: key as Buffer, cert: cert as Buffer }, async (request, response) => {
    if (request.method === "POST") {
      request.resume()
      const problem = {
        type: "urn:ietf:params:acme:error:rateLimited",
        detail: 'too many certificates (50) already issued for "desk.example" in the last 168h0m0s',
      }
      response.writeHead(429, {
        ...{ "content-type": "application/problem+json", "retry-after": String(retryAfterSeconds) },
        "replay-nonce": "bm9uY2U",
      })
      return void response.end(JSON.stringify(problem))
    }
    const directory = JSON.parse(await pebble.get(behind.directory)) as Record<string, unknown>
    const own = `https://127.0.0.1:${(server.address() as AddressInfo).port}/order`
    response.writeHead(200, { "content-type": "application/json" })
    response.end(JSON.stringify(limited ? { ...directory, newOrder: own } : directory))
  })
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  return {
    authority: { ...behind, directory: `https://127.0.0.1:${port}/dir` },
    lift: () => {
      limited = false
    },
    close: () => {
      server.closeAllConnections()
      return new Promise<unknown>(resolve => server.close(resolve))
    },
  }
}
