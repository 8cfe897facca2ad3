/** Words for times and prices. The browser runs this file too, so it imports nothing. */

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Milliseconds as "42 s", "1 min 20 s", "3 h 5 min" or "2 days 4 h". */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / SECOND))
  if (seconds < 60) return `${seconds} s`
  if (ms < HOUR) return pair(Math.floor(ms / MINUTE), "min", Math.floor((ms % MINUTE) / SECOND), "s")
  if (ms < DAY) return pair(Math.floor(ms / HOUR), "h", Math.floor((ms % HOUR) / MINUTE), "min")
  const days = Math.floor(ms / DAY)
  return pair(days, days === 1 ? "day" : "days", Math.floor((ms % DAY) / HOUR), "h")
}

const pair = (big: number, bigUnit: string, small: number, smallUnit: string) =>
  small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`

/** Milliseconds to the tenth of a second where they are few: "0.4 s", "42 s", "1 min 20 s". */
export const exactly = (ms: number): string => (ms < 10 * SECOND - 50 ? `${(ms / SECOND).toFixed(1)} s` : duration(ms))

/** Seconds as a person would say them: "40 s", "2 min", "1 h". */
export function roughly(seconds: number): string {
  if (seconds < 10) return `${Math.max(1, Math.round(seconds))} s`
  if (seconds < 90) return `${Math.round(seconds / 5) * 5} s`
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`
  return `${Math.round(seconds / 3_600)} h`
}

/** Bytes as "640 MB" or "2.1 GB". */
export function bytes(count: number): string {
  const mb = count / 1024 ** 2
  return mb < 1024 ? `${Math.max(1, Math.round(mb))} MB` : `${(mb / 1024).toFixed(1)} GB`
}

/** How long ago, or in how long: "just now", "5 min ago", "in 3 days". */
export function relative(at: number, now: number): string {
  const distance = Math.abs(now - at)
  if (distance < 45 * SECOND) return "just now"
  const words = coarse(distance)
  return at <= now ? `${words} ago` : `in ${words}`
}

function coarse(ms: number): string {
  if (ms < 45 * MINUTE) return count(ms / MINUTE, "min", "min")
  if (ms < 22 * HOUR) return count(ms / HOUR, "hour", "hours")
  if (ms < 26 * DAY) return count(ms / DAY, "day", "days")
  if (ms < 320 * DAY) return count(ms / (30.4 * DAY), "month", "months")
  return count(ms / (365 * DAY), "year", "years")
}

function count(amount: number, one: string, many: string): string {
  const whole = Math.max(1, Math.round(amount))
  return `${whole} ${whole === 1 ? one : many}`
}

/** An amount in a currency ("€6.49"); small ones with as many digits as it takes to tell them apart. */
export function money(amount: number, currency: string): string {
  const digits = amount !== 0 && amount < 0.1 ? 4 : 2
  try {
    return new Intl.NumberFormat("en", {
      style: "currency",
      currency,
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    }).format(amount)
  } catch {
    // A provider may name a currency in a way of its own.
    return `${amount.toFixed(digits)} ${currency}`
  }
}
