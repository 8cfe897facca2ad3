import type { State } from "../workspaces/transitions.ts"

/** Who asks for the upgrades of a roll-out. */
export const ROLL_OUT = "roll-out"

/** How a roll-out is done. */
export interface RollOutSettings {
  /** Part of what is outdated at its beginning that a wave has, in percent. */
  wave: number
  /** It stops by itself when more than this part of a wave has failed, in percent. */
  stopAt: number
  /** Are workspaces upgraded too that somebody is using? Otherwise they are waited for. */
  inUse: boolean
}

/** One wave: the operation of each workspace, or null where none could be begun. */
export interface Wave {
  begunAt: number
  operations: Record<string, string | null>
}

/** An outdated workspace. */
export interface Outdated {
  id: string
  state: State
  asleep: boolean
}

/** How the operations of the newest wave stand. */
export interface WaveEnd {
  running: number
  failed: number
}

export type NextStep =
  | { do: "wait" }
  | { do: "wave"; workspaces: string[] }
  | { do: "stop"; why: string }
  /** @param left outdated ones that it has not tried: asleep, or failed before */
  | { do: "done"; left: number }

/**
 * What comes next in a roll-out. What sleeps is not woken for it, and what has failed is not touched; what is off or
 * idle comes first. Pure.
 * @param waves so far, the newest last
 * @param total how many were outdated at its beginning
 */
export function nextStep(
  settings: RollOutSettings,
  waves: Wave[],
  end: WaveEnd,
  outdated: Outdated[],
  total: number,
): NextStep {
  const size = Object.keys(waves.at(-1)?.operations ?? {}).length
  if (size > 0 && end.failed / size > settings.stopAt / 100) {
    return { do: "stop", why: `${end.failed} of ${size} workspaces of wave ${waves.length} failed.` }
  }
  if (end.running > 0) return { do: "wait" }
  const tried = new Set(waves.flatMap(wave => Object.keys(wave.operations)))
  const open = outdated.filter(one => !tried.has(one.id) && isOpen(one))
  if (open.length === 0) return { do: "done", left: outdated.filter(one => !tried.has(one.id)).length }
  const rank = (state: State) => ORDER.indexOf(state)
  const ready = open
    .filter(one => isReady(settings, one))
    .sort((a, b) => rank(a.state) - rank(b.state) || (a.id < b.id ? -1 : 1))
  if (ready.length === 0) return { do: "wait" }
  const most = Math.max(1, Math.ceil((total * settings.wave) / 100))
  return { do: "wave", workspaces: ready.slice(0, most).map(({ id }) => id) }
}

/** What a roll-out would do that began now. */
export interface RollOutPlan {
  /** How many are outdated. */
  total: number
  /** The workspaces of its first wave; none: all that it may take are waited for. */
  first: string[]
  /** Those that are waited for: somebody uses them, or something goes on with them. */
  waiting: number
  /** Those that it leaves alone: asleep, or failed. */
  left: number
}

/** Pure. */
export function planRollOut(settings: RollOutSettings, outdated: Outdated[]): RollOutPlan {
  const total = outdated.length
  const next = nextStep(settings, [], { running: 0, failed: 0 }, outdated, total)
  const open = outdated.filter(isOpen)
  return {
    total,
    first: next.do === "wave" ? next.workspaces : [],
    waiting: open.filter(one => !isReady(settings, one)).length,
    left: total - open.length,
  }
}

/** What sleeps is not woken, and what has failed is not touched. */
const isOpen = ({ asleep, state }: Outdated) => !asleep && state !== "FAILED"

const isReady = ({ inUse }: RollOutSettings, { state }: Outdated) =>
  ORDER.includes(state) && (inUse || state !== "RUNNING")

/** States in which an upgrade can begin, in the order in which it disturbs least. */
const ORDER: State[] = ["STOPPED", "IDLE", "RUNNING"]
