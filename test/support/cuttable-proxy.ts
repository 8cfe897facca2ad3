import { connect, createServer, type Socket } from "node:net"

/** A way to a port on this machine that can be cut: open connections break, new ones are taken again. */
export interface CuttableProxy {
  url: string
  /** Holds back what is answered to requests of a path from now on, as a way does that has gone silent; null: nothing. */
  hold(path: string | null): void
  /** Breaks what is open. @returns how many connections that were */
  cut(): number
  close(): Promise<void>
}

export async function startCuttableProxy(to: string): Promise<CuttableProxy> {
  const target = new URL(to)
  const open = new Set<Socket>()
  let held: string | null = null
  const server = createServer(socket => {
    const onward = connect(Number(target.port), target.hostname)
    open.add(socket)
    socket.on("close", () => {
      open.delete(socket)
      onward.destroy()
    })
    // What was answered before is still to arrive.
    onward.on("close", failed => (failed ? socket.destroy() : socket.destroySoon()))
    for (const end of [socket, onward]) end.on("error", () => {})
    // Of the request that was made last: connections are kept for several.
    let path = ""
    socket.on("data", (data: Buffer) => {
      path = /^[A-Z]+ (\S+) HTTP/.exec(data.toString("latin1", 0, 2_000))?.[1] ?? path
      onward.write(data)
    })
    socket.on("end", () => onward.end())
    onward.on("data", data => {
      if (held === null || path !== held) socket.write(data)
    })
    onward.on("end", () => socket.end())
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
    hold: path => {
      held = path
    },
    cut,
    async close() {
      cut()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
