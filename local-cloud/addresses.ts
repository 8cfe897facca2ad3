import { createHash } from "node:crypto"
import { addressAt, countOf, type OwnAddresses } from "./own-addresses.ts"

/** Addresses there are of each kind: 127.77.0.0/16, and as many IPv6 networks. */
const COUNT = 65_536

/**
 * A public address that nobody has. Where the operator has none for machines, it is one of the pretend provider: an IPv4 address is one of the loopback network's, so that this host can
 * reach the machine and nobody else can; an IPv6 network is of the documentation range and reaches nothing.
 * @param from where to begin: an id that grows, so that an address given back is not given out again at once
 */
export function freeAddress(
  type: "ipv4" | "ipv6",
  from: number,
  isTaken: (ip: string) => boolean,
  own: OwnAddresses | null = null,
): string | null {
  const count = own === null ? 0 : countOf(own, type)
  if (own !== null && (type === "ipv4" || count > 0)) {
    for (let step = 0; step < count; step++) {
      const ip = addressAt(own, type, (from + step) % count)
      if (ip !== null && !isTaken(ip)) return ip
    }
    return null
  }
  for (let step = 0; step < COUNT; step++) {
    const number = (from + step) % COUNT
    const [high, low] = [number >> 8, number & 255]
    // The ends of each /24 stay free, as people expect of addresses.
    if (low === 0 || low === 255) continue
    const ip = type === "ipv4" ? `127.77.${high}.${low}` : `2001:db8:77:${number.toString(16)}::/64`
    if (!isTaken(ip)) return ip
  }
  return null
}

/**
 * Where a local cloud begins to give out addresses: each folder at a place of its own, so that several local clouds
 * on one host (a person's, and one of a test) hardly ever want the same address of the loopback network.
 */
export function firstAddress(directory: string): number {
  return createHash("sha256").update(directory).digest().readUInt16BE(0)
}
