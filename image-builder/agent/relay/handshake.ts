import { createHash } from "node:crypto"
import type { IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"

/** Fixed by RFC 6455, section 1.3. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
const REASONS: Record<number, string> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  426: "Upgrade Required",
  502: "Bad Gateway",
  503: "Service Unavailable",
}

export interface Handshake {
  key: string
  protocol: string | null
  /** Does it understand compressed messages (RFC 7692) in the way we write them? */
  deflates: boolean
}

/** What the other side of an upgrade asked for, or the status it must be refused with. */
export function readHandshake(request: IncomingMessage): Handshake | { status: number } {
  const { headers } = request
  if (request.method !== "GET" || headers.upgrade?.toLowerCase() !== "websocket") return { status: 400 }
  if (headers["sec-websocket-version"] !== "13") return { status: 426 }
  const key = headers["sec-websocket-key"]
  if (key === undefined || !/^[A-Za-z0-9+/]{22}==$/.test(key)) return { status: 400 }
  const offered = headers["sec-websocket-protocol"]?.split(",").map(one => one.trim()) ?? []
  if (offered.length > 0 && !offered.includes("binary")) return { status: 400 }
  const deflates = offersDeflate(headers["sec-websocket-extensions"] ?? "")
  return { key, protocol: offered.length > 0 ? "binary" : null, deflates }
}

/** We keep our dictionary, of the full size, and none of the other side: an offer that says otherwise is not taken. */
const offersDeflate = (header: string) =>
  header.split(",").some(offer => {
    const [name, ...parameters] = offer.split(";").map(part => part.trim().replace(/=.*/, ""))
    const known = ["client_max_window_bits", "client_no_context_takeover"]
    return name === "permessage-deflate" && parameters.every(one => known.includes(one))
  })

/** The answer that admits. Pictures of the desktop are compressed already: for them no extension is agreed on. */
export function acceptance({ key, protocol, deflates }: Handshake): string {
  const accept = createHash("sha1").update(`${key}${GUID}`).digest("base64")
  const lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
  lines.push(`Sec-WebSocket-Accept: ${accept}`)
  if (protocol !== null) lines.push(`Sec-WebSocket-Protocol: ${protocol}`)
  if (deflates) lines.push("Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover")
  return `${lines.join("\r\n")}\r\n\r\n`
}

/** Answers an upgrade with a plain HTTP status and lets go of the connection. */
export function refuse(socket: Duplex, status: number): void {
  const version = status === 426 ? "Sec-WebSocket-Version: 13\r\n" : ""
  const head = `HTTP/1.1 ${status} ${REASONS[status] ?? "Refused"}\r\nConnection: close\r\n${version}Content-Length: 0\r\n\r\n`
  socket.end(head, () => socket.destroy())
}
