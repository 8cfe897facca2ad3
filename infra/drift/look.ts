import type { Accepted } from "../accepted.ts"
import type { RunOptions } from "../engine.ts"
import { InfraError } from "../errors.ts"
import { projectOf } from "../projects.ts"
import { planRecovery } from "../recover.ts"
import { type Cloud, oneProject } from "../workspace-stack.ts"
import type { Difference } from "./difference.ts"
import { driftOf } from "./drift.ts"
import type { Power } from "./machine.ts"

/** What a look at a stack has found. */
export interface Drift {
  differences: Difference[]
  /** What the stack's own spec says is accepted. */
  accepted: Accepted[]
}

export const unfinished = (workspace: string) =>
  new InfraError(
    "stack-unfinished",
    "fail",
    `No run of the stack "${workspace}" has come to its end, so nobody knows what it shall be: try its operation again, or delete it.`,
  )

/**
 * Compares what a stack's spec says with what its provider has. Changes nothing, takes no lock and waits for nobody; six
 * requests by the engine and five for what carries the workspace's label, each zone of the project beyond one more. At Google its own
 * API is asked, and not the engine.
 * @param wanted.power shall its machine be on? null: not known here
 * @param wanted.accepted what is accepted, where somebody knows it better than the stack
 * @throws InfraError `stack-unfinished` where no run of the stack has ever come to its end, `not-offered` where neither
 *   the provider's machines nor what is known of its plugin tell
 */
export async function lookForDrift(
  cloud: Cloud,
  workspace: string,
  { power, accepted }: { power: Power | null; accepted?: Accepted[] | undefined },
  options: RunOptions = {},
): Promise<Drift> {
  const { engine } = cloud
  const record = await engine.record(workspace)
  if (record === null) throw unfinished(workspace)
  const { machines } = oneProject(cloud, projectOf(record.spec))
  const spec = accepted ? { ...record.spec, accepted } : record.spec
  if (machines.differences) {
    const call = options.signal ? { signal: options.signal } : {}
    return { differences: await machines.differences(spec, power, call), accepted: spec.accepted }
  }
  if (spec.provider !== "hetzner") {
    throw new InfraError(
      "not-offered",
      "fail",
      "What was changed by hand cannot be told at this provider: look at its console.",
    )
  }
  const [seen, known, provider] = await Promise.all([
    engine.look(workspace, options),
    engine.stateOf(workspace),
    machines.resources(workspace, options.signal ? { signal: options.signal } : {}),
  ])
  const facts = { recorded: [], pending: [], writtenAt: 0, ...known, provider }
  const { surplus, adopt } = planRecovery(facts, Date.now())
  const unknown = [...surplus, ...provider.filter(one => adopt[one.name] === one.id)]
  return { differences: driftOf({ spec, seen, unknown, power }), accepted: spec.accepted }
}
