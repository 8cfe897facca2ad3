import type { Socket } from "node:net"
import { createFrameReader } from "../relay/frame-reader.ts"
import { CLOSE, closeFrame, controlFrame, OPCODE } from "../relay/frames.ts"
import type { Stream, StreamEvents } from "../relay/stream.ts"

/** How long the other side may take to answer a close; below the second a revocation may take. */
const CLOSE_GRACE_MS = 700

/** The page of files holds a stream on which nothing is said: it tells both sides that the other one is there. */
export function openQuietStream(client: Socket, events: StreamEvents): Stream {
  let [started, closing, done, alive] = [false, false, false, true]

  const read = createFrameReader(
    {
      data: () => {},
      ping: payload => {
        if (!closing) client.write(controlFrame(OPCODE.pong, payload))
      },
      pong: () => {},
      close: code => close(code === 1005 ? CLOSE.normal : code, ""),
    },
    { maxFrame: 1_024 },
  )

  function take(chunk: Buffer): void {
    alive = true
    const wrong = closing ? 0 : read(chunk)
    if (wrong !== 0) close(wrong, "")
    if (client.writableLength > 4_096) finish()
  }

  function close(code: number, reason: string): void {
    if (closing) return
    closing = true
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
    if (started) client.destroy()
    events.closed()
  }

  queueMicrotask(() => events.open())
  return {
    start: head => {
      if (done) return
      started = true
      client.setTimeout(0)
      client.on("data", take)
      for (const end of ["error", "close", "end"]) client.on(end, finish)
      if (head.length > 0) take(head)
    },
    close,
    probe: () => {
      if (!started || closing) return
      if (!alive) return finish()
      alive = false
      client.write(controlFrame(OPCODE.ping))
    },
  }
}
