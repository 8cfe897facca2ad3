import { type Operation, STEP_LABELS, STEPS, type StepName } from "../operations/operation.ts"
import type { Kind } from "../workspaces/transitions.ts"

const TITLES: Record<Kind, { moving: string; done: string; failed: string }> = {
  create: { moving: "Creating NAME", done: "NAME is ready", failed: "NAME could not be created" },
  start: { moving: "Starting NAME", done: "NAME is ready", failed: "NAME could not be started" },
  stop: { moving: "Stopping NAME", done: "NAME is stopped", failed: "NAME could not be stopped" },
  hibernate: { moving: "Stopping NAME", done: "NAME is stopped", failed: "NAME could not be stopped" },
  wake: { moving: "Waking NAME", done: "NAME is ready", failed: "NAME could not be woken" },
  backup: { moving: "Backing NAME up", done: "NAME is backed up", failed: "NAME could not be backed up" },
  repair: { moving: "Repairing NAME", done: "NAME is repaired", failed: "NAME could not be repaired" },
  prove: {
    moving: "Trying out a backup of NAME",
    done: "A backup of NAME is proven",
    failed: "A backup of NAME could not be proven",
  },
  restore: { moving: "Restoring NAME", done: "NAME is restored", failed: "NAME could not be restored" },
  resize: { moving: "Resizing NAME", done: "NAME has its new size", failed: "NAME could not be resized" },
  move: { moving: "Moving NAME", done: "NAME has moved", failed: "NAME could not be moved" },
  upgrade: {
    moving: "Bringing NAME to a newer image",
    done: "NAME has the newest image",
    failed: "NAME could not be brought to a newer image",
  },
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
