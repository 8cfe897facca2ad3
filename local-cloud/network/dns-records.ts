import { isIPv4, isIPv6 } from "node:net"
import type { Answer } from "dns-packet"

/** The types of records that are served. */
export const recordTypes = ["A", "AAAA", "CAA", "CNAME", "MX", "NS", "SOA", "TXT"] as const
export type RecordType = (typeof recordTypes)[number]

/** Values of one name and type as a zone file writes them: `10 mail`, `0 issue "ca.example"`, `"text"`. */
export interface RecordSet {
  /** Seconds. */
  ttl: number
  values: string[]
}

/**
 * Turns a record set into answers under the full name `name`. Names in values without a final dot belong to the zone.
 * A value that makes no sense for its type is left out: one bad record must not silence the others.
 */
export function answersOf(name: string, zone: string, type: RecordType, { ttl, values }: RecordSet): Answer[] {
  return values
    .map(value => ({ type, data: dataOf(type, value, zone) }))
    .filter(({ data }) => data !== null)
    .map(({ data }) => ({ name, type, ttl, class: "IN", data }) as Answer)
}

/** The full name, without a final dot, that a value of a record means. */
export function absoluteName(value: string, zone: string): string {
  if (value === "@") return zone
  return value.endsWith(".") ? value.slice(0, -1) : `${value}.${zone}`
}

function dataOf(type: RecordType, value: string, zone: string): unknown {
  const words = value.trim().split(/\s+/)
  const [first = "", second = "", ...others] = words
  switch (type) {
    case "A":
      return isIPv4(first) ? first : null
    case "AAAA":
      return isIPv6(first) ? first : null
    case "CNAME":
    case "NS":
      return absoluteName(first, zone)
    case "MX":
      return /^\d+$/.test(first) && second !== ""
        ? { preference: Number(first), exchange: absoluteName(second, zone) }
        : null
    case "TXT":
      return textParts(value)
    case "CAA":
      if (!/^\d+$/.test(first) || others.length === 0) return null
      return { flags: Number(first), tag: second, value: textParts(others.join(" ")).join("") }
    case "SOA": {
      const numbers = others.map(Number)
      const [serial, refresh, retry, expire, minimum] = numbers
      if (numbers.length !== 5 || numbers.some(Number.isNaN)) return null
      const names = { mname: absoluteName(first, zone), rname: absoluteName(second, zone) }
      return { ...names, serial, refresh, retry, expire, minimum }
    }
  }
}

/** Quoted strings become parts of at most 255 bytes, as TXT records hold them; text without quotes is one string. */
function textParts(value: string): string[] {
  const quoted = Array.from(value.matchAll(/"((?:[^"\\]|\\.)*)"/g), ([, text = ""]) => text.replace(/\\(.)/g, "$1"))
  const texts = quoted.length === 0 ? [value.trim()] : quoted
  return texts.flatMap(text => text.match(/[\s\S]{1,255}/g) ?? [""])
}
