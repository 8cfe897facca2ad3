import type { PrimaryIpRecord } from "./state/records.ts"

/**
 * Public addresses of the pretend provider. An IPv4 address is one of the loopback network's, so that this host can
 * reach the machine and nobody else can; an IPv6 network is of the documentation range and reaches nothing.
 */
export function freeAddress(type: "ipv4" | "ipv6", taken: PrimaryIpRecord[]): string | null {
  const used = new Set(taken.map(one => one.ip))
  // 127.77.0.1 to 127.77.255.254; the ends of each /24 stay free, as people expect of addresses.
  for (let number = 1; number < 65_535; number++) {
    const [high, low] = [number >> 8, number & 255]
    if (low === 0 || low === 255) continue
    const ip = type === "ipv4" ? `127.77.${high}.${low}` : `2001:db8:77:${number.toString(16)}::/64`
    if (!used.has(ip)) return ip
  }
  return null
}
