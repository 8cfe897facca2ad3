import { type LookupAddress, lookup as resolve } from "node:dns"
import { BlockList, isIP, type LookupFunction } from "node:net"

/** Raised when something is to be sent to where nothing may be sent. */
export class AddressRefused extends Error {
  override name = "AddressRefused"
}

/** Ranges of IPv4 that are not the public internet (RFC 6890 and later). */
const NOT_PUBLIC_V4 = [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"],
  ...["192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"],
  ...["224.0.0.0/4", "240.0.0.0/4"],
]
/** Ranges within 2000::/3 that lead elsewhere: Teredo, documentation, 6to4. */
const NOT_PUBLIC_V6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"]

function blockList(ranges: string[], family: "ipv4" | "ipv6"): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [address, bits] = range.split("/") as [string, string]
    list.addSubnet(address, Number(bits), family)
  }
  return list
}
const blockedV4 = blockList(NOT_PUBLIC_V4, "ipv4")
const blockedV6 = blockList(NOT_PUBLIC_V6, "ipv6")
/** All that is given out to the public. IPv4 in the clothes of IPv6 lies outside. */
const publicV6 = blockList(["2000::/3"], "ipv6")

/** Is this address (no name) one of the public internet? */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return !blockedV4.check(address, "ipv4")
  return family === 6 && publicV6.check(address, "ipv6") && !blockedV6.check(address, "ipv6")
}

/**
 * A `lookup` for connections that gives out public addresses alone: what is checked is what is connected to, so that a
 * name which answers differently the second time gains nothing.
 */
export const lookupPublic: LookupFunction = (host, options, callback) => {
  resolve(host, { ...options, all: true }, (error, found: LookupAddress[]) => {
    if (error) return callback(error, "", 0)
    const refused = found.find(one => !isPublicAddress(one.address))
    const [first] = found
    if (refused || !first) {
      callback(new AddressRefused(`${host} is no address of the public internet`), "", 0)
    } else if (options.all) {
      callback(null, found)
    } else {
      callback(null, first.address, first.family)
    }
  })
}
