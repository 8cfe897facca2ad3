const HOUR = 3_600_000
const DAY = 24 * HOUR

/** Somebody with one workspace, and what they do with it. */
export interface Person {
  user: string
  /** When they create it, and when they delete it if they do; ms of simulated time. */
  comesAt: number
  leavesAt: number | null
  stops: "power-off" | "hibernate"
  /** Is the workspace wanted on at this time? */
  wantsOn(at: number): boolean
  /** Part of the steps at which a person makes a backup of their own. */
  backsUp: number
}

/** People of all kinds: office hours around the world, night owls, machines that are always on, and some that rest. */
export function inventPeople(count: number, start: number, days: number, random: () => number): Person[] {
  return Array.from({ length: count }, (_, place) => {
    const begins = Math.floor(random() * 24)
    const lasts = 2 + Math.floor(random() * 10)
    const weekdays = Array.from({ length: 7 }, () => random() < 0.8)
    const kind = random()
    const comesAt = place % 10 === 0 ? start + Math.floor(random() * days * 0.5) * DAY + 5 * HOUR : start
    const leavesAt = random() < 0.08 ? comesAt + (1 + random() * (days - 1)) * DAY : null
    return {
      user: `gh-${place + 1}`,
      ...{ comesAt, leavesAt, stops: random() < 0.5 ? "power-off" : "hibernate", backsUp: random() < 0.2 ? 0.01 : 0 },
      wantsOn(at) {
        // Always on, or used on its first day only.
        if (kind < 0.12) return true
        if (kind < 0.24) return at - comesAt < 8 * HOUR
        const hour = Math.floor(at / HOUR) % 24
        return (weekdays[Math.floor(at / DAY) % 7] ?? true) && (hour - begins + 24) % 24 < lasts
      },
    }
  })
}
