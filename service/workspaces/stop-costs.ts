import type { SidePrices } from "../../infra/machines/contract.ts"
import type { StopMode } from "./workspace.ts"

const GIB = 1024 ** 3
const DAYS_OF_A_MONTH = 365 / 12

/** What a workspace that is stopped costs, before tax. */
export interface StopCost {
  /** Null where a price is not known. */
  perDay: { amount: number; currency: string } | null
  /** It costs that much or less: how large its snapshot will be nobody knows yet. */
  atMost: boolean
}

/**
 * What each way of stopping costs a day, from live prices: `power-off` the machine, which Hetzner bills in full
 * and of which Google bills the disk, and `hibernate` its snapshot; in either case the address is kept. Pure.
 * @param of.machine price of its machine where it is, and what of it goes on while it is off, if not all
 * @param of.snapshotBytes billed size of its newest snapshot; null without one: then its disk is the most it can be
 */
export function stopCosts(of: {
  machine: { monthly: number; offMonthly?: number; currency: string } | null
  side: SidePrices | null
  region: string
  snapshotBytes: number | null
  diskGb: number | null
}): Record<StopMode, StopCost> {
  const { machine, side, region, snapshotBytes, diskGb } = of
  const address = side?.ipv4Monthly[region] ?? 0
  const daily = (monthly: number, currency: string) => ({ amount: monthly / DAYS_OF_A_MONTH, currency })
  const gb = snapshotBytes === null ? diskGb : snapshotBytes / GIB
  const asleep = side && gb !== null ? daily(gb * side.snapshotGbMonthly + address, side.currency) : null
  return {
    "power-off": {
      perDay: machine && side && daily((machine.offMonthly ?? machine.monthly) + address, machine.currency),
      atMost: false,
    },
    hibernate: { perDay: asleep, atMost: snapshotBytes === null },
  }
}
