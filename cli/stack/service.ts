import { z } from "zod"
import { InfraError } from "../../infra/errors.ts"
import type { Recovery } from "../../infra/recover-stack.ts"
import { recoveryLines } from "../../infra/recovery-text.ts"
import type { Holder } from "../../infra/stack-locks.ts"
import { ACTIONS } from "../../service/operators/plan.ts"
import { Acted, FleetPage } from "../../service/routes/api/operator/fleet.ts"
import { OperationSchema } from "../../service/routes/api/schemas.ts"
import type { Api } from "../api-client.ts"
import { followOperation } from "../follow-operation.ts"
import type { Outcome } from "../on-many.ts"
import { repairThrough } from "./drift-service.ts"
import { changesText, foreseen, wouldUnlock } from "./engine.ts"
import type { ThroughOptions } from "./options.ts"

/** Workspaces in one answer. */
const PER_PAGE = 200

export type FleetMember = z.output<typeof FleetPage>["workspaces"][number]

/** What can be done to anybody's workspace through the service. */
export const SERVICE_VERBS = [...ACTIONS, "repair", "refresh", "recover", "unlock"] as const
export type ServiceVerb = (typeof SERVICE_VERBS)[number]

export const isServiceVerb = (verb: string): verb is ServiceVerb => SERVICE_VERBS.some(one => one === verb)

/** Everybody's workspaces that are selected, page by page. */
export async function findFleet(api: Api, query: { state?: string; search?: string }): Promise<FleetMember[]> {
  const found: FleetMember[] = []
  for (let page = 1; ; page++) {
    const asked = new URLSearchParams({ ...query, page: String(page), perPage: String(PER_PAGE) })
    const { workspaces, total } = await api.call("GET", `/operator/workspaces?${asked}`, FleetPage)
    found.push(...workspaces)
    if (workspaces.length === 0 || found.length >= total) break
  }
  // While they were read, one may have slipped from one page to the next.
  return [...new Map(found.map(one => [one.id, one])).values()]
}

/** Does it to one workspace, and waits for its end. */
export async function throughService(
  api: Api,
  verb: ServiceVerb,
  workspace: string,
  options: ThroughOptions,
): Promise<Outcome> {
  const { dryRun = false, wait = true, say = () => {} } = options
  if (verb === "repair") return repairThrough(api, workspace, options)
  if (isStackVerb(verb)) return onStackThrough(api, verb, workspace, options)
  const path = placeOf(workspace)
  const isEnd = verb === "destroy"
  const [method, place] = [isEnd ? "DELETE" : "POST", isEnd ? path : `${path}/${verb}`]
  const acted = await api.call(method, `${place}${dryRun ? "?dryRun=true" : ""}`, Acted)
  if (acted.operation === null) {
    const ok = acted.kind !== null
    return { workspace, ok, result: ok ? `would ${acted.kind}` : (acted.why ?? ""), detail: acted }
  }
  if (!wait) return { workspace, ok: true, result: `${acted.kind} begun`, detail: acted }
  const begun = await api.call("GET", `/operations/${acted.operation}`, OperationSchema)
  const operation = await followOperation(api, begun, say)
  return { workspace, ok: true, result: `${operation.kind} ${operation.state}`, detail: { ...acted, operation } }
}

/** What the service has its engine do to a stack at once, without an operation. */
const STACK_VERBS = ["refresh", "recover", "unlock"] as const
type StackVerb = (typeof STACK_VERBS)[number]
const isStackVerb = (verb: ServiceVerb): verb is StackVerb => STACK_VERBS.some(one => one === verb)

async function onStackThrough(
  api: Api,
  verb: StackVerb,
  workspace: string,
  { force = false, dryRun = false }: ThroughOptions,
): Promise<Outcome> {
  const place = `${placeOf(workspace)}/stack/${verb}`
  const ask = (query: string) => api.call("POST", `${place}${query}`, z.record(z.string(), z.unknown()))
  if (dryRun && verb === "recover") return foreseen(workspace, (await ask("?dryRun=true")) as unknown as Recovery)
  if (dryRun && verb === "unlock") {
    const { holders } = (await ask("?dryRun=true")) as { holders: Holder[] | null }
    return { workspace, ok: true, result: wouldUnlock(holders, force), detail: { would: verb, holders } }
  }
  if (dryRun) return { workspace, ok: true, result: `would ${verb}`, detail: { would: verb } }
  const answer = await ask(force ? "?force=true" : "")
  return { workspace, ok: true, result: resultOf(verb, answer), detail: answer }
}

function resultOf(verb: StackVerb, answer: Record<string, unknown>): string {
  if (verb === "recover") return recoveryLines(answer as unknown as Recovery).join("\n")
  return verb === "refresh" ? changesText((answer as { changes?: Record<string, number> }).changes ?? {}) : "done"
}

const placeOf = (workspace: string) => `/operator/workspaces/${encodeURIComponent(workspace)}`

/** @throws InfraError `needs-direct` for what the service does not do by hand */
export function requireDirect(verb: string): never {
  throw new InfraError("needs-direct", "fail", `The service does not ${verb} by hand: add --direct to do it from here.`)
}
