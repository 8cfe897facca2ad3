import type { EndSpan, Recorder } from "./recorder.ts"

/** A machine's owner is root there: what its checks are called is taken only where it looks like one of ours. */
const CHECK = /^[a-z][a-z0-9-]{0,39}$/
const MOST_CHECKS = 20

/** Takes down what a machine that speaks already still waits for: its first report, then each check that fails in it. */
export function timeDesktop({ begin }: Pick<Recorder, "begin">) {
  let first: EndSpan | null = null
  let isHeard = false
  const missing = new Map<string, EndSpan>()
  return {
    connected() {
      first ??= begin("first-report")
    },
    reported(checks: readonly { name: string; ok: boolean }[]): void {
      if (!isHeard) {
        isHeard = true
        first?.()
        const failing = checks.filter(check => !check.ok && CHECK.test(check.name)).slice(0, MOST_CHECKS)
        for (const { name } of failing) if (!missing.has(name)) missing.set(name, begin("check", name))
      }
      for (const { name, ok } of checks) if (ok) missing.get(name)?.()
    },
    /** Nothing is waited for any more: what is not there by now was not to be had. */
    over(): void {
      if (!isHeard) first?.(true)
      for (const end of missing.values()) end(true)
    },
  }
}
