import { WebSocket } from "ws"
import { connectTls } from "./door.ts"
import type { Run } from "./run.ts"

/** A stream of the machine, as one of its pages has it. */
export interface Stream {
  socket: WebSocket
  /** Why it has ended; null: it stands. */
  failure(): string | null
}

/**
 * Opens a stream as a page does. A busy machine may refuse it at first, as when its service did not answer in time: then
 * it is asked again.
 * @param hear gets each message, from the first one on
 */
export function openStream(run: Run, path: string, hear: (message: Buffer) => void): Promise<Stream> {
  return run.until(
    `the stream ${path}`,
    () =>
      new Promise<Stream>((resolve, reject) => {
        let failure: string | null = null
        const socket = new WebSocket(`wss://${run.door.name}${path}`, ["binary"], {
          createConnection: () => connectTls(run.door),
          origin: `https://${run.door.name}`,
          headers: { cookie: `__Host-foozol=${run.token}` },
          handshakeTimeout: run.patience,
        })
        socket.on("message", (data: Buffer) => hear(data))
        socket.on("error", error => {
          failure = error.message
          reject(error)
        })
        socket.once("open", () => resolve({ socket, failure: () => failure }))
      }),
  )
}
