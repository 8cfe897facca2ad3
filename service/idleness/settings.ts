import type { Profile } from "../workspaces/workspace.ts"
import { PROFILES } from "../workspaces/workspace.ts"
import { SIGNALS, type Signal } from "./signals.ts"

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
 * background is nobody's act; only input in it does.
 */
export const WEIGHTS: Record<Signal, number> = {
  ...{ input: 1, viewer: 0, visit: 1, output: 1, agent: 1, work: 1, files: 1, ssh: 1, webUi: 1, start: 1, contact: 1 },
}

/** `signal=weight` or `profile.signal=weight`. */
export const WEIGHT = new RegExp(`^((${PROFILES.join("|")})\\.)?(${SIGNALS.join("|")})=\\d{1,4}(\\.\\d+)?$`)

/** The windows that follow from the idle time and from weights such as `files=0.5` or `desktop.ssh=0`; later ones win. */
export function windowsOf(idleMs: number, given: string[]): IdlenessSettings["windows"] {
  const ofProfile = (profile: Profile) => {
    const weights = { ...WEIGHTS }
    for (const text of given) {
      const [, , only, signal, weight] = /^((\w+)\.)?(\w+)=(.+)$/.exec(text) ?? []
      if (only === undefined || only === profile) weights[signal as Signal] = Number(weight)
    }
    const windows = SIGNALS.map(signal => [signal, Math.round(idleMs * weights[signal])])
    return Object.fromEntries(windows) as Record<Signal, number>
  }
  return Object.fromEntries(PROFILES.map(profile => [profile, ofProfile(profile)])) as IdlenessSettings["windows"]
}
