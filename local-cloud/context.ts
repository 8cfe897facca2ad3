import type { Logger } from "pino"
import type { Actions } from "./actions.ts"
import type { Places } from "./after-reboot.ts"
import type { LocalCloudConfig } from "./config.ts"
import type { Limits } from "./limits.ts"
import type { Machines } from "./machines/contract.ts"
import type { Metrics } from "./metrics.ts"
import type { Ledger } from "./state/ledger.ts"
import type { Store } from "./state/store.ts"

/** What every route works with. */
export interface Context {
  config: LocalCloudConfig
  store: Store
  ledger: Ledger
  machines: Machines
  actions: Actions
  /** `type@location` of machine types that are sold out, set through the admin port. */
  soldOut: Set<string>
  /** Those of the settings, changed through the admin port. */
  limits: Limits
  /** Servers whose start is under way: they have their cores already. */
  starting: Set<number>
  /** Where machines are started again after a reboot of the host. */
  restarts: Places
  /** The host shuts down: machines that go off now are started again in its next boot. */
  hostStops: boolean
  metrics: Metrics
  log: Logger
  /** The time as an ISO 8601 text. */
  now(): string
}
