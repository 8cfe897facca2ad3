import { z } from "zod"
import { STATES, type State } from "../workspaces/transitions.ts"

/** Prices in the provider's currency, before tax. */
export interface LinePrice {
  currency: string
  hourly: number
  monthly: number
  /** What of `hourly` goes on while a machine is off; left out where all of it does. */
  offHourly?: number | undefined
}

/** One change of a workspace's state, with what the workspace was then. */
export interface LedgerLine {
  /** Milliseconds since 1970. */
  at: number
  workspace: string
  owner: string
  name: string
  profile: string
  provider: string
  region: string
  /** Machine type at the provider. */
  size: string
  /** Live price of that type there when the line was written; null where none was known. */
  price: LinePrice | null
  /** How it is stopped, such as `power-off` or `hibernate`; null where nobody said. */
  stopMode: string | null
  /** Null for a new workspace. */
  from: State | null
  to: State
  epoch: number
}

const Line = z.object({
  time: z.iso.datetime(),
  workspace: z.string(),
  owner: z.string(),
  name: z.string(),
  profile: z.string(),
  provider: z.string(),
  region: z.string(),
  size: z.string(),
  price: z
    .object({ currency: z.string(), hourly: z.number(), monthly: z.number(), offHourly: z.number().optional() })
    .nullable(),
  stopMode: z.string().nullable(),
  from: z.enum(STATES).nullable(),
  to: z.enum(STATES),
  epoch: z.int().nonnegative(),
})

/** A line as it stands in a file, with its end. */
export function lineText({ at, ...rest }: LedgerLine): string {
  return `${JSON.stringify({ time: new Date(at).toISOString(), ...rest } satisfies z.input<typeof Line>)}\n`
}

/** A line out of its text; null where it is none, such as one that was torn when the machine went down. */
export function parseLine(text: string): LedgerLine | null {
  try {
    const { time, ...rest } = Line.parse(JSON.parse(text))
    return { at: Date.parse(time), ...rest }
  } catch {
    return null
  }
}

/**
 * The order in which the changes of one workspace came about: the epoch is the store's own count, clocks of workers may
 * differ. Within an epoch, as between RUNNING and IDLE, time has to do.
 */
export const inOrder = (a: LedgerLine, b: LedgerLine): number => a.epoch - b.epoch || a.at - b.at

/** What two copies of one line have in common. The time is part of it: IDLE may come more than once in one epoch. */
export const identityOf = ({ workspace, epoch, to, at }: LedgerLine): string => `${workspace} ${epoch} ${to} ${at}`
