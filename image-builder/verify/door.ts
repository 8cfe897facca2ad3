import { type IncomingHttpHeaders, request } from "node:http"
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls"

/** The machine's port 443: where it is found from here, and by which name a browser would call it. */
export interface Door {
  host: string
  port: number
  name: string
}

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

/** A TLS connection to the door. Its certificate is its own until it has a real one, so nothing vouches for it. */
export function connectTls(door: Door, options: ConnectionOptions = {}): TLSSocket {
  const { host, port, name: servername } = door
  return connect({ host, port, servername, rejectUnauthorized: false, ALPNProtocols: ["http/1.1"], ...options })
}

/** A connection with these settings, once its handshake is done. @throws when the machine does not take it */
export function shake(door: Door, options: ConnectionOptions, limit: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connectTls(door, options)
    socket.setTimeout(limit, () => socket.destroy(new Error(`no TLS handshake within ${limit / 1000} s`)))
    socket.once("secureConnect", () => resolve(socket)).once("error", reject)
    socket.once("close", () => reject(new Error("the connection was closed before the TLS handshake")))
  })
}

/** One request on a connection of its own, as a browser would send it that has this token. */
export function ask(
  door: Door,
  path: string,
  options: {
    token?: string | undefined
    method?: string
    headers?: Record<string, string>
    body?: string
    limit: number
  },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const cookie = options.token === undefined ? {} : { cookie: `__Host-foozol=${options.token}` }
    const asked = request({
      createConnection: () => connectTls(door),
      host: door.name,
      method: options.method ?? "GET",
      path,
      headers: { host: door.name, connection: "close", ...cookie, ...options.headers },
      signal: AbortSignal.timeout(options.limit),
    })
    asked.once("error", reject)
    asked.once("response", response => {
      let body = ""
      response.setEncoding("utf8").on("data", text => {
        body += text
      })
      response.once("error", reject)
      response.once("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
    })
    asked.end(options.body)
  })
}
