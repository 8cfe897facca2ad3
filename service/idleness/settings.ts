import type { Profile } from "../workspaces/workspace.ts"
import { PROFILES } from "../workspaces/workspace.ts"
import type { Signal } from "./signals.ts"

/** How the use of workspaces is judged. Spans are milliseconds. */
export interface IdlenessSettings {
  /** How long each signal holds a workspace up after it was last seen, by profile; 0: it does not count. */
  windows: Record<Profile, Record<Signal, number>>
  /** From idle to the stop. */
  stopMs: number
  /** Least time between the warning and the stop. */
  warningMs: number
  /** So often all workspaces are judged. */
  checkMs: number
  /** A machine that has said nothing for so long is `unknown`. */
  silentMs: number
  /** Share of one core from which an agent's process is at work. */
  busyCpu: number
  /** Are workspaces stopped by themselves whose owner has said nothing about it? */
  autoStop: boolean
}

/**
 * Weights of the signals: how many idle times one holds. An open viewer counts for nothing, since a tab in the
 * background is nobody's act; only input in it does. `contact` has none: it stands for signs that were lost, so it
 * holds as long as the longest of them.
 */
const WEIGHTS: Record<Exclude<Signal, "contact">, number> = {
  ...{ input: 1, viewer: 0, visit: 1, output: 1, agent: 1, work: 1, files: 1, ssh: 1, webUi: 1, start: 1 },
}

/** `signal=weight` or `profile.signal=weight`. */
export const WEIGHT = new RegExp(
  `^((${PROFILES.join("|")})\\.)?(${Object.keys(WEIGHTS).join("|")})=\\d{1,4}(\\.\\d+)?$`,
)

/** The windows that follow from the idle time and from weights such as `files=0.5` or `desktop.ssh=0`; later ones win. */
export function windowsOf(idleMs: number, given: string[]): IdlenessSettings["windows"] {
  const ofProfile = (profile: Profile) => {
    const weights = { ...WEIGHTS }
    for (const text of given) {
      const [, , only, signal, weight] = /^((\w+)\.)?(\w+)=(.+)$/.exec(text) ?? []
      if (only === undefined || only === profile) weights[signal as keyof typeof WEIGHTS] = Number(weight)
    }
    const windows = Object.entries(weights).map(([signal, weight]) => [signal, Math.round(idleMs * weight)] as const)
    const longest = Math.max(...windows.map(([, span]) => span))
    return { ...Object.fromEntries(windows), contact: longest } as Record<Signal, number>
  }
  return Object.fromEntries(PROFILES.map(profile => [profile, ofProfile(profile)])) as IdlenessSettings["windows"]
}
