import { setTimeout as sleep } from "node:timers/promises"
import type { Repaired } from "../../../infra/drift/repair.ts"
import type { RunResult } from "../../../infra/engine.ts"
import type { EngineEvent } from "../../../infra/engine-events.ts"
import type { RunInPool } from "../../../infra/engine-pool.ts"
import { InfraError } from "../../../infra/errors.ts"
import type { Machine } from "../../../infra/machines/contract.ts"
import { liftProtection } from "../../../infra/machines/protection.ts"
import { projectOf } from "../../../infra/projects.ts"
import { LABELS, parseWorkspaceSpec, type WorkspaceSpec } from "../../../infra/workspace-spec.ts"
import { workspaceKey } from "../../machines/workspace-key.ts"
import { timeEngine } from "../../traces/engine-times.ts"
import { RESOURCE_WORDS } from "../../traces/words.ts"
import type { OperationRun } from "../operation-run.ts"

const CHANGE_WORDS: Record<string, string> = {
  create: "made",
  update: "changed",
  delete: "deleted",
  import: "taken in",
  refresh: "looked at",
}

/** Between two looks at a machine that its provider is busy with. */
const BUSY_MS = 1_000

/** What an operation may change about a workspace's resources. */
export type Change = Partial<Pick<WorkspaceSpec, "region" | "size" | "image" | "asleep">>

/** Where a workspace's machine is after the engine's run. */
export interface Applied {
  machineId: string
  ipv4: string
}

/**
 * Brings a workspace's resources to what its record says, with a change.
 * @param begun called when the first resource is touched
 */
export async function apply(run: OperationRun, change: Change = {}, begun?: () => void): Promise<Applied> {
  return applied(await runEngine<RunResult>(run, "apply", change, begun))
}

/** Makes them what the record says where somebody has changed them by hand; says what it cannot do without a person. */
export async function repairResources(run: OperationRun): Promise<Applied & { isMachineLost: boolean }> {
  const result = await runEngine<Repaired>(run, "repair", { asleep: run.workspace.snapshot !== null })
  return { ...applied(result), isMachineLost: result.isMachineLost }
}

const applied = ({ outputs }: RunResult): Applied => ({
  machineId: String(outputs.machineId ?? ""),
  ipv4: String(outputs.ipv4 ?? ""),
})

async function runEngine<R>(
  run: OperationRun,
  action: "apply" | "repair",
  change: Change,
  begun?: () => void,
): Promise<R> {
  const { means, workspace, epoch, signal } = run
  const { id, owner, profile, provider, project, market, region, size, image, accepted } = workspace
  const spec = parseWorkspaceSpec({
    version: 1,
    ...{ workspace: id, owner, epoch, profile, provider, project, market, region, size, image },
    dns: { name: id, zone: means.config.providers[provider].zone },
    service: means.config.machineUrl,
    site: means.config.url,
    accepted,
    ...change,
  })
  const request = { action, spec, secrets: { workspaceKey: workspaceKey(means.keys, id) } } as const
  const work = (heard: RunInPool) => means.pool.run<R>(means.cloud, request, { signal, ...heard })
  return timed(run, work, event => sayEvent(run, event), begun)
}

/** Runs the engine and takes down how long that takes. @param begun called when the first resource is touched */
async function timed<R>(
  run: OperationRun,
  work: (heard: Required<Pick<RunInPool, "onEvent" | "onTaken">>) => Promise<R>,
  tell: (event: EngineEvent) => void,
  begun = () => {},
): Promise<R> {
  const times = timeEngine(run.times)
  let isDone = false
  try {
    const result = await work({
      onTaken: times.taken,
      onEvent: event => {
        times.heard(event, begun)
        tell(event)
      },
    })
    isDone = true
    return result
  } finally {
    times.over(!isDone)
  }
}

/** Destroys everything that a workspace has in its project, and its stack. Succeeds when it is gone already. */
export async function destroyAll(run: OperationRun, tell: (event: EngineEvent) => void = () => {}): Promise<void> {
  const { means, workspace, signal } = run
  const request = { action: "destroy", workspace: workspace.id, project: projectOf(workspace) } as const
  await timed(run, heard => means.pool.run<RunResult>(means.cloud, request, { signal, ...heard }), tell)
}

/** Deletes the machine and keeps everything else of the workspace. Succeeds when it is gone already. */
export async function putAway(run: OperationRun): Promise<void> {
  const { means, signal } = run
  const machine = await findMachine(run)
  if (machine) await liftProtection(means.machines, machine, { signal })
  await apply(run, { asleep: true })
}

/** What carries the workspace's label is its machine, whatever was written down. */
export async function findMachine({ means, workspace, signal }: OperationRun): Promise<Machine | null> {
  const machines = await means.machines.list({ [LABELS.workspace]: workspace.id }, { signal })
  return machines[0] ?? null
}

/** @throws InfraError `machine-missing` */
export async function theMachine(run: OperationRun): Promise<Machine> {
  const machine = await findMachine(run)
  if (machine) return machine
  throw new InfraError(
    "machine-missing",
    "investigate",
    "The workspace has no machine at the provider any more; restore a backup, delete the workspace, or ask the operator.",
  )
}

/** What whoever is on a machine that stops is told. */
export const whyStopped = ({ operation: { wish } }: OperationRun) =>
  wish?.because === undefined ? "It was stopped." : `It was stopped because ${wish.because}.`

/** Ends every open desktop of the workspace: tokens first, so that none comes back. */
export async function closeViewers(run: OperationRun, reason: string): Promise<void> {
  const { means, workspace } = run
  run.step("viewers")
  await means.tokens.revokeOfWorkspace(workspace.id)
  await means.channel.order(workspace.id, { type: "stopping", data: { reason, at: null } })
}

/** Waits while the provider is busy with the machine, such as with a backup of it: until then it refuses the rest. */
export async function whenFree(run: OperationRun, machine: Machine): Promise<void> {
  const { means, signal } = run
  if (machine.busy) run.say("The provider is still busy with the machine, such as with a backup of it; waiting.")
  for (let one: Machine | null = machine; one?.busy; one = await means.machines.get(machine.id, { signal })) {
    await sleep(BUSY_MS, undefined, { signal })
  }
}

/** Shuts the machine down, so that its disk is whole; nothing happens to one that is off. */
export async function switchOff(run: OperationRun, machine: Machine): Promise<void> {
  await whenFree(run, machine)
  if (machine.state === "off") return
  const { forced } = await run.means.machines.shutDown(machine.id, { signal: run.signal })
  if (forced) run.say("The machine did not shut down by itself in time; its power was cut.")
}

/** Tells the owner what the engine does. */
export function sayEvent(run: OperationRun, event: EngineEvent): void {
  if (event.type === "resource") {
    const what = RESOURCE_WORDS[event.name] ?? event.name
    const word = CHANGE_WORDS[event.change]
    if (event.state === "failed") run.say(`${what} failed`)
    else if (event.state === "done" && word) run.say(`${what}: ${word}`)
  } else if (event.type === "diagnostic" && (event.severity === "warning" || event.severity === "error")) {
    // The engine's own words are for the operator.
    run.log.warn({ severity: event.severity, resource: event.resource }, event.message)
  }
}
