import { type Answer, AUTHORITATIVE_ANSWER, type Packet, type Question } from "dns-packet"
import { answersOf, type RecordSet, type RecordType, recordTypes } from "./dns-records.ts"

/** What is served, asked anew for each query. Names are in lower case; `@` is the zone's own name. */
export interface DnsSource {
  /** The names of all zones, without final dots. */
  zones(): string[]
  /** The record sets of a name in a zone; wildcards are looked up as `*` or `*.name`. */
  lookup(zone: string, name: string, type: RecordType): RecordSet[]
  /** All names in a zone, if known: then a name that only leads to deeper ones counts as existing, as it should. */
  names?(zone: string): string[]
}

const rcodes = { ok: 0, formatError: 1, serverFailure: 2, noSuchName: 3, notImplemented: 4, refused: 5 }
const truncated = 0x200
const longestAliasChain = 8
const startOfAuthority = (zone: string): RecordSet => ({
  ttl: 3600,
  values: [`ns.${zone}. hostmaster.${zone}. 1 86400 10800 3600000 60`],
})

/** Answers a query from the zones of `source`; null for what deserves no answer. Pure but for `source`. */
export function answerQuery(query: Packet, source: DnsSource): Packet | null {
  if (query.type !== "query") return null
  const question = query.questions?.[0]
  const base: Packet = {
    type: "response",
    id: query.id ?? 0,
    questions: query.questions ?? [],
    // Who speaks EDNS in the question gets it in the answer.
    additionals: query.additionals?.some(({ type }) => type === "OPT") ? [edns()] : [],
  }
  const failed = (rcode: number): Packet => ({ ...base, flags: rcode })
  const opcode = ((query.flags ?? 0) >> 11) & 15
  if (opcode !== 0) return failed(rcodes.notImplemented)
  if (question === undefined || query.questions?.length !== 1) return failed(rcodes.formatError)
  const zone = zoneOf(question.name, source)
  if (zone === null || (question.class ?? "IN") !== "IN") return failed(rcodes.refused)
  const { answers, missing } = resolve(question, zone, source)
  const negative = answers.length === 0 || missing !== null
  return {
    ...base,
    flags: AUTHORITATIVE_ANSWER | (missing === "name" ? rcodes.noSuchName : rcodes.ok),
    answers,
    authorities: negative ? authority(zone, source) : [],
  }
}

/** The same answer without its records, which asks the client to come again over TCP. */
export function truncatedAnswer(answer: Packet): Packet {
  return { ...answer, flags: (answer.flags ?? 0) | truncated, answers: [], authorities: [] }
}

/** What is said to a packet that cannot be read. */
export function formatError(id: number): Packet {
  return { type: "response", id, flags: rcodes.formatError, questions: [] }
}

/** What is said when finding the answer failed here. */
export function serverFailure(query: Packet): Packet {
  return { type: "response", id: query.id ?? 0, flags: rcodes.serverFailure, questions: query.questions ?? [] }
}

function resolve(
  question: Question,
  zone: string,
  source: DnsSource,
): { answers: Answer[]; missing: "name" | "data" | null } {
  const answers: Answer[] = []
  let owner = question.name
  for (let hops = 0; hops < longestAliasChain; hops++) {
    const place = zoneOf(owner, source)
    // An alias that leads to a zone of somebody else: the client goes on there.
    if (place === null || place !== zone) return { answers, missing: null }
    const name = nearestName(relativeName(owner, zone), zone, source)
    if (name === null) return { answers, missing: "name" }
    const find = (type: RecordType) => source.lookup(zone, name, type).flatMap(set => answersOf(owner, zone, type, set))
    const wanted = recordTypes.filter(type => question.type === type || (question.type as string) === "ANY")
    const found = wanted.flatMap(find)
    if (found.length === 0 && question.type === "SOA" && name === "@")
      return { answers: authority(zone, source), missing: null }
    answers.push(...found)
    if (found.length > 0) return { answers, missing: null }
    const [alias] = find("CNAME")
    if (alias === undefined) return { answers, missing: "data" }
    answers.push(alias)
    owner = String((alias as { data: unknown }).data)
  }
  return { answers, missing: null }
}

/** The name itself if it exists, else the wildcard that covers it (RFC 4592), else null. */
function nearestName(name: string, zone: string, source: DnsSource): string | null {
  if (exists(name, zone, source)) return name
  for (let rest = name; rest !== "@"; ) {
    const dot = rest.indexOf(".")
    rest = dot === -1 ? "@" : rest.slice(dot + 1)
    const wildcard = rest === "@" ? "*" : `*.${rest}`
    if (exists(wildcard, zone, source)) return wildcard
    // A wildcard further up does not reach below a name that exists.
    if (exists(rest, zone, source)) return null
  }
  return null
}

function exists(name: string, zone: string, source: DnsSource): boolean {
  if (name === "@") return true
  if (recordTypes.some(type => source.lookup(zone, name, type).length > 0)) return true
  return source.names?.(zone).some(other => other.toLowerCase().endsWith(`.${name}`)) ?? false
}

/** The innermost zone that the name lies in. */
function zoneOf(name: string, source: DnsSource): string | null {
  const wanted = name.toLowerCase()
  const zones = source.zones().map(zone => zone.toLowerCase().replace(/\.$/, ""))
  const around = zones.filter(zone => wanted === zone || wanted.endsWith(`.${zone}`))
  return around.sort((one, other) => other.length - one.length)[0] ?? null
}

function relativeName(name: string, zone: string): string {
  return name.length === zone.length ? "@" : name.slice(0, -zone.length - 1).toLowerCase()
}

/** The zone's SOA record, whose last number says how long "there is nothing" may be remembered. */
function authority(zone: string, source: DnsSource): Answer[] {
  const own = source.lookup(zone, "@", "SOA").flatMap(set => answersOf(zone, zone, "SOA", set))
  return own.length > 0 ? own.slice(0, 1) : answersOf(zone, zone, "SOA", startOfAuthority(zone))
}

function edns(): Answer {
  return {
    type: "OPT",
    name: ".",
    udpPayloadSize: 1232,
    flags: 0,
    options: [],
    extendedRcode: 0,
    ednsVersion: 0,
    flag_do: false,
  } as never
}
