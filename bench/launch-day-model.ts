import { after, roomAt, type UsedUntil, WEEK_MS, without } from "../service/certificates/budget.ts"
import { type AuthorityFacts, decide, NOTHING_YET, type Standing } from "../service/certificates/decide.ts"
import { inOrder } from "../service/certificates/queue.ts"

const HOUR = 3_600_000
const DAY = 24 * HOUR

/** An authority of a scenario: new names a week (0: no such number), and hours of the day in which it does not answer. */
export interface ModelAuthority {
  name: string
  most: number
  down?: { from: number; to: number }
}

export interface Scenario {
  title: string
  authorities: ModelAuthority[]
}

/** What became of the day's new workspaces; times in ms. */
export interface Outcome {
  title: string
  signUps: number
  /** With a certificate as soon as their desktop was there, at the end of the day, and of the week. */
  atOnce: number
  firstDay: number
  firstWeek: number
  /** How long the one in the middle waited, and the last one. */
  median: number
  longest: number
  byAuthority: Record<string, number>
}

/** So long somebody new stays at their desktop; then it is idle, and others come first. */
const STAYS_MS = 2 * HOUR
const AT_ONCE_MS = 60_000
/** Whoever has none by then is counted as waiting for ever. */
const END_MS = 3 * 365 * DAY

/** When people sign up on a day on which much is said of the service: most of them in its first hours. Pure. */
export function arrivals(count: number): number[] {
  const weights = Array.from({ length: 24 }, (_, hour) => Math.exp(-hour / 5) + 0.15)
  const whole = weights.reduce((sum, weight) => sum + weight, 0)
  let [passed, hour] = [0, 0]
  return Array.from({ length: count }, (_, index) => {
    const share = ((index + 0.5) / count) * whole
    while (share > passed + (weights[hour] as number)) passed += weights[hour++] as number
    return (hour + (share - passed) / (weights[hour] as number)) * HOUR
  })
}

/** Lets a day's sign-ups ask for their certificates, by the decisions that the service itself makes. Pure. */
export function launchDay({ title, authorities }: Scenario, count: number): Outcome {
  const used = new Map<string, UsedUntil>(authorities.map(one => [one.name, 0]))
  const waiting = new Map<string, { since: number; standing: Standing }>()
  const waits: number[] = []
  const byAuthority: Record<string, number> = {}
  const facts = (now: number): AuthorityFacts[] =>
    authorities.map(({ name, most, down }) => ({
      ...{ id: name, directory: name, allowance: { most, periodMs: WEEK_MS }, usedUntil: used.get(name) as number },
      closed: down && now >= down.from * HOUR && now < down.to * HOUR ? "down" : null,
    }))

  /** As the service's `settle`. @returns whether it was told whom to ask */
  function settle(id: string, standing: Standing, since: number, before: number, now: number): boolean {
    const all = facts(now)
    const of = (name: string | null | undefined) => all.find(one => one.id === name)
    const decision = decide({ standing, report: null, authorities: all, before, now })
    const back = of(decision.givesBack)
    if (back) used.set(back.id, without(back.usedUntil, back.allowance))
    const to = of(decision.standing.given?.authority)
    if (!to) {
      waiting.set(id, { since, standing: decision.standing })
      return false
    }
    if (decision.isNew) used.set(to.id, after(to.usedUntil, to.allowance, now))
    waiting.delete(id)
    waits.push(now - since)
    byAuthority[to.id] = (byAuthority[to.id] ?? 0) + 1
    return true
  }

  /** As the service's look at those that wait, at every time at which there is room for one more. */
  function serve(until: number, from: number): void {
    let now = from
    while (waiting.size > 0) {
      now = Math.max(now, Math.min(...facts(now).map(one => roomAt(one.usedUntil, one.allowance, 0, now))))
      if (now > until) return
      const [next] = inOrder(
        [...waiting].map(([workspace, { since }]) => ({ workspace, since, inUse: now - since < STAYS_MS })),
      )
      const found = next && waiting.get(next.workspace)
      if (!next || !found || !settle(next.workspace, found.standing, found.since, 0, now)) return
    }
  }

  let before = 0
  for (const [index, at] of arrivals(count).entries()) {
    serve(at, before)
    settle(`w-${index}`, NOTHING_YET, at, waiting.size, at)
    before = at
  }
  serve(END_MS, before)
  const sorted = [...waits, ...[...waiting].map(() => Number.POSITIVE_INFINITY)].sort((one, other) => one - other)
  const within = (ms: number) => sorted.filter(wait => wait <= ms).length
  return {
    ...{ title, signUps: count, byAuthority },
    ...{ atOnce: within(AT_ONCE_MS), firstDay: within(DAY), firstWeek: within(7 * DAY) },
    ...{ median: sorted[Math.floor(count / 2)] ?? 0, longest: sorted.at(-1) ?? 0 },
  }
}

/**
 * What there is to choose from. Let's Encrypt's 50 a week: https://letsencrypt.org/docs/rate-limits/; Buypass counted 20
 * in the same way (https://community.buypass.com/t/m2r5cj/rate-limits). Of authorities that tell no such number, none is assumed.
 */
export const SCENARIOS: Scenario[] = [
  { title: "Let's Encrypt as it is", authorities: [{ name: "first", most: 50 }] },
  {
    title: "and a second authority that grants 20 a week",
    authorities: [
      { name: "first", most: 50 },
      { name: "second", most: 20 },
    ],
  },
  {
    title: "and a second authority that has no such number",
    authorities: [
      { name: "first", most: 50 },
      { name: "second", most: 0 },
    ],
  },
  { title: "Let's Encrypt, raised to 500 a week", authorities: [{ name: "first", most: 500 }] },
  { title: "Let's Encrypt, raised to 2,000 a week", authorities: [{ name: "first", most: 2_000 }] },
  {
    title: "the same, down from 1 h to 4 h, with a second",
    authorities: [
      { name: "first", most: 2_000, down: { from: 1, to: 4 } },
      { name: "second", most: 0 },
    ],
  },
  {
    title: "the zone is a public suffix: every name is a domain of its own",
    authorities: [{ name: "first", most: 0 }],
  },
]
