import { CLOSE, MAX_FRAME, OPCODE, unmask } from "./frames.ts"

/** The flag of a compressed message (RSV1 of RFC 7692). */
const DEFLATED = 0x40

export interface FrameSink {
  /** Unmasked payload of binary frames, a view of the chunk that was given. */
  data(bytes: Buffer): void
  /** A binary message has come to its end; `deflated` says that it is compressed, all of it. */
  end?(deflated: boolean): void
  ping(payload: Buffer): void
  pong(): void
  /** The other side closes; code 1005 when it gave none. */
  close(code: number): void
}

/**
 * Reads what a client sends, however it is cut.
 * @param options.deflated whether compressed messages were agreed on
 * @returns a function that takes the next chunk, which it may change, and answers 0 or the code to close with
 */
export function createFrameReader(
  sink: FrameSink,
  { maxFrame = MAX_FRAME, deflated = false }: { maxFrame?: number; deflated?: boolean } = {},
): (chunk: Buffer) => number {
  const header = Buffer.alloc(14)
  const mask = header.subarray(0, 4)
  const control = Buffer.alloc(125)
  let held = 0
  let opcode: number = OPCODE.continuation
  let left = 0
  let phase = 0
  let inPayload = false
  let inMessage = false
  let isDeflated = false
  let failed = 0

  /** Bytes the header has in all, as far as its first two tell. */
  const headerSize = () => {
    const length = (header[1] ?? 0) & 0x7f
    return 6 + (length === 126 ? 2 : length === 127 ? 8 : 0)
  }

  function begin(): number {
    const [first, second] = [header[0] ?? 0, header[1] ?? 0]
    const final = (first & 0x80) !== 0
    opcode = first & 0x0f
    const [flags, begins] = [first & 0x70, opcode === OPCODE.binary]
    if (flags !== 0 && !(flags === DEFLATED && deflated && begins)) return CLOSE.protocol
    if (begins) isDeflated = flags === DEFLATED
    const short = second & 0x7f
    if (opcode >= OPCODE.close) {
      if (opcode > OPCODE.pong || !final || short > 125) return CLOSE.protocol
    } else if (opcode === OPCODE.text) return CLOSE.unsupported
    else if (opcode > OPCODE.binary || (opcode === OPCODE.continuation) !== inMessage) return CLOSE.protocol
    else inMessage = !final
    left = short
    if (short === 126) left = header.readUInt16BE(2)
    if (short === 127) {
      if (header.readUInt32BE(2) >= 0x80000000) return CLOSE.protocol
      left = header.readUInt32BE(2) * 2 ** 32 + header.readUInt32BE(6)
    }
    if (left > maxFrame) return CLOSE.tooBig
    header.copyWithin(0, held - 4, held)
    phase = 0
    inPayload = true
    return 0
  }

  function endControl(): number {
    const payload = control.subarray(0, phase)
    if (opcode === OPCODE.ping) sink.ping(Buffer.from(payload))
    else if (opcode === OPCODE.pong) sink.pong()
    else if (phase === 0) sink.close(1005)
    else {
      const code = phase === 1 ? 0 : payload.readUInt16BE(0)
      if (!allowedCode(code)) return CLOSE.protocol
      sink.close(code)
    }
    return 0
  }

  function read(chunk: Buffer): number {
    let at = 0
    for (;;) {
      if (!inPayload) {
        // The first two bytes say how long the header is; they are looked at as soon as they are here.
        while (held < 2 || held < headerSize()) {
          if (at === chunk.length) return 0
          header[held++] = chunk[at++] as number
          if (held === 2 && (header[1] ?? 0) < 0x80) return CLOSE.protocol
        }
        const wrong = begin()
        if (wrong !== 0) return wrong
        held = 0
      }
      const size = Math.min(left, chunk.length - at)
      const bytes = chunk.subarray(at, at + size)
      unmask(bytes, mask, phase)
      if (opcode >= OPCODE.close) bytes.copy(control, phase)
      else if (size > 0) sink.data(bytes)
      at += size
      phase += size
      left -= size
      if (left > 0) return 0
      inPayload = false
      if (opcode >= OPCODE.close) {
        const wrong = endControl()
        if (wrong !== 0) return wrong
      } else if (!inMessage) sink.end?.(isDeflated)
      if (at === chunk.length) return 0
    }
  }

  return chunk => {
    if (failed === 0) failed = read(chunk)
    return failed
  }
}

const allowedCode = (code: number) =>
  (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999)
