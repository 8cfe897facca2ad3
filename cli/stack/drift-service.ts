import { z } from "zod"
import { InfraError } from "../../infra/errors.ts"
import { DriftSchema } from "../../service/routes/api/drift.ts"
import { OperationSchema } from "../../service/routes/api/schemas.ts"
import type { Api } from "../api-client.ts"
import { followOperation } from "../follow-operation.ts"
import type { Outcome } from "../on-many.ts"
import { leftText, repairPlan } from "./drift-text.ts"
import type { Acceptance, ThroughOptions } from "./options.ts"

const Begun = z.object({ operation: OperationSchema })
const Settled = Begun.extend({ drift: DriftSchema })
export type ServiceDrift = z.output<typeof DriftSchema>

const path = (workspace: string) => `/workspaces/${encodeURIComponent(workspace)}`

/** Looks now what a workspace has at the provider; changes nothing. */
export const lookThrough = (api: Api, workspace: string): Promise<ServiceDrift> =>
  api.call("POST", `${path(workspace)}/drift`, DriftSchema)

/** All workspaces that differ by their newest look. */
export const allDrift = async (api: Api): Promise<ServiceDrift[]> =>
  (await api.call("GET", "/drift", z.object({ workspaces: z.array(DriftSchema) }))).workspaces

/** Repairs one, waits for the end, and says what it has left. */
export async function repairThrough(
  api: Api,
  workspace: string,
  { dryRun = false, wait = true, say = () => {} }: ThroughOptions,
): Promise<Outcome> {
  if (dryRun) {
    const found = await lookThrough(api, workspace)
    return { workspace, ok: true, result: repairPlan(found.differences), detail: { would: "repair", ...found } }
  }
  const { operation } = await api.call("POST", `${path(workspace)}/repair`, Begun)
  if (!wait) return { workspace, ok: true, result: "repair begun", detail: { operation } }
  const over = await followOperation(api, operation, say)
  // The operation has looked again itself.
  const { differences } = await api.call("GET", `${path(workspace)}/drift`, DriftSchema)
  const result = `repair ${over.state}${leftText(differences)}`
  return { workspace, ok: true, result, detail: { operation: over, left: differences } }
}

/**
 * Accepts one difference, or takes that back, and waits until its stack knows.
 * @throws InfraError `no-such-difference`, `not-accepted`, `cannot-be-accepted`
 */
export async function acceptThrough(
  api: Api,
  workspace: string,
  { difference, reason, undo }: Acceptance,
  { dryRun = false, wait = true, say = () => {} }: ThroughOptions,
): Promise<Outcome> {
  const place = `${path(workspace)}/drift/accept`
  if (dryRun) {
    const found = await api.call("GET", `${path(workspace)}/drift`, DriftSchema)
    const [known, acceptable] = undo
      ? [found.accepted.find(one => one.id === difference), true]
      : [find(found, difference), find(found, difference)?.acceptable ?? false]
    if (!known) throw noSuch(difference, undo)
    const would = undo ? "accept no longer" : "accept"
    const result = acceptable ? `would ${would}: ${known.words}` : `cannot accept: ${known.words}`
    return { workspace, ok: acceptable, result, detail: { would, difference: known } }
  }
  const { operation, drift } = undo
    ? await api.call("DELETE", `${place}/${encodeURIComponent(difference)}`, Settled)
    : await api.call("POST", place, Settled, { body: { difference, reason } })
  const done = undo ? "accepted no longer" : "accepted"
  if (!wait) return { workspace, ok: true, result: done, detail: { operation, drift } }
  const over = await followOperation(api, operation, say)
  return { workspace, ok: true, result: done, detail: { operation: over, drift } }
}

const find = ({ differences }: ServiceDrift, id: string) => differences.find(one => one.id === id)

/** Of what is not there nothing can be accepted, or taken back. */
export const noSuch = (difference: string, undo: boolean): InfraError =>
  undo
    ? new InfraError("not-accepted", "fail", `No difference "${difference}" is accepted: \`stack drift\` shows them.`)
    : new InfraError(
        "no-such-difference",
        "fail",
        `There is no difference "${difference}": \`stack drift\` shows those there are.`,
      )
