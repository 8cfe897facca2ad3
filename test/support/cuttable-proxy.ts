import { connect, createServer, type Socket } from "node:net"

/** A way to a port on this machine that can be cut: open connections break, new ones are taken again. */
export interface CuttableProxy {
  url: string
  /** Breaks what is open. @returns how many connections that were */
  cut(): number
  close(): Promise<void>
}

export async function startCuttableProxy(to: string): Promise<CuttableProxy> {
  const target = new URL(to)
  const open = new Set<Socket>()
  const server = createServer(socket => {
    const onward = connect(Number(target.port), target.hostname)
    open.add(socket)
    socket.on("close", () => {
      open.delete(socket)
      onward.destroy()
    })
    onward.on("close", () => socket.destroy())
    for (const end of [socket, onward]) end.on("error", () => {})
    socket.pipe(onward).pipe(socket)
  })
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as { port: number }
  const cut = () => {
    const all = [...open]
    for (const socket of all) socket.destroy()
    return all.length
  }
  return {
    url: `http://127.0.0.1:${port}`,
    cut,
    async close() {
      cut()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
