import { type Operation, STEP_LABELS, STEPS, type StepName } from "../operations/operation.ts"
import type { Kind } from "../workspaces/transitions.ts"

const TITLES: Record<Kind, { moving: string; done: string; failed: string }> = {
  create: { moving: "Creating NAME", done: "NAME is ready", failed: "NAME could not be created" },
  start: { moving: "Starting NAME", done: "NAME is ready", failed: "NAME could not be started" },
  stop: { moving: "Stopping NAME", done: "NAME is stopped", failed: "NAME could not be stopped" },
  destroy: { moving: "Deleting NAME", done: "NAME is deleted", failed: "NAME could not be deleted" },
}

/** What an operation on a workspace of this name is headed. */
export function operationTitle({ kind, state }: Operation, name: string): string {
  const { moving, done, failed } = TITLES[kind]
  if (state === "cancelled") return `${moving.replace("NAME", () => name)} was cancelled`
  const words = state === "succeeded" ? done : state === "failed" ? failed : moving
  return words.replace("NAME", () => name)
}

export const stepLabel = (kind: Kind, step: string) => STEP_LABELS[kind][step as StepName] ?? step

/** "Step 2 of 4: Starting the machine". */
export function stepWords(kind: Kind, at: number): string {
  const steps = STEPS[kind]
  const place = Math.min(at, steps.length - 1)
  return `Step ${place + 1} of ${steps.length}: ${stepLabel(kind, steps[place] ?? "")}`
}
