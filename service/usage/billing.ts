import type { State } from "../workspaces/transitions.ts"

/** What the time of a workspace is counted as. */
export const USAGE_KINDS = ["active", "idle", "stopped", "hibernated", "changing", "failed"] as const
export type UsageKind = (typeof USAGE_KINDS)[number]

interface Billing {
  /** Is a machine never billed more than its price per month? */
  monthlyCap: boolean
  /** Part of the price that is billed while a workspace is stopped, by how it was stopped. */
  whileStopped: Record<string, number>
}

/**
 * How providers bill machines. Hetzner (docs.hetzner.com/cloud/billing): a server costs from its creation to its
 * deletion, on or off, and in a month never more than its monthly price. A hibernated workspace has no server; the
 * storage of its snapshot is not in the estimate. Google: processor and memory cost while a machine is on, its disk as
 * long as it is there; what of a price is the disk's, the price says (`offHourly`).
 */
const BILLING: Record<string, Billing> = {
  hetzner: { monthlyCap: true, whileStopped: { "power-off": 1, hibernate: 0 } },
  gcp: { monthlyCap: false, whileStopped: { hibernate: 0 } },
}
/** A provider or a way of stopping that the table does not know is taken to cost its full price. */
const FULL: Billing = { monthlyCap: false, whileStopped: {} }

export const capsMonths = (provider: string): boolean => (BILLING[provider] ?? FULL).monthlyCap

/** The part of a price that goes on while a machine is off: as it says itself, else as its provider bills. */
export const shareOf = (
  { kind, share }: { kind: UsageKind; share: number },
  price: { hourly: number; offHourly?: number | undefined } | null,
): number =>
  kind === "stopped" && price?.offHourly !== undefined && price.hourly > 0 ? price.offHourly / price.hourly : share

/** What time in a state counts as, and the part of the price it costs; null when the workspace is no more. */
export function countedAs(
  state: State,
  provider: string,
  stopMode: string | null,
): { kind: UsageKind; share: number } | null {
  switch (state) {
    case "RUNNING":
      return { kind: "active", share: 1 }
    case "IDLE":
      return { kind: "idle", share: 1 }
    case "STOPPED": {
      const share = (BILLING[provider] ?? FULL).whileStopped[stopMode ?? "power-off"] ?? 1
      return { kind: stopMode === "hibernate" ? "hibernated" : "stopped", share }
    }
    // What failed may have its machine or not; an estimate that is too low would be the worse one.
    case "FAILED":
      return { kind: "failed", share: 1 }
    case "TERMINATED":
      return null
    default:
      return { kind: "changing", share: 1 }
  }
}
