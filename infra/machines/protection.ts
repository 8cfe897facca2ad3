import type { CallOptions, Machine, Machines } from "./contract.ts"

/**
 * Lifts a machine's protection where it has one: that is against accidents of others, and what is about to be done to
 * it is none.
 */
export async function liftProtection(
  machines: Pick<Machines, "setDeleteProtection">,
  { id, deleteProtection }: Pick<Machine, "id" | "deleteProtection">,
  options: CallOptions = {},
): Promise<void> {
  if (deleteProtection) await machines.setDeleteProtection(id, false, options)
}
