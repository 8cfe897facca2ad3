import { ServiceError } from "../../../errors.ts"
import type { RollOutSettings } from "../../../roll-outs/plan.ts"
import { RollOutWish } from "../../api/roll-outs.ts"

/**
 * The settings of a roll-out, of a form.
 * @param text what stands in a field; empty: nothing, or there is none
 * @throws ServiceError `invalid-request`
 */
export function rollOutSettings(text: (name: string) => string): RollOutSettings {
  const number = (name: string) => (text(name) === "" ? undefined : Number(text(name)))
  const wish = RollOutWish.safeParse({
    ...{ wave: number("wave"), stopAt: number("stopAt"), inUse: text("inUse") === "true" },
  })
  if (wish.success) return wish.data
  throw new ServiceError("invalid-request", 409, "A wave has 1 to 100 %, and it stops at 0 to 100 %.")
}
