import { request } from "node:https"

/**
 * One request to a machine's NGINX by its name, whatever its certificate.
 * @param to where it is sent: the router of the local cloud, unless a machine's own address is named
 */
export function machineRequest(
  address: string,
  path: string,
  headers: Record<string, string> = {},
  to = "127.0.0.1",
): Promise<{ status: number; headers: Record<string, string | string[] | undefined>; body: string }> {
  const url = new URL(path, address)
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: to,
        port: url.port,
        servername: url.hostname,
        path: `${url.pathname}${url.search}`,
        headers: { host: url.host, ...headers },
        rejectUnauthorized: false,
      },
      answer => {
        let body = ""
        answer.setEncoding("utf8").on("data", part => {
          body += part
        })
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }))
      },
    )
    // An upgrade that is admitted.
    sent.on("upgrade", (answer, socket) => {
      socket.destroy()
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: "" })
    })
    sent.on("error", reject)
    sent.end()
  })
}

/** The headers of a WebSocket's upgrade from a page of this origin. */
export const upgradeHeaders = (origin: string) => ({
  ...{ connection: "Upgrade", upgrade: "websocket", origin },
  ...{ "sec-websocket-version": "13", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" },
})
