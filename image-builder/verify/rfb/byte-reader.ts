/** Bytes that come in pieces, taken in the lengths that a protocol has. */
export interface ByteReader {
  push(piece: Buffer): void
  /** No more comes: whoever waits hears this. */
  end(error: Error): void
  /** The next bytes, when there are so many. */
  take(length: number): Promise<Buffer>
}

export function createByteReader(): ByteReader {
  let pieces: Buffer[] = []
  let size = 0
  let ended: Error | null = null
  let wake = () => {}

  function cut(length: number): Buffer {
    const all = pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces)
    const rest = all.subarray(length)
    pieces = rest.length > 0 ? [rest] : []
    size = rest.length
    return all.subarray(0, length)
  }

  return {
    push: piece => {
      pieces.push(piece)
      size += piece.length
      wake()
    },
    end: error => {
      ended = error
      wake()
    },
    take: async length => {
      while (size < length) {
        if (ended !== null) throw ended
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
      return cut(length)
    },
  }
}
