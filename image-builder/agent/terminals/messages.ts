import { constants, inflateRawSync } from "node:zlib"
import { createFrameReader, type FrameSink } from "../relay/frame-reader.ts"
import { CLOSE } from "../relay/frames.ts"

/** What a sender leaves out at the end of a compressed message (RFC 7692, section 7.2.1). */
const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff])

/**
 * Reads whole messages out of what a client sends.
 * @param options.deflated whether messages may be compressed, each by itself
 * @returns a function that takes the next chunk and answers 0 or the code to close with
 */
export function createMessageReader(
  sink: Omit<FrameSink, "data" | "end"> & { message(bytes: Buffer): void },
  options: { most: number; deflated: boolean },
): (chunk: Buffer) => number {
  const { most, deflated } = options
  let parts: Buffer[] = []
  let [size, wrong] = [0, 0]

  function end(isDeflated: boolean): void {
    const bytes = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
    parts = []
    size = 0
    const message = isDeflated && wrong === 0 ? inflate(bytes) : bytes
    if (wrong === 0) sink.message(message)
  }

  function inflate(bytes: Buffer): Buffer {
    try {
      const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: most }
      return inflateRawSync(Buffer.concat([bytes, TAIL]), options)
    } catch (error) {
      wrong = (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE" ? CLOSE.tooBig : CLOSE.protocol
      return Buffer.alloc(0)
    }
  }

  const read = createFrameReader(
    {
      ...sink,
      data: bytes => {
        size += bytes.length
        if (size > most) wrong = CLOSE.tooBig
        // The chunk is the socket's own, and goes back to it.
        else parts.push(Buffer.from(bytes))
      },
      end,
    },
    { maxFrame: most, deflated },
  )
  return chunk => read(chunk) || wrong
}
