import type { EnginePool } from "../../infra/engine-pool.ts"
import type { EngineAction } from "../../infra/engine-protocol.ts"
import type { Machine, Machines } from "../../infra/machines/contract.ts"
import { userData } from "../../infra/user-data.ts"
import { LABELS, machineLabels, resourceNames } from "../../infra/workspace-spec.ts"

/**
 * Makes and removes machines by the provider's API, where the real pool has the engine do it. Two hundred workspaces
 * that come and go all week would be days of engine runs; what the engine does is tested elsewhere, and what matters
 * here is that a machine is there or not.
 */
export function createDirectEngine(machines: Machines): EnginePool {
  async function find(workspace: string): Promise<Machine | null> {
    return (await machines.list({ [LABELS.workspace]: workspace }))[0] ?? null
  }

  async function run(action: EngineAction): Promise<unknown> {
    if (action.action === "destroy") {
      const machine = await find(action.workspace)
      if (machine) await machines.remove(machine.id)
      return {}
    }
    if (action.action !== "apply") throw new Error(`${action.action} has no place in a simulation`)
    const { spec, secrets } = action
    const known = await find(spec.workspace)
    if (spec.asleep) {
      if (known) await machines.remove(known.id)
      return { outputs: { machineId: null, ipv4: "" } }
    }
    // As the engine does with one whose creation failed.
    if (known && known.state !== "running") await machines.remove(known.id)
    const made =
      known?.state === "running"
        ? known
        : await machines.createApart({
            ...{ name: resourceNames(spec).server, labels: machineLabels(spec), size: spec.size, region: spec.region },
            ...{ image: String(spec.image), userData: userData(spec, secrets) },
          })
    return { outputs: { machineId: made.id, ipv4: made.ipv4 ?? "" } }
  }

  return {
    run: async <T>(_config: unknown, action: EngineAction) => (await run(action)) as T,
    warm: async () => {},
    close: async () => {},
    pids: () => [],
  }
}
