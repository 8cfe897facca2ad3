/**
 * WebSocket frames as this relay needs them (RFC 6455). The relay carries a stream of bytes, so a message has no
 * meaning here: payload goes on as it comes, unmasked where it lies, and nothing is collected but control frames.
 */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const
export const CLOSE = { normal: 1000, goingAway: 1001, protocol: 1002, unsupported: 1003, tooBig: 1009, failed: 1011 }

/** Longest header a server writes: it never masks. */
export const MAX_HEADER = 10
/** A viewer pastes megabytes at most; one frame of more is a mistake or an attack. */
export const MAX_FRAME = 16 * 1024 * 1024

/** Writes the header of an unmasked, final frame so that it ends at `end`; returns where it begins. */
export function writeHeader(target: Buffer, end: number, opcode: number, length: number): number {
  const size = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const at = end - size
  target[at] = 0x80 | opcode
  if (size === 2) target[at + 1] = length
  else if (size === 4) {
    target[at + 1] = 126
    target[at + 2] = length >>> 8
    target[at + 3] = length & 0xff
  } else {
    target[at + 1] = 127
    target.writeUInt32BE(Math.floor(length / 2 ** 32), at + 2)
    target.writeUInt32BE(length >>> 0, at + 6)
  }
  return at
}

/** A whole control frame. */
export function controlFrame(opcode: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const frame = Buffer.allocUnsafe(2 + payload.length)
  writeHeader(frame, 2, opcode, payload.length)
  payload.copy(frame, 2)
  return frame
}

/** A close frame with its code and a reason of at most 123 bytes. */
export function closeFrame(code: number, reason = ""): Buffer {
  const payload = Buffer.alloc(2 + Math.min(123, Buffer.byteLength(reason)))
  payload.writeUInt16BE(code)
  payload.write(reason, 2)
  return controlFrame(OPCODE.close, payload)
}

/** Takes the mask off in place; `phase` says how many bytes of the frame's payload went before. */
export function unmask(bytes: Uint8Array, mask: Uint8Array, phase: number): void {
  const m0 = mask[phase & 3] ?? 0
  const m1 = mask[(phase + 1) & 3] ?? 0
  const m2 = mask[(phase + 2) & 3] ?? 0
  const m3 = mask[(phase + 3) & 3] ?? 0
  const whole = bytes.length & ~3
  for (let i = 0; i < whole; i += 4) {
    bytes[i] = (bytes[i] as number) ^ m0
    bytes[i + 1] = (bytes[i + 1] as number) ^ m1
    bytes[i + 2] = (bytes[i + 2] as number) ^ m2
    bytes[i + 3] = (bytes[i + 3] as number) ^ m3
  }
  if (whole < bytes.length) bytes[whole] = (bytes[whole] as number) ^ m0
  if (whole + 1 < bytes.length) bytes[whole + 1] = (bytes[whole + 1] as number) ^ m1
  if (whole + 2 < bytes.length) bytes[whole + 2] = (bytes[whole + 2] as number) ^ m2
}
