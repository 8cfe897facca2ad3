import { readFile } from "node:fs/promises"
import { createServer, type ServerResponse } from "node:http"
import { connect } from "node:net"
import { join } from "node:path"
import { createWebSocketStream, type WebSocket, WebSocketServer } from "ws"
import type { Clipboard } from "../../image-builder/agent/clipboard.ts"

/**
 * Stands for NGINX and the agent of a machine: serves a built viewer with its policy, and relays /vnc to an RFB port.
 * @param clipboard of the desktop, where it has one that knows all characters
 */
export async function startViewerHost(viewer: string, rfbPort: () => number, clipboard?: Clipboard) {
  const policy = (await readFile(join(viewer, "csp.conf"), "utf8")).match(/"(.*)"/)?.[1] ?? ""
  const resizes: { width: number; height: number }[] = []
  const requests: string[] = []
  const streams = new Set<WebSocket>()
  const listeners = new Set<ServerResponse>()
  const control = { upgrade: 101, status: 200, closeAtOnce: 0, resize: 200, stay: 200, upgrades: 0 }

  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? "/", "http://machine").pathname
    requests.push(`${request.method} ${path}`)
    if (path === "/") {
      response.setHeader("content-security-policy", policy)
      response.setHeader("content-type", "text/html; charset=utf-8")
      response.end(await readFile(join(viewer, "index.html")))
    } else if (path === "/agent/status") {
      response.statusCode = control.status
      response.setHeader("content-type", "application/json")
      response.end(
        JSON.stringify({ ready: true, service: "https://cloud.test/", display: { width: 320, height: 240 } }),
      )
    } else if (path === "/agent/events") {
      response.setHeader("content-type", "text/event-stream")
      response.write(": hello\n\n")
      listeners.add(response)
      response.on("close", () => listeners.delete(response))
    } else if (path === "/agent/resize" && request.method === "POST") {
      const size = JSON.parse((await request.toArray()).join(""))
      resizes.push(size)
      response.statusCode = control.resize
      response.end(JSON.stringify(size))
    } else if (path === "/agent/stay" && request.method === "POST") {
      response.writeHead(control.stay).end("{}")
    } else if (path === "/agent/clipboard" && clipboard !== undefined) {
      response.setHeader("content-type", "application/json")
      if (request.method === "GET") response.end(JSON.stringify(await { text: await clipboard.text() }))
      else {
        const { text } = JSON.parse((await request.toArray()).join(""))
        response.writeHead((await clipboard.put(text)) ? 200 : 503).end("{}")
      }
    } else if (path === "/agent/first-frame" && request.method === "POST") {
      response.writeHead(202).end("{}")
    } else response.writeHead(404).end()
  })

  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => "binary" })
  server.on("upgrade", (request, socket, head) => {
    control.upgrades++
    if (control.upgrade !== 101) return socket.end(`HTTP/1.1 ${control.upgrade} No\r\nconnection: close\r\n\r\n`)
    sockets.handleUpgrade(request, socket, head, stream => {
      if (control.closeAtOnce !== 0) return stream.close(control.closeAtOnce)
      streams.add(stream)
      const bytes = createWebSocketStream(stream)
      const rfb = connect(rfbPort(), "127.0.0.1")
      bytes.on("error", () => rfb.destroy())
      rfb.on("error", () => stream.terminate())
      stream.on("close", () => streams.delete(stream))
      bytes.pipe(rfb).pipe(bytes)
    })
  })
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("The host has no port")

  return {
    url: `http://127.0.0.1:${address.port}/`,
    control,
    resizes,
    requests,
    close: (code: number) => {
      for (const stream of streams) stream.close(code)
    },
    drop: () => {
      for (const stream of streams) stream.terminate()
    },
    say: (event: object) => {
      for (const listener of listeners) listener.write(`data: ${JSON.stringify(event)}\n\n`)
    },
    stop: () =>
      new Promise<void>(resolve => {
        for (const stream of streams) stream.terminate()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
