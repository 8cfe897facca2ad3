import { openMachines } from "../../infra/cloud-config.ts"
import type { RunResult, StackSummary } from "../../infra/engine.ts"
import type { EngineEvent } from "../../infra/engine-events.ts"
import { createEnginePool } from "../../infra/engine-pool.ts"
import type { EngineAction } from "../../infra/engine-protocol.ts"
import { InfraError } from "../../infra/errors.ts"
import type { Recovery } from "../../infra/recover-stack.ts"
import { recoveryLines } from "../../infra/recovery-text.ts"
import type { Holder } from "../../infra/stack-locks.ts"
import { audited } from "../audit-direct.ts"
import type { Outcome } from "../on-many.ts"
import { cloudConfig, compileCache } from "../settings.ts"
import { repairDirect } from "./drift-direct.ts"
import type { DirectOptions } from "./options.ts"

/** The engine on this machine, for work on stacks without the service. */
export interface Engine {
  run<T>(action: EngineAction, quiet?: boolean): Promise<T>
  close(): Promise<void>
}

/** @param size runs at once. @throws InfraError as `cloudConfig` does */
export function openEngine(size = 1): Engine {
  const config = cloudConfig()
  const pool = createEnginePool({ size, compileCache: compileCache() })
  const aborted = new AbortController()
  process.once("SIGINT", () => {
    console.error("stopping after the resource it is at …")
    aborted.abort()
  })
  return {
    run: (action, quiet) =>
      pool.run(config, action, { signal: aborted.signal, ...(quiet ? {} : { onEvent: showEvent }) }),
    close: () => pool.close(),
  }
}

/** One run, with an engine of its own. */
export async function runOnce<T>(action: EngineAction, quiet?: boolean): Promise<T> {
  const engine = openEngine()
  try {
    return await engine.run<T>(action, quiet)
  } finally {
    await engine.close()
  }
}

export const listStacks = (): Promise<StackSummary[]> => runOnce<StackSummary[]>({ action: "list" }, true)

/** What can be done to a stack here. */
export const DIRECT_VERBS = ["refresh", "repair", "recover", "unlock", "destroy"] as const
export type DirectVerb = (typeof DIRECT_VERBS)[number]

export const isDirectVerb = (verb: string): verb is DirectVerb => DIRECT_VERBS.some(one => one === verb)

/** Does it to one stack, and writes that into the audit log. */
export async function onStack(
  engine: Engine,
  verb: DirectVerb,
  workspace: string,
  { force = false, dryRun = false, quiet = false }: DirectOptions,
): Promise<Outcome> {
  if (verb === "repair") return repairDirect(engine, workspace, { dryRun, quiet })
  if (dryRun) return wouldDo(engine, verb, workspace, force)
  const action: EngineAction = verb === "unlock" ? { action: verb, workspace, force } : { action: verb, workspace }
  const about = { action: `stack ${verb}`, workspace, input: force ? { force } : {} }
  return audited(about, async () => {
    if (verb === "recover") {
      const recovery = await engine.run<Recovery>(action, quiet)
      return { workspace, ok: true, result: recoveryLines(recovery).join("\n"), detail: recovery }
    }
    const done = resultOf(await engine.run<RunResult | null>(action, quiet))
    return { workspace, ok: true, result: done.text, detail: done.detail }
  })
}

async function wouldDo(
  engine: Engine,
  verb: Exclude<DirectVerb, "repair">,
  workspace: string,
  force: boolean,
): Promise<Outcome> {
  if (verb === "recover") {
    const recovery = await engine.run<Recovery>({ action: verb, workspace, dryRun: true }, true)
    return foreseen(workspace, recovery)
  }
  if (verb === "unlock") {
    const holders = await engine.run<Holder[] | null>({ action: "holders", workspace }, true)
    return { workspace, ok: true, result: wouldUnlock(holders, force), detail: { would: verb, holders } }
  }
  if (verb !== "destroy") return { workspace, ok: true, result: `would ${verb}`, detail: { would: verb } }
  const found = await openMachines(cloudConfig()).resources(workspace)
  const names = found.map(({ name, id }) => `${name} ${id}`)
  const result = names.length === 0 ? "would destroy its stack" : `would destroy ${names.join(", ")}`
  return { workspace, ok: true, result, detail: { would: verb, resources: found } }
}

/** What a recovery would mend. */
export const foreseen = (workspace: string, recovery: Recovery): Outcome => ({
  ...{ workspace, ok: true, result: recoveryLines(recovery, true).join("\n") },
  detail: { would: "recover", ...recovery },
})

/** What `unlock` would do to the locks of those who hold a stack; null where its backend does not tell. */
export function wouldUnlock(holders: Pick<Holder, "pid" | "hostname" | "isDead">[] | null, force: boolean): string {
  if (holders === null) return force ? "would break whatever lock there is" : "its backend does not tell who holds it"
  const text = holders.map(
    ({ pid, hostname, isDead }) =>
      `would ${isDead || force ? "remove" : "leave"} the lock of process ${pid} on ${hostname}, ${isDead ? "which is proven dead" : "which is not proven dead"}`,
  )
  return text.join("\n") || "nobody holds it: would do nothing"
}

/** Resources by what was done to them. */
export const changesText = (changes: Record<string, number>): string =>
  Object.entries(changes)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(", ") || "done"

/** What a run has done, in words and for programs. The workspace key is a secret even to the operator's terminal. */
export function resultOf(result: RunResult | null): { text: string; detail: object } {
  const changes = result?.changes ?? {}
  const { workspaceKey: _, ...outputs } = result?.outputs ?? {}
  const where = outputs.ipv4 ? `\n${outputs.hostname}  ${outputs.ipv4}` : ""
  return { text: `${changesText(changes)}${where}`, detail: { changes, outputs } }
}

/** Tells on standard error what a run does. */
export function showEvent(event: EngineEvent): void {
  if (event.type === "resource" && event.change !== "same" && event.state !== "begun") {
    console.error(`${event.state === "failed" ? "FAILED " : ""}${event.change}  ${event.name}`)
  }
  if (event.type === "diagnostic" && event.severity === "warning") console.error(`warning  ${event.message}`)
}

/** @throws InfraError `needs-service` for what only a service knows */
export function requireService(what: string): never {
  throw new InfraError(
    "needs-service",
    "fail",
    `${what} needs the service: set FOOZOL_API_URL and FOOZOL_API_TOKEN, without --direct.`,
  )
}
