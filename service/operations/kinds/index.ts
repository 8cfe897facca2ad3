import type { Kind } from "../../workspaces/transitions.ts"
import type { OperationRun, Outcome } from "../operation-run.ts"
import { backup } from "./backup.ts"
import { create } from "./create.ts"
import { destroy } from "./destroy.ts"
import { hibernate, wake } from "./hibernate.ts"
import { start, stop } from "./power.ts"
import { prove } from "./prove.ts"
import { repair } from "./repair.ts"
import { move, restore } from "./replace.ts"
import { resize } from "./resize.ts"
import { upgrade } from "./upgrade.ts"

/** What is done in an operation of each kind. Every one can be run again after it was cut off anywhere. */
export const PERFORM: Record<Kind, (run: OperationRun) => Promise<Outcome>> = {
  ...{ create, start, stop, destroy },
  ...{ hibernate, wake, backup, restore, resize, move, upgrade, prove, repair },
}
