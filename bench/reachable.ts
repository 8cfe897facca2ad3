import { connect } from "node:net"

/** Is there somebody who takes connections at this port of the loopback? */
export function reachable(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false))
    socket.on("connect", () => socket.destroy())
  })
}
