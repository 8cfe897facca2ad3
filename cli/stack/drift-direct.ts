import type { Accepted } from "../../infra/accepted.ts"
import type { Drift } from "../../infra/drift/look.ts"
import type { Repaired } from "../../infra/drift/repair.ts"
import { InfraError } from "../../infra/errors.ts"
import { audited, systemUser } from "../audit-direct.ts"
import type { Outcome } from "../on-many.ts"
import { noSuch } from "./drift-service.ts"
import { leftText, repairPlan } from "./drift-text.ts"
import type { Engine } from "./engine.ts"
import type { Acceptance, DirectOptions } from "./options.ts"

const look = (engine: Engine, workspace: string) => engine.run<Drift>({ action: "drift", workspace, power: null }, true)

/** Repairs one by what its own stack says; whether its machine is on stays as it is. */
export async function repairDirect(
  engine: Engine,
  workspace: string,
  { dryRun = false, quiet = false }: DirectOptions,
): Promise<Outcome> {
  if (dryRun) {
    const found = await look(engine, workspace)
    return { workspace, ok: true, result: repairPlan(found.differences), detail: { would: "repair", ...found } }
  }
  return audited({ action: "stack repair", workspace }, async () => {
    const { changes } = await engine.run<Repaired>({ action: "repair-as-recorded", workspace }, quiet)
    const { differences } = await look(engine, workspace)
    return { workspace, ok: true, result: `repaired${leftText(differences)}`, detail: { changes, left: differences } }
  })
}

/**
 * Notes in the stack alone that a difference shall stay, or no longer. A service knows it from its own records: its next
 * operation writes those into the stack.
 */
export async function acceptDirect(
  engine: Engine,
  workspace: string,
  { difference, reason, undo }: Acceptance,
  { dryRun = false }: DirectOptions,
): Promise<Outcome> {
  const { differences, accepted } = await look(engine, workspace)
  const found = differences.find(one => one.id === difference)
  const known = undo ? accepted.find(one => one.id === difference) : found
  if (!known) throw noSuch(difference, undo)
  if (!undo && found?.accept === null) {
    throw new InfraError("cannot-be-accepted", "fail", `This cannot be accepted: ${found.todo ?? "repair it."}`)
  }
  const would = undo ? "accept no longer" : "accept"
  if (dryRun)
    return { workspace, ok: true, result: `would ${would}: ${known.words}`, detail: { would, difference: known } }
  const others = accepted.filter(one => one.id !== difference)
  const entry = (): Accepted[] =>
    undo || !found?.accept
      ? []
      : [{ id: found.id, change: found.accept, words: found.words, reason, by: systemUser(), at: Date.now() }]
  return audited({ action: `stack ${would}`, workspace, input: { difference, reason } }, async () => {
    // Nobody else may be at work on it; a dead one's lock goes.
    await engine.run({ action: "unlock", workspace, force: false }, true)
    await engine.run({ action: "accept", workspace, accepted: [...others, ...entry()] }, true)
    const result = `${undo ? "accepted no longer" : "accepted"}, in its stack alone: a service that has this workspace must be told too`
    return { workspace, ok: true, result, detail: { difference: known } }
  })
}
