/** What the first bytes of a TLS connection say; `more` asks for further bytes, `invalid` is no TLS or too long. */
export type ClientHello = { kind: "hello"; serverName: string | null } | { kind: "more" } | { kind: "invalid" }

const handshakeRecord = 22
const clientHello = 1
const serverNameExtension = 0
const hostName = 0
// A TLS record holds at most 2^14 bytes. Real ClientHellos have 0.2 to 2 KiB.
const longestHello = 16_384

/** The most bytes that can be needed to tell what a ClientHello says: split into tiny records, headers add up. */
export const longestPeek = 2 * longestHello

/** Reads the server name (SNI) out of the first bytes of a connection. Pure; `bytes` begins with the first one. */
export function parseClientHello(bytes: Buffer): ClientHello {
  const payloads: Buffer[] = []
  let collected = 0
  let wanted: number | null = null
  for (let at = 0; ; ) {
    // Whatever cannot become a handshake record is refused with the first byte that shows it.
    if (at < bytes.length && bytes[at] !== handshakeRecord) return { kind: "invalid" }
    if (at + 1 < bytes.length && bytes[at + 1] !== 3) return { kind: "invalid" }
    if (at + 5 > bytes.length) return tooLongOrMore(bytes)
    const length = bytes.readUInt16BE(at + 3)
    if (length === 0 || length > longestHello) return { kind: "invalid" }
    const payload = bytes.subarray(at + 5, at + 5 + length)
    if (collected === 0 && payload.length > 0 && payload[0] !== clientHello) return { kind: "invalid" }
    payloads.push(payload)
    collected += payload.length
    if (wanted === null && collected >= 4) wanted = 4 + Buffer.concat(payloads).readUIntBE(1, 3)
    if (wanted !== null && wanted > longestHello) return { kind: "invalid" }
    if (wanted !== null && collected >= wanted) return parseMessage(Buffer.concat(payloads).subarray(4, wanted))
    if (payload.length < length) return tooLongOrMore(bytes)
    at += 5 + length
  }
}

function tooLongOrMore(bytes: Buffer): ClientHello {
  return bytes.length >= longestPeek ? { kind: "invalid" } : { kind: "more" }
}

function parseMessage(body: Buffer): ClientHello {
  try {
    const reader = createReader(body)
    reader.skip(2 + 32)
    reader.skip(reader.number(1))
    reader.skip(reader.number(2))
    reader.skip(reader.number(1))
    // Before TLS 1.2, extensions could be missing altogether.
    if (reader.isAtEnd()) return { kind: "hello", serverName: null }
    const extensions = createReader(reader.take(reader.number(2)))
    while (!extensions.isAtEnd()) {
      const type = extensions.number(2)
      const content = extensions.take(extensions.number(2))
      if (type === serverNameExtension) return { kind: "hello", serverName: parseServerName(content) }
    }
    return { kind: "hello", serverName: null }
  } catch (error) {
    if (error instanceof RangeError) return { kind: "invalid" }
    throw error
  }
}

function parseServerName(content: Buffer): string | null {
  const outer = createReader(content)
  const list = createReader(outer.take(outer.number(2)))
  while (!list.isAtEnd()) {
    const type = list.number(1)
    const name = list.take(list.number(2)).toString("latin1")
    if (type !== hostName) continue
    // Only what can be a host name is passed on; a final dot is not part of it.
    if (!/^[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?$/i.test(name) || name.length > 254) throw new RangeError("no host name")
    return name.toLowerCase().replace(/\.$/, "")
  }
  return null
}

function createReader(bytes: Buffer) {
  let at = 0
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new RangeError("the message is cut short")
    at += length
    return bytes.subarray(at - length, at)
  }
  return {
    take,
    skip: (length: number): void => {
      take(length)
    },
    number: (size: 1 | 2): number => take(size).readUIntBE(0, size),
    isAtEnd: () => at === bytes.length,
  }
}
