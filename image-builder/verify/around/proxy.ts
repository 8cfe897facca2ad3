import { randomBytes } from "node:crypto"
import { createServer } from "node:http"
import { connect } from "node:net"
import { listenOnLoopback } from "./loopback.ts"
import type { Site } from "./site.ts"

/** A proxy that wants a name and a password. It leads to the site alone, whatever host is asked for. */
export interface CheckProxy {
  port: number
  user: string
  password: string
  /** Requests without the right credentials. */
  refused(): number
  /** Hosts and ports to which a tunnel was opened. */
  tunnels: string[]
  close(): Promise<void>
}

export async function startProxy(site: Site): Promise<CheckProxy> {
  const [user, password] = ["checker", randomBytes(12).toString("hex")]
  const expected = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`
  const tunnels: string[] = []
  let refused = 0
  const server = createServer((request, response) => {
    if (request.headers["proxy-authorization"] !== expected) {
      refused++
      return void response.writeHead(407, { "proxy-authenticate": "Basic" }).end()
    }
    const { pathname } = new URL(request.url ?? "/", "http://proxy")
    const visit = { path: pathname, userAgent: request.headers["user-agent"] ?? "", byProxy: true }
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" })
    response.end(site.answer(visit))
  })
  server.on("connect", (request, socket) => {
    socket.on("error", () => {})
    if (request.headers["proxy-authorization"] !== expected) {
      refused++
      return void socket.end("HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\n\r\n")
    }
    // The site speaks plain HTTP: whoever comes for TLS learns so at once.
    if (!request.url?.endsWith(":80")) return void socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n")
    tunnels.push(request.url)
    const onward = connect(site.port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n")
      onward.pipe(socket).pipe(onward)
    })
    onward.on("error", () => socket.destroy())
  })
  const { port, close } = await listenOnLoopback(server)
  return { port, user, password, refused: () => refused, tunnels, close }
}
