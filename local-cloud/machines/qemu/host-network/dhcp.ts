import { isIPv4 } from "node:net"
import { GATEWAY } from "./plan.ts"

const COOKIE = 0x63825363
const HEADER = 240
const LEASE_SECONDS = 86_400
const DISCOVER = 1
const OFFER = 2
const REQUEST = 3
const ACK = 5
const NAK = 6

/** What a machine is told about its network. */
export interface Lease {
  ipv4: string
  dns: string[]
  mtu: number
}

/**
 * The answer to a DHCP message, and who gets it; null where nothing is to be said. Pure.
 * An address with no network around it (/32) and a gateway behind the cable, as at Hetzner.
 * @param find the lease of the machine with this hardware address
 */
export function dhcpAnswer(
  message: Buffer,
  find: (mac: string) => Lease | null,
): { to: string; answer: Buffer } | null {
  if (message.length < HEADER || message[0] !== 1 || message[1] !== 1 || message[2] !== 6) return null
  if (message.readUInt32BE(236) !== COOKIE) return null
  const mac = [...message.subarray(28, 34)].map(byte => byte.toString(16).padStart(2, "0")).join(":")
  const lease = find(mac)
  const options = readOptions(message)
  const kind = options.get(53)?.[0]
  if (lease === null || (kind !== DISCOVER && kind !== REQUEST)) return null
  const server = options.get(54)
  // Somebody else's offer was taken.
  if (kind === REQUEST && server !== undefined && text(server) !== GATEWAY) return null
  const current = message.subarray(12, 16)
  const wanted = options.get(50) ?? (current.some(byte => byte !== 0) ? current : undefined)
  const refused = kind === REQUEST && wanted !== undefined && text(wanted) !== lease.ipv4
  const answer = kind === DISCOVER ? OFFER : refused ? NAK : ACK
  return { to: lease.ipv4, answer: write(message, answer, lease) }
}

function write(message: Buffer, kind: number, { ipv4, dns, mtu }: Lease): Buffer {
  const header = Buffer.alloc(HEADER)
  header.set([2, 1, 6, 0])
  message.copy(header, 4, 4, 8)
  message.copy(header, 10, 10, 12)
  if (kind !== NAK) header.set(bytes(ipv4), 16)
  header.set(bytes(GATEWAY), 20)
  message.copy(header, 28, 28, 44)
  header.writeUInt32BE(COOKIE, 236)
  const number = (value: number, length: 2 | 4) => {
    const buffer = Buffer.alloc(length)
    buffer.writeUIntBE(value, 0, length)
    return [...buffer]
  }
  const option = (code: number, value: number[]) => [code, value.length, ...value]
  const told = [
    ...option(51, number(LEASE_SECONDS, 4)),
    ...option(1, [255, 255, 255, 255]),
    // The gateway lies behind the cable, and everything else behind it. Who knows option 121 ignores option 3.
    ...option(121, [32, ...bytes(GATEWAY), 0, 0, 0, 0, 0, ...bytes(GATEWAY)]),
    ...option(3, bytes(GATEWAY)),
    ...option(6, dns.flatMap(bytes)),
    ...option(26, number(mtu, 2)),
  ]
  const options = [...option(53, [kind]), ...option(54, bytes(GATEWAY)), ...(kind === NAK ? [] : told), 255]
  // Some clients take no message below 300 bytes.
  return Buffer.concat([header, Buffer.from(options), Buffer.alloc(Math.max(0, 300 - HEADER - options.length))])
}

function readOptions(message: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>()
  for (let at = HEADER; at < message.length; ) {
    const code = message[at] as number
    if (code === 255) break
    if (code === 0) {
      at++
      continue
    }
    const length = message[at + 1] ?? 0
    const value = message.subarray(at + 2, at + 2 + length)
    if (value.length < length) break
    found.set(code, value)
    at += 2 + length
  }
  return found
}

const bytes = (address: string): number[] => {
  if (!isIPv4(address)) throw new Error(`${address} is no IPv4 address.`)
  return address.split(".").map(Number)
}
const text = (value: Buffer): string => [...value].join(".")
