import { LABELS, MANAGER } from "../workspace-spec.ts"

/** Value of the role label of a machine that tries a backup out. It carries no workspace's label: it is nobody's. */
export const PROVER = "prover"

/** Labels by which such a machine is found when whoever made it is gone. */
export const PROVER_LABELS = {
  role: "foozol-role",
  /** The operation it belongs to; when that is over, the machine is left over. */
  operation: "foozol-operation",
  /** The snapshot it was made from. */
  backup: "foozol-proves",
} as const

export const proverLabels = (of: { operation: string; backup: string }): Record<string, string> => ({
  [LABELS.managedBy]: MANAGER,
  [PROVER_LABELS.role]: PROVER,
  [PROVER_LABELS.operation]: of.operation,
  [PROVER_LABELS.backup]: of.backup,
})
