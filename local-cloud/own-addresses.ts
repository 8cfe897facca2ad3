/** Addresses that an operator has for machines: ranges routed to this host, or taken out of its network's own. */
import { BlockList, isIPv4, isIPv6 } from "node:net"
import { z } from "zod"

const Ipv4Range = z.string().refine(text => {
  const [address = "", prefix = ""] = text.split("/")
  return (
    isIPv4(address) && /^\d{1,2}$/.test(prefix) && Number(prefix) >= 16 && Number(prefix) <= 32 && !isLocal(address)
  )
}, "must be a range such as 203.0.113.16/28, from /16 to /32, and none of 127.0.0.0/8 or 169.254.0.0/16")
const Ipv6Prefix = z.string().refine(text => {
  const [address = "", prefix = ""] = text.split("/")
  return isIPv6(address) && /^\d{1,3}$/.test(prefix) && Number(prefix) >= 32 && Number(prefix) <= 64
}, "must be a prefix such as 2001:db8:5::/56, from /32 to /64")

/** How machines get addresses of their own, instead of loopback addresses and forwarded ports. */
export const OwnAddresses = z.strictObject({
  /** Ranges whose addresses machines get; none of them may be the host's own. */
  ipv4: z.array(Ipv4Range).min(1),
  /** A prefix of which each machine gets a /64; null: machines have no IPv6 that leads anywhere. */
  ipv6: Ipv6Prefix.nullable().default(null),
  /** Interface in whose network the addresses lie, where they are not routed to this host: it answers for them there. */
  answerOn: z
    .string()
    .regex(/^[\w.-]{1,15}$/, "must be the name of a network interface")
    .nullable()
    .default(null),
  /** Name servers that machines are told. */
  dns: z.array(z.string().refine(isIPv4, "must be an IPv4 address")).min(1).max(3),
  /** TCP ports of this host's own addresses that machines may reach: 443 where the service is here too. */
  hostPorts: z.array(z.int().min(1).max(65_535)).default([]),
  mtu: z.int().min(1_280).max(9_000).default(1_500),
  /** What the names of machines' interfaces begin with; another one for each local cloud of a host. */
  interfaces: z
    .string()
    .regex(/^[a-z]{2,4}$/, "must be 2 to 4 small letters")
    .default("fz"),
})
export type OwnAddresses = z.output<typeof OwnAddresses>

/** How many addresses or networks there are. An IPv4 address that ends in 0 or 255 is none of them. */
export function countOf(own: OwnAddresses, type: "ipv4" | "ipv6"): number {
  if (type === "ipv4") return own.ipv4.reduce((sum, range) => sum + sizeOf(range), 0)
  return own.ipv6 === null ? 0 : 2 ** Math.min(16, 64 - Number(own.ipv6.split("/")[1]))
}

/** The address, or IPv6 network, at a place; null where that one is not given out. */
export function addressAt(own: OwnAddresses, type: "ipv4" | "ipv6", place: number): string | null {
  if (type === "ipv6") return own.ipv6 === null ? null : networkAt(own.ipv6, place)
  let left = place
  for (const range of own.ipv4) {
    const size = sizeOf(range)
    if (left < size) {
      const number = (firstOf(range) + left) >>> 0
      const last = number & 255
      return size > 1 && (last === 0 || last === 255) ? null : ipv4Text(number)
    }
    left -= size
  }
  return null
}

/** Whether an address is one of those that machines get. */
export function isOwn(own: OwnAddresses, address: string): boolean {
  const list = new BlockList()
  for (const range of own.ipv4) list.addSubnet(range.split("/")[0] ?? "", Number(range.split("/")[1]), "ipv4")
  return isIPv4(address) && list.check(address, "ipv4")
}

const isLocal = (address: string) => /^(127\.|169\.254\.|0\.|2(2[4-9]|[3-5]\d)\.)/.test(address)
const sizeOf = (range: string) => 2 ** (32 - Number(range.split("/")[1]))

function firstOf(range: string): number {
  const number = (range.split("/")[0] ?? "").split(".").reduce((sum, part) => sum * 256 + Number(part), 0)
  return number - (number % sizeOf(range))
}

const ipv4Text = (number: number) => [24, 16, 8, 0].map(shift => (number >>> shift) & 255).join(".")

function networkAt(prefix: string, place: number): string {
  const [address = "", bits = ""] = prefix.split("/")
  const [head = "", tail] = address.split("::")
  const [before, after] = [head, tail ?? ""].map(part => (part === "" ? [] : part.split(":")))
  const missing = tail === undefined ? 0 : 8 - (before?.length ?? 0) - (after?.length ?? 0)
  const groups = [...(before ?? []), ...Array<string>(missing).fill("0"), ...(after ?? [])].slice(0, 4)
  const whole = groups.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n)
  const step = 64n - BigInt(bits)
  const network = ((whole >> step) << step) + BigInt(place)
  const words = [48n, 32n, 16n, 0n].map(shift => ((network >> shift) & 0xffffn).toString(16))
  // Zeros at the end belong to the `::`.
  while (words.length > 1 && words.at(-1) === "0") words.pop()
  return `${words.join(":")}::/64`
}
