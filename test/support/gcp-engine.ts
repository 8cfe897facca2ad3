import { lookForDrift } from "../../infra/drift/look.ts"
import { repairWorkspace } from "../../infra/drift/repair.ts"
import type { Engine, Program } from "../../infra/engine.ts"
import type { EnginePool } from "../../infra/engine-pool.ts"
import type { EngineAction } from "../../infra/engine-protocol.ts"
import { googleError } from "../../infra/gcp-errors.ts"
import type { Machines } from "../../infra/machines/contract.ts"
import { liftProtection } from "../../infra/machines/protection.ts"
import { LABELS, type WorkspaceSecrets, type WorkspaceSpec } from "../../infra/workspace-spec.ts"
import { applyGcp } from "./gcp-apply.ts"
import { GCP_PROJECT, type TestGcp } from "./gcp-cloud.ts"

/**
 * Does what the engine does with workspaces at Google: the real program is run against Pulumi's mocks, and what it declares
 * is made at the local Google by its API, in the order and with the checks of `applyWorkspace`. Google's plugin of the
 * engine cannot be had everywhere; with it, and so with the state that it would keep, nothing of this has been tried. Looks at
 * drift are as the engine's, for there Google's own API is asked; a repair is, but for what the plugin does.
 * @param others does what is asked of other providers
 * @param told hears what a machine is told at birth, before it is made
 */
export function createGcpEngine(
  cloud: TestGcp,
  machines: Machines,
  others: EnginePool,
  told: (spec: WorkspaceSpec, secrets: WorkspaceSecrets) => void,
): EnginePool {
  const stacks = new Map<string, WorkspaceSpec>()
  let turn: Promise<unknown> = Promise.resolve()
  /** Pulumi's mocks are of the whole process: one program after the other. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work)
    turn = mine.catch(() => {})
    return mine
  }

  async function apply(spec: WorkspaceSpec, secrets: WorkspaceSecrets): Promise<unknown> {
    const { workspace, region, size, image, dns } = spec
    if (!stacks.has(workspace)) {
      await machines.check({ size, region, image, zone: dns.zone })
      await machines.prepare({ region })
    }
    stacks.set(workspace, spec)
    if (spec.asleep) {
      await remove(workspace)
      await applyGcp(cloud, spec)
      return { outputs: { machineId: null, ipv4: "" }, changes: {} }
    }
    told(spec, secrets)
    try {
      await applyGcp(cloud, spec)
    } catch (error) {
      // As the engine's words are read, of which Google's are part.
      throw googleError(String(error)) ?? error
    }
    const [machine] = await machines.list({ [LABELS.workspace]: workspace })
    return { outputs: { machineId: machine?.id ?? null, ipv4: machine?.ipv4 ?? "" }, changes: {} }
  }

  /** What the engine knows of a stack: what was asked for last, and all that is there. */
  const engine = {
    record: async (workspace: string) => {
      const spec = stacks.get(workspace)
      return spec ? { spec } : null
    },
    stateOf: async (workspace: string) => ({
      ...{ recorded: await machines.resources(workspace), pending: [], writtenAt: 0 },
    }),
    putBackState: async () => "nothing",
    refresh: async () => {},
    async up(workspace: string, program: Program) {
      const spec = stacks.get(workspace) as WorkspaceSpec
      await applyGcp(cloud, spec, { program, mends: true })
      const [machine] = await machines.list({ [LABELS.workspace]: workspace })
      return { outputs: { machineId: machine?.id ?? null, ipv4: machine?.ipv4 ?? "" }, changes: {} }
    },
    async accept(workspace: string, accepted: WorkspaceSpec["accepted"]) {
      stacks.set(workspace, { ...(stacks.get(workspace) as WorkspaceSpec), accepted })
    },
  } as unknown as Engine
  const whole = { engine, machines, machinesIn: () => machines }

  async function repair(spec: WorkspaceSpec, secrets: WorkspaceSecrets): Promise<unknown> {
    stacks.set(spec.workspace, spec)
    return repairWorkspace(whole, spec, secrets)
  }

  async function remove(workspace: string): Promise<void> {
    for (const machine of await machines.list({ [LABELS.workspace]: workspace })) {
      await liftProtection(machines, machine, {})
      await machines.remove(machine.id)
    }
  }

  async function destroy(workspace: string): Promise<unknown> {
    await remove(workspace)
    await machines.removeResources(await machines.resources(workspace))
    stacks.delete(workspace)
    return { outputs: {}, changes: {} }
  }

  function isOurs(action: EngineAction): boolean {
    if ("spec" in action) return action.spec.provider === "gcp"
    if (action.action === "destroy" && action.project === GCP_PROJECT) return true
    return "workspace" in action && stacks.has(action.workspace)
  }

  return {
    ...others,
    async run<T>(config: Parameters<EnginePool["run"]>[0], action: EngineAction, options = {}): Promise<T> {
      if (!isOurs(action)) return others.run<T>(config, action, options)
      if (action.action === "apply") return (await inTurn(() => apply(action.spec, action.secrets))) as T
      if (action.action === "destroy") return (await inTurn(() => destroy(action.workspace))) as T
      if (action.action === "repair") return (await inTurn(() => repair(action.spec, action.secrets))) as T
      if (action.action === "drift") return (await lookForDrift(whole, action.workspace, action)) as T
      if (action.action === "accept") return (await engine.accept(action.workspace, action.accepted)) as T
      throw new Error(`${action.action} cannot be tried at Google without its plugin`)
    },
  }
}
