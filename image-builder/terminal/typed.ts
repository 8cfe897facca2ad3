/** What a character becomes with Ctrl held: C0 controls, as terminals have them. */
export function withControl(bytes: Uint8Array): Uint8Array {
  const [byte] = bytes
  if (bytes.length !== 1 || byte === undefined) return bytes
  if (byte === 0x20) return Uint8Array.of(0)
  if (byte === 0x3f) return Uint8Array.of(0x7f)
  const isLetter = (byte >= 0x40 && byte <= 0x5f) || (byte >= 0x61 && byte <= 0x7a)
  return isLetter ? Uint8Array.of(byte & 0x1f) : bytes
}

/** With Alt held, as Meta: an escape before it. */
export const withAlt = (bytes: Uint8Array): Uint8Array => Uint8Array.of(0x1b, ...bytes)

/** Keys of the row for phones. In the mode for applications, arrows are told otherwise. */
export function keyBytes(key: string, application: boolean): Uint8Array {
  const arrow = (letter: string) => `\x1b${application ? "O" : "["}${letter}`
  const text: Record<string, string> = {
    esc: "\x1b",
    tab: "\t",
    enter: "\r",
    "ctrl-c": "\x03",
    pageup: "\x1b[5~",
    up: arrow("A"),
    down: arrow("B"),
    right: arrow("C"),
    left: arrow("D"),
  }
  return new TextEncoder().encode(text[key] ?? "")
}
