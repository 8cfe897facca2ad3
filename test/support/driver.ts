import type { Machines } from "../../local-cloud/machines/contract.ts"
import { createNoMachines } from "../../local-cloud/machines/none.ts"
import { waitUntil } from "./wait-until.ts"

/** Pretend machines with parts of a test's own. Its kind is that of real ones: no answer waits for their work. */
export function driverWith(overrides: Partial<Machines> | ((inner: Machines) => Partial<Machines>)) {
  return (directory: string): Machines => {
    const inner = createNoMachines(directory)
    return { ...inner, kind: "qemu", ...(typeof overrides === "function" ? overrides(inner) : overrides) }
  }
}

/** A door that calls wait at until it is opened. */
export function createGate() {
  let open = () => {}
  const opened = new Promise<void>(resolve => {
    open = resolve
  })
  let waiting = 0
  return {
    open,
    pass: () => {
      waiting++
      return opened
    },
    /** Resolves when this many calls have come to the door. */
    reached: (count = 1) => waitUntil("calls at the gate", () => waiting >= count),
  }
}
