import type { Server } from "node:http"
import type { AddressInfo, Socket } from "node:net"

/** A server of the checklist, on the loopback of this computer: machines of the checklist reach it, nobody else does. */
export interface LoopbackServer {
  port: number
  /** While it is away, every connection is cut at once and no new one is taken. */
  away(yes: boolean): void
  close(): Promise<void>
}

export async function listenOnLoopback(server: Server): Promise<LoopbackServer> {
  const sockets = new Set<Socket>()
  let isAway = false
  server.on("connection", socket => {
    if (isAway) return void socket.destroy()
    sockets.add(socket)
    socket.once("close", () => sockets.delete(socket)).on("error", () => {})
  })
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve))
  return {
    port: (server.address() as AddressInfo).port,
    away: yes => {
      isAway = yes
      if (yes) cut()
    },
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        cut()
      }),
  }
}
