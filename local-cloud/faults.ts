import { z } from "zod"

/** What goes wrong with a request. */
export const Fault = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("delay"), ms: z.int().min(0).max(600_000) }),
  /** No answer, ever; the request is not carried out. */
  z.strictObject({ kind: z.literal("hang") }),
  /** An error instead of carrying it out. */
  z.strictObject({
    kind: z.literal("status"),
    status: z.int().min(400).max(599),
    code: z.string().default("server_error"),
    message: z.string().default("injected fault"),
    headers: z.record(z.string(), z.string()).default({}),
  }),
  /** The connection breaks before the request is carried out. */
  z.strictObject({ kind: z.literal("drop_before") }),
  /** The connection breaks after it was carried out: the answer is lost. */
  z.strictObject({ kind: z.literal("drop_after") }),
  /** The action that the request begins ends in an error. */
  z.strictObject({ kind: z.literal("fail_action") }),
])
export type Fault = z.output<typeof Fault>

/** When a fault strikes: requests that match, `after` some and then the first `times` of them, each with `probability`. */
export const FaultRule = z.strictObject({
  match: z
    .strictObject({
      method: z.enum(["GET", "POST", "PUT", "DELETE"]).optional(),
      /** Regular expression on the path, `/v1` included. */
      path: z.string().refine(isPattern, "must be a regular expression").default(""),
      project: z.string().optional(),
    })
    .prefault({}),
  after: z.int().min(0).default(0),
  times: z.int().positive().default(Number.MAX_SAFE_INTEGER),
  probability: z.number().min(0).max(1).default(1),
  fault: Fault,
})
export type FaultRule = z.output<typeof FaultRule>
export type FaultRuleInput = z.input<typeof FaultRule>

export interface Faults {
  add(rule: FaultRule): number
  list(): (FaultRule & { id: number; struck: number; seen: number })[]
  clear(): void
  /** The fault that strikes this request, if any; counts it. The first rule that fits decides. */
  strike(request: { method: string; path: string; project: string }): Fault | null
}

/** @param random 0 to 1, for tests that repeat a run */
export function createFaults(random: () => number = Math.random): Faults {
  let rules: { id: number; rule: FaultRule; pattern: RegExp; struck: number; seen: number }[] = []
  let lastId = 0
  return {
    add(rule) {
      rules.push({ id: ++lastId, rule, pattern: new RegExp(rule.match.path), struck: 0, seen: 0 })
      return lastId
    },
    list: () => rules.map(({ id, rule, struck, seen }) => ({ ...rule, id, struck, seen })),
    clear: () => {
      rules = []
    },
    strike({ method, path, project }) {
      for (const one of rules) {
        const { match, after, times, probability, fault } = one.rule
        if (one.struck >= times || !one.pattern.test(path)) continue
        if ((match.method && match.method !== method) || (match.project && match.project !== project)) continue
        if (one.seen++ < after) continue
        if (probability < 1 && random() >= probability) continue
        one.struck++
        return fault
      }
      return null
    },
  }
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text)
    return true
  } catch {
    return false
  }
}
