import { createSocket, type Socket as UdpSocket } from "node:dgram"
import { once } from "node:events"
import { type AddressInfo, createServer, type Server, type Socket } from "node:net"
import { decode, encode, type Packet } from "dns-packet"
import { answerQuery, type DnsSource, formatError, serverFailure, truncatedAnswer } from "./dns-answer.ts"

/** Settings of the DNS server. */
export interface DnsOptions extends DnsSource {
  /** 0 takes a free one. */
  port: number
  /** Address to listen on; 127.0.0.1 by default. */
  host?: string
}

/** A running DNS server; UDP and TCP have the same port. */
export interface DnsServer {
  port: number
  close(): Promise<void>
}

const headerBytes = 12
const plainUdpBytes = 512
const idleLimit = 10_000

/** Starts an authoritative DNS server for the zones of `options`; others' zones are refused. */
export async function startDns(options: DnsOptions): Promise<DnsServer> {
  const host = options.host ?? "127.0.0.1"
  const sockets = new Set<Socket>()
  const serve = (socket: Socket): void => {
    sockets.add(socket)
    socket.once("close", () => sockets.delete(socket))
    answerStream(socket, options)
  }
  for (let attempts = 1; ; attempts++) {
    const tcp = createServer(serve)
    tcp.listen(options.port, host)
    await once(tcp, "listening")
    const { port } = tcp.address() as AddressInfo
    const udp = createSocket("udp4")
    try {
      udp.bind(port, host)
      await once(udp, "listening")
    } catch (error) {
      udp.close()
      await closed(tcp)
      // A port picked at random can be taken for UDP by someone else.
      if (options.port !== 0 || attempts === 10) throw error
      continue
    }
    answerDatagrams(udp, options)
    return {
      port,
      close: async () => {
        for (const socket of sockets) socket.destroy()
        await Promise.all([closed(tcp), new Promise<void>(resolve => udp.close(() => resolve()))])
      },
    }
  }
}

function closed(server: Server): Promise<void> {
  return new Promise(resolve => server.close(() => resolve()))
}

/** Answers what comes by a socket; none of it may end who listens. */
export function answerDatagrams(udp: UdpSocket, source: DnsSource): void {
  // Errors of single datagrams (nobody listens at the sender any more) concern nobody.
  udp.on("error", () => {})
  udp.on("message", (message, sender) => {
    // Nobody listens at port 0, and Node refuses to send there.
    const answer = sender.port > 0 ? answerTo(message, source, true) : null
    if (answer !== null) udp.send(answer, sender.port, sender.address, () => {})
  })
}

/** Over TCP each message follows its own length in two bytes. */
function answerStream(socket: Socket, source: DnsSource): void {
  let rest: Buffer = Buffer.alloc(0)
  socket.setTimeout(idleLimit, () => socket.destroy())
  socket.on("error", () => socket.destroy())
  socket.on("data", chunk => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      const end = 2 + rest.readUInt16BE(0)
      const answer = answerTo(rest.subarray(2, end), source, false)
      rest = rest.subarray(end)
      if (answer === null) return socket.destroy()
      const length = Buffer.alloc(2)
      length.writeUInt16BE(answer.length)
      socket.write(Buffer.concat([length, answer]))
    }
  })
}

function answerTo(message: Buffer, source: DnsSource, isDatagram: boolean): Buffer | null {
  if (message.length < headerBytes) return null
  let query: Packet
  try {
    query = decode(message)
  } catch {
    return encode(formatError(message.readUInt16BE(0)))
  }
  try {
    const answer = answerQuery(query, source)
    if (answer === null) return null
    const bytes = encode(answer)
    return isDatagram && bytes.length > udpLimit(query) ? encode(truncatedAnswer(answer)) : bytes
  } catch {
    // A record that cannot be written down, or a lookup that fails: this query fails, the server does not.
    return encode(serverFailure(query))
  }
}

function udpLimit(query: Packet): number {
  const edns = query.additionals?.find(({ type }) => type === "OPT") as { udpPayloadSize?: number } | undefined
  return Math.max(plainUdpBytes, Math.min(edns?.udpPayloadSize ?? 0, 1232))
}
