import { pause } from "./backoff.ts"
import type { Check } from "./checks.ts"
import type { Log } from "./log.ts"

export interface Readiness {
  /** Resolves when all checks passed for the first time, or the agent ends. */
  first: Promise<void>
  state(): { ready: boolean; checks: Check[] }
  /** Looks now, or joins a look under way. */
  look(): Promise<void>
}

/** Looks often until the desktop is ready for the first time; later looks are asked for. */
export function watchReadiness(options: {
  checks(): Promise<Check[]>
  everyMs: number
  signal: AbortSignal
  log: Log
}): Readiness {
  let checks: Check[] = []
  let looking: Promise<void> | null = null
  let was: string | null = null
  const ready = () => checks.length > 0 && checks.every(check => check.ok)

  async function once(): Promise<void> {
    checks = await options.checks()
    const failing = checks.filter(check => !check.ok).map(check => `${check.name} (${check.detail})`)
    const text = failing.join(", ")
    // Before the first time everything fails for a while, which is no news.
    if (was !== null && text !== was) options.log[text ? "warn" : "info"](text ? `not ready: ${text}` : "ready again")
    if (was !== null) was = text
  }

  const look = () => {
    looking ??= once().finally(() => {
      looking = null
    })
    return looking
  }

  async function untilReady(): Promise<void> {
    // A desktop that does not come up is looked at less and less often: looking starts processes.
    for (let wait = options.everyMs; ; wait = Math.min(5_000, wait * 1.02)) {
      await look()
      if (ready() || options.signal.aborted) break
      await pause(wait, options.signal)
    }
    was = ""
    if (ready()) options.log.info("ready")
  }

  return { first: untilReady(), state: () => ({ ready: ready(), checks }), look }
}
