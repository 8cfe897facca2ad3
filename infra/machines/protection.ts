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

/** Removes a machine although it is protected. Succeeds when it is gone already. */
export async function removeProtected(
  machines: Pick<Machines, "get" | "setDeleteProtection" | "remove">,
  id: string,
  options: CallOptions = {},
): Promise<void> {
  const machine = await machines.get(id, options)
  if (!machine) return
  await liftProtection(machines, machine, options)
  await machines.remove(id, options)
}
