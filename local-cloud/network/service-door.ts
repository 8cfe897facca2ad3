import { once } from "node:events"
import { type AddressInfo, createServer, type Socket } from "node:net"
import { pipeline } from "node:stream"
import { connect } from "node:tls"
import type { MachineAddress } from "./sni-router.ts"

/** A running door. */
export interface ServiceDoor {
  port: number
  close(): Promise<void>
}

/**
 * How machines of the local cloud reach a service that is a machine of it too: they find this port at their gateway, and
 * behind it is that machine's HTTPS. Elsewhere they would call its public name, which nobody resolves here, and trust
 * its certificate, which no authority they know has issued.
 * @param lookup where the service's machine is; null when there is none
 */
export async function startServiceDoor(options: {
  port: number
  lookup: () => MachineAddress | null
}): Promise<ServiceDoor> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, visitor => {
    sockets.add(visitor)
    visitor.once("close", () => sockets.delete(visitor))
    visitor.on("error", () => {})
    const target = options.lookup()
    if (target === null) return visitor.destroy()
    const machine = connect({ host: target.address, port: target.port, rejectUnauthorized: false })
    machine.on("error", () => visitor.destroy())
    pipeline(visitor, machine, error => error && visitor.destroy())
    pipeline(machine, visitor, error => error && machine.destroy())
  })
  server.listen(options.port, "127.0.0.1")
  await once(server, "listening")
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
