/** Fixed lengths of what a viewer may send, by message type; those with a tail follow below. */
const FIXED: Record<number, number> = { 0: 20, 3: 10, 4: 8, 5: 6, 8: 4, 9: 4, 10: 4, 11: 6, 150: 10, 250: 4 }
const KEY = 4
const POINTER = 5
const EXTENSION = 255

/**
 * Watches the bytes from viewer to VNC server for key and pointer events (RFC 6143 and the extensions noVNC speaks)
 * without copying any but the few of a message's head. When it meets what it cannot follow, it counts every byte
 * as input: a workspace in use must not be put to sleep because of a dialect.
 * @returns a function that takes the next bytes and says whether a person's input was among them
 */
export function createInputWatch(): (bytes: Uint8Array) => boolean {
  const head = new Uint8Array(16)
  const view = new DataView(head.buffer)
  let phase: "version" | "security" | "init" | "messages" | "lost" = "version"
  let held = 0
  let needed = 12
  let skip = 0
  let input = false

  function greet(): void {
    held = 0
    if (phase === "version") {
      const [major, minor] = String.fromCharCode(...head.subarray(0, 12)).match(/\d{3}/g) ?? []
      if (major === undefined) phase = "lost"
      // Before 3.7 the server alone decides; nothing but the shared flag follows.
      else phase = major === "003" && Number(minor) < 7 ? "init" : "security"
      needed = 1
    } else if (phase === "security") {
      // 1 is none, 2 a password with an answer of 16 bytes; others have handshakes of their own.
      if (head[0] === 1 || head[0] === 2) phase = "init"
      else phase = "lost"
      skip = head[0] === 2 ? 16 : 0
    } else phase = "messages"
  }

  /** The head is as long as asked for: ask for more, or know the whole message. */
  function message(): void {
    const type = head[0] as number
    const length = FIXED[type] ?? tail(type)
    if (length === null) phase = "lost"
    else if (length < 0) needed = -length
    else {
      if (type === KEY || type === POINTER || (type === EXTENSION && head[1] === 0)) input = true
      skip = length - held
      held = 0
      needed = 1
    }
  }

  /** Length of a message with a tail; below zero, how much of it must be seen to tell; null when unknown. */
  function tail(type: number): number | null {
    switch (type) {
      case 2:
        return held < 4 ? -4 : 4 + 4 * view.getUint16(2)
      case 6: // A length below zero announces the extended clipboard.
        return held < 8 ? -8 : 8 + Math.abs(view.getInt32(4))
      case 248:
        return held < 9 ? -9 : 9 + (head[8] as number)
      case 251:
        return held < 8 ? -8 : 8 + 16 * (head[6] as number)
      case EXTENSION:
        if (held < 4) return -4
        if (head[1] === 0) return 12
        return head[1] === 1 ? (view.getUint16(2) === 2 ? 10 : 4) : null
      default:
        return null
    }
  }

  return bytes => {
    input = false
    let at = 0
    while (at < bytes.length && phase !== "lost") {
      if (skip > 0) {
        const size = Math.min(skip, bytes.length - at)
        skip -= size
        at += size
        continue
      }
      head[held++] = bytes[at++] as number
      if (held < needed) continue
      if (phase === "messages") message()
      else greet()
    }
    return input || (phase === "lost" && bytes.length > 0)
  }
}
