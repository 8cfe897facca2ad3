import { timingSafeEqual } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

/** What goes wrong with one of the next requests that fit. */
export interface StandInFault<Refusal> {
  /** Fits `METHOD /path`. */
  at: RegExp
  /** An answer instead of what was asked for; null: it is done, and the answer is lost. */
  refusal: Refusal | null
  /** It is never answered, and nothing is done. */
  hangs?: true
  times: number
}

/** Longest request body, bytes; Google's limit of metadata alone is 512 KiB. */
const MAX_BODY = 1024 * 1024

/** A server on loopback for the stand-in of a provider; a request whose handling fails is cut off. */
export async function listen(
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
  port: number,
): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy())
  }).listen(port, "127.0.0.1")
  await new Promise((resolve, reject) => server.once("listening", resolve).once("error", reject))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

/** The fault that strikes this request, which has then struck once more. */
export function strike<Refusal>(faults: StandInFault<Refusal>[], request: string): StandInFault<Refusal> | undefined {
  const fault = faults.find(one => one.times > 0 && one.at.test(request))
  if (fault) fault.times--
  return fault
}

/** A request's body; empty where there is none. @throws when it is too long */
export async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > MAX_BODY) throw new Error("The body is too long")
    parts.push(part)
  }
  return Buffer.concat(parts).toString()
}

/** Is a header what it must be? Says nothing by the time it takes. */
export function isSecret(header: string | string[] | undefined, wanted: string): boolean {
  const [given, right] = [Buffer.from(String(header ?? "")), Buffer.from(wanted)]
  return given.length === right.length && timingSafeEqual(given, right)
}
