/** Calendar months in UTC, as "2026-11". */
export type Month = string

/** The month a time (ms) lies in. */
export const monthOf = (at: number): Month => new Date(at).toISOString().slice(0, 7)

/** First millisecond of a month. */
export const startOf = (month: Month): number => Date.parse(`${month}-01T00:00:00Z`)

/** The month that lies so many months after another one; before it, when negative. */
export function monthAfter(month: Month, count = 1): Month {
  const [year, number] = month.split("-").map(Number) as [number, number]
  return new Date(Date.UTC(year, number - 1 + count, 1)).toISOString().slice(0, 7)
}

/** The parts of the time from `start` to `end` (ms), one for each month they touch. Their lengths add up to the whole. */
export function* partsByMonth(start: number, end: number): Generator<{ month: Month; ms: number }> {
  for (let at = start; at < end; ) {
    const month = monthOf(at)
    const until = Math.min(end, startOf(monthAfter(month)))
    yield { month, ms: until - at }
    at = until
  }
}
