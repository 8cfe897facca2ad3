import type { WantedAddress } from "../wanted.ts"
import { type Difference, leftTo, repairable } from "./difference.ts"
import { labelsOf } from "./labels.ts"
import type { RealAddress } from "./real.ts"
import { sentence, THE } from "./words.ts"

/** @param machineId of the workspace's machine at the provider; null: it has none */
export function addressDifferences(
  resource: "ipv4" | "ipv6",
  wanted: WantedAddress,
  real: RealAddress,
  machineId: string | null,
): Difference[] {
  const it = `${THE[resource]} (${real.ipAddress})`
  const found: Difference[] = []
  if (real.name !== wanted.name)
    found.push(repairable({ resource, id: "name" }, `${sentence(it)} was renamed by hand to "${real.name}".`))
  if (real.autoDelete !== wanted.autoDelete)
    found.push(
      repairable(
        { resource, id: "auto-delete" },
        `${sentence(it)} was set by hand to be deleted with the machine; it belongs to the workspace.`,
      ),
    )
  if (real.deleteProtection)
    found.push(
      repairable(
        { resource, id: "protection", kind: "added" },
        `${sentence(it)} was protected against deletion by hand: the workspace could not be deleted.`,
      ),
    )
  const holder = real.assigneeId === null ? null : String(real.assigneeId)
  if (machineId !== null && holder !== machineId) {
    const words = holder === null ? "was taken off the machine by hand" : `was given to machine ${holder} by hand`
    // The provider changes addresses of machines that are off only; the program leaves them alone for that reason.
    const todo =
      "Switch the machine off and assign the address to it at the provider, or stop the workspace by hibernation and start it: its machine is made again with its addresses."
    found.push(leftTo("operator", todo, repairable({ resource, id: "machine" }, `${sentence(it)} ${words}.`)))
  }
  return [...found, ...labelsOf(resource, wanted.labels, real.labels)]
}
