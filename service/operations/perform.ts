import type { RunResult } from "../../infra/engine.ts"
import type { EngineEvent } from "../../infra/engine-events.ts"
import { InfraError } from "../../infra/errors.ts"
import { LABELS, parseWorkspaceSpec, type WorkspaceSpec } from "../../infra/workspace-spec.ts"
import { workspaceKey } from "../machines/workspace-key.ts"
import type { Kind } from "../workspaces/transitions.ts"
import type { OperationRun, Outcome } from "./operation-run.ts"
import { waitUntilReady } from "./wait-until-ready.ts"

/** What is done in an operation of each kind. Every one can be run again after it was cut off anywhere. */
export const PERFORM: Record<Kind, (run: OperationRun) => Promise<Outcome>> = { create, start, stop, destroy }

/** Names of resources as a person would call them. */
const RESOURCE_WORDS: Record<string, string> = {
  firewall: "the firewall",
  ipv4: "the IPv4 address",
  ipv6: "the IPv6 address",
  machine: "the machine",
  "record-A": "its name (IPv4)",
  "record-AAAA": "its name (IPv6)",
}
const CHANGE_WORDS: Record<string, string> = {
  create: "made",
  update: "changed",
  delete: "deleted",
  import: "taken in",
  refresh: "looked at",
}

async function create(run: OperationRun): Promise<Outcome> {
  const { means, workspace, signal } = run
  run.step("check")
  let making = false
  const result = await means.pool.run<RunResult>(
    means.cloud,
    {
      action: "apply",
      spec: specOf(run),
      secrets: { workspaceKey: workspaceKey(means.keys, workspace.id) },
    },
    {
      signal,
      onEvent: event => {
        if (event.type === "resource" && !making) {
          making = true
          run.step("resources")
        }
        sayEvent(run, event)
      },
    },
  )
  await waitUntilReady(run)
  return { machineId: String(result.outputs.machineId), ipv4: String(result.outputs.ipv4) }
}

async function start(run: OperationRun): Promise<Outcome> {
  const machine = await theMachine(run)
  run.step("power")
  await run.means.machines.powerOn(machine, { signal: run.signal })
  await waitUntilReady(run)
  return { machineId: machine }
}

async function stop(run: OperationRun): Promise<Outcome> {
  const machine = await theMachine(run)
  await closeViewers(run, "It was stopped.")
  run.step("power")
  const { forced } = await run.means.machines.shutDown(machine, { signal: run.signal })
  if (forced) run.say("The machine did not shut down by itself in time; its power was cut.")
  return { machineId: machine }
}

async function destroy(run: OperationRun): Promise<Outcome> {
  const { means, workspace, signal } = run
  await closeViewers(run, "It is being deleted.")
  run.step("resources")
  await means.pool.run<RunResult>(
    means.cloud,
    { action: "destroy", workspace: workspace.id },
    { signal, onEvent: event => sayEvent(run, event) },
  )
  await means.secrets.forgetWorkspace(workspace.id)
  return {}
}

/** The input of the workspace's program. */
function specOf({ means: { config }, workspace, epoch }: OperationRun): WorkspaceSpec {
  const { id, owner, profile, provider, region, size, image } = workspace
  return parseWorkspaceSpec({
    version: 1,
    ...{ workspace: id, owner, epoch, profile, provider, region, size, image },
    dns: { name: id, zone: config.zone },
    service: config.machineUrl,
    site: config.url,
  })
}

/** Ends every open desktop of the workspace: tokens first, so that none comes back. */
async function closeViewers(run: OperationRun, reason: string): Promise<void> {
  const { means, workspace } = run
  run.step("viewers")
  await means.tokens.revokeOfWorkspace(workspace.id)
  await means.channel.order(workspace.id, { type: "stopping", data: { reason, at: null } })
}

/** @throws InfraError `machine-missing`; what carries the workspace's label is its machine, whatever was written down */
async function theMachine({ means, workspace, signal }: OperationRun): Promise<string> {
  const machines = await means.machines.list({ [LABELS.workspace]: workspace.id }, { signal })
  const [machine] = machines
  if (machine) return machine.id
  throw new InfraError(
    "machine-missing",
    "investigate",
    "The workspace has no machine at the provider any more; delete the workspace, or ask the operator to restore it.",
  )
}

function sayEvent(run: OperationRun, event: EngineEvent): void {
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
