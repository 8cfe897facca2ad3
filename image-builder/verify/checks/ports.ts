import { connect } from "node:net"
import { type Check, expect } from "../check.ts"
import { PORTS } from "../run.ts"
import { answers } from "./boot.ts"

/** How long a connection that neither speaks nor ends is listened to before it counts as open. */
const LISTEN_MS = 3_000

/** Whether something behind an address takes a connection: it speaks, or it stays. */
export function isReachable(at: { host: string; port: number }, listenMs = LISTEN_MS): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(at)
    let isConnected = false
    const end = (answer: boolean) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    const timer = setTimeout(() => end(isConnected), listenMs)
    socket.once("connect", () => {
      isConnected = true
      // Some servers wait to be spoken to.
      socket.write("GET / HTTP/1.0\r\n\r\n")
    })
    socket.once("data", () => end(true))
    // What stands between may take the connection before the machine has refused it.
    socket.once("error", () => end(false)).once("close", () => end(false))
  })
}

export const ports: Check[] = [
  {
    name: "door: port 443 is reachable, and no other",
    level: "quick",
    needs: [answers.name],
    async run({ machine }) {
      const states = await Promise.all(
        [...PORTS.open, ...PORTS.closed].map(async port => ({ port, isOpen: await isReachable(machine.at(port)) })),
      )
      const open = states.filter(state => state.isOpen).map(state => state.port)
      expect(open.includes(443), "Port 443 takes no connection")
      expect(
        open.length === 1,
        `Besides 443 these ports take connections: ${open.filter(port => port !== 443).join(", ")}`,
      )
      return `refused: ${PORTS.closed.join(", ")}`
    },
  },
]
