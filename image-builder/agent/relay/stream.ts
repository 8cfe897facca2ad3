import { connect, type Socket } from "node:net"
import { createFrameReader } from "./frame-reader.ts"
import { CLOSE, closeFrame, controlFrame, MAX_HEADER, OPCODE, writeHeader } from "./frames.ts"
import { createInputWatch } from "./rfb-input.ts"

/** What one read from the VNC server takes at first, and once a stream has shown that it fills it. */
const [SMALL, LARGE] = [32 * 1024, 256 * 1024]
/** Bytes from a viewer that may wait for the VNC server before the viewer is no longer read. */
const MAX_WAITING = 256 * 1024
/** How long the other side may take to answer a close; below the second a revocation may take. */
const CLOSE_GRACE_MS = 700

const NOTHING = Buffer.alloc(0)

export interface StreamEvents {
  /** The VNC server answers. */
  open(): void
  input(): void
  /** Called exactly once, also when the VNC server never answered. */
  closed(): void
}

export interface Stream {
  /** Begins to carry bytes; the handshake must have been answered before. */
  start(head: Buffer): void
  close(code: number, reason: string): void
  /** Asks for a sign of life, or ends the stream when the last question got none. */
  probe(): void
}

/**
 * One viewer and its connection to the VNC server. Towards the viewer, a read lands behind a gap that takes the
 * frame's header, so that bytes are never copied here; while the viewer's kernel buffer is full, nothing more is read.
 * A stream therefore costs its read buffer and what kernels hold, however slow its viewer is.
 */
export function openStream(client: Socket, target: { host: string; port: number }, events: StreamEvents): Stream {
  let buffer = Buffer.allocUnsafeSlow(MAX_HEADER + SMALL)
  let gap = buffer.subarray(MAX_HEADER)
  let [started, closing, done, alive, clientWaits, vncWaits] = [false, false, false, true, false, false]
  let full = 0
  const watch = createInputWatch()

  const vnc = connect({
    ...target,
    noDelay: true,
    onread: {
      buffer: () => {
        // A stream that fills its buffer again and again is worth a larger one.
        if (full >= 4 && buffer.length < LARGE) {
          buffer = Buffer.allocUnsafeSlow(MAX_HEADER + LARGE)
          gap = buffer.subarray(MAX_HEADER)
        }
        return gap
      },
      callback: size => {
        if (closing) return false
        full = size === gap.length ? full + 1 : 0
        const at = writeHeader(buffer, MAX_HEADER, OPCODE.binary, size)
        client.write(buffer.subarray(at, MAX_HEADER + size))
        // Nothing waits: the kernel has taken it all and the buffer is free. Else it must not be touched until an
        // empty write behind it comes to its turn; a callback for each write would cost more than it tells.
        clientWaits = client.writableLength > 0
        if (clientWaits) client.write(NOTHING, sent)
        return !clientWaits
      },
    },
  })

  function sent(): void {
    clientWaits = false
    if (!done) vnc.resume()
  }

  const read = createFrameReader({
    data: bytes => {
      if (closing) return
      if (watch(bytes)) events.input()
      vnc.write(bytes)
    },
    ping: payload => {
      if (!closing) client.write(controlFrame(OPCODE.pong, payload))
    },
    pong: () => {},
    close: code => close(code === 1005 ? CLOSE.normal : code, ""),
  })

  function take(chunk: Buffer): void {
    alive = true
    const wrong = closing ? 0 : read(chunk)
    if (wrong !== 0) close(wrong, "")
    // Pings alone must not pile up answers either: the viewer is read no faster than it reads.
    if (vnc.writableLength > MAX_WAITING || client.writableLength > LARGE + MAX_WAITING) {
      vncWaits = true
      client.pause()
    }
  }

  function goOn(): void {
    if (!vncWaits || vnc.writableLength > MAX_WAITING || client.writableLength > MAX_WAITING) return
    vncWaits = false
    client.resume()
  }

  function close(code: number, reason: string): void {
    if (closing) return
    closing = true
    vnc.destroy()
    if (!started) {
      finish()
      return
    }
    client.resume()
    client.end(closeFrame(code, reason))
    setTimeout(finish, CLOSE_GRACE_MS).unref()
  }

  function finish(): void {
    if (done) return
    done = true
    closing = true
    vnc.destroy()
    if (started) client.destroy()
    events.closed()
  }

  vnc.once("connect", () => events.open())
  vnc.on("drain", goOn)
  vnc.on("error", () => close(CLOSE.failed, "the desktop does not answer"))
  vnc.on("end", () => close(CLOSE.failed, "the desktop closed the connection"))
  vnc.on("close", () => close(CLOSE.failed, "the desktop closed the connection"))
  vnc.pause()

  return {
    start: head => {
      started = true
      client.setNoDelay(true)
      client.setTimeout(0)
      client.on("drain", goOn)
      client.on("data", take)
      client.on("error", finish)
      client.on("close", finish)
      client.on("end", finish)
      if (head.length > 0) take(head)
      vnc.resume()
    },
    close,
    probe: () => {
      if (!started || closing) return
      // A viewer that is not reading cannot answer; its connection lives as long as bytes wait in it.
      if (!alive && !clientWaits) return finish()
      alive = false
      if (!clientWaits) client.write(controlFrame(OPCODE.ping))
    },
  }
}
