import type { Socket } from "node:net"
import { CLOSE, closeFrame, controlFrame, OPCODE } from "../relay/frames.ts"
import type { Stream, StreamEvents } from "../relay/stream.ts"
import { createDesk, type Desk } from "./desk.ts"
import { createMessageReader } from "./messages.ts"
import { createOutbox } from "./outbox.ts"
import { MAX_MESSAGE } from "./protocol.ts"
import type { Terminals } from "./terminals.ts"

/** How long the other side may take to answer a close; below the second a revocation may take. */
const CLOSE_GRACE_MS = 700
/** Bytes that may wait in a connection that does not read; terminals stop long before. */
const MAX_WAITING = 4 * 1024 * 1024

/** One page and its terminals. */
export const openTerminalStream = (
  client: Socket,
  terminals: Terminals,
  events: StreamEvents,
  deflates: boolean,
): Stream => openDeskStream(client, about => createDesk({ terminals, ...about }), events, deflates)

/** One page and what it has before it: messages go to its desk, and come from there. */
export function openDeskStream(
  client: Socket,
  makeDesk: (about: { send(message: Uint8Array): void; input(): void }) => Desk,
  events: StreamEvents,
  deflates: boolean,
): Stream {
  let [started, closing, done, alive] = [false, false, false, true]
  const outbox = createOutbox(frame => {
    if (closing) return
    client.write(frame)
    if (client.writableLength > MAX_WAITING) finish()
  }, deflates)
  const desk = makeDesk({ send: outbox.send, input: events.input })

  const read = createMessageReader(
    {
      message: bytes => {
        if (closing) return
        if (!desk.take(bytes)) close(CLOSE.protocol, "")
      },
      ping: payload => {
        if (!closing) client.write(controlFrame(OPCODE.pong, payload))
      },
      pong: () => {},
      close: code => close(code === 1005 ? CLOSE.normal : code, ""),
    },
    { most: MAX_MESSAGE, deflated: deflates },
  )

  function take(chunk: Buffer): void {
    alive = true
    const wrong = closing ? 0 : read(chunk)
    if (wrong !== 0) close(wrong, "")
    if (client.writableLength > MAX_WAITING) finish()
  }

  function close(code: number, reason: string): void {
    if (closing) return
    closing = true
    desk.close()
    if (!started) {
      finish()
      return
    }
    client.end(closeFrame(code, reason))
    setTimeout(finish, CLOSE_GRACE_MS).unref()
  }

  function finish(): void {
    if (done) return
    done = true
    closing = true
    desk.close()
    outbox.close()
    if (started) client.destroy()
    events.closed()
  }

  queueMicrotask(() => events.open())
  return {
    start: head => {
      if (done) return
      started = true
      client.setNoDelay(true)
      client.setTimeout(0)
      client.on("data", take)
      for (const end of ["error", "close", "end"]) client.on(end, finish)
      desk.open()
      if (head.length > 0) take(head)
    },
    close,
    probe: () => {
      if (!started || closing) return
      // One that is not reading cannot answer; its connection lives as long as bytes wait in it.
      const isReading = client.writableLength === 0
      if (!alive && isReading) finish()
      else if (isReading) client.write(controlFrame(OPCODE.ping))
      alive = false
    },
  }
}
