import type { Engine, RunOptions, RunResult } from "../engine.ts"
import { InfraError } from "../errors.ts"
import type { Machine, Machines } from "../machines/contract.ts"
import { liftProtection } from "../machines/protection.ts"
import { LABELS, MANAGER } from "../workspace-spec.ts"
import { type PlatformOutputs, platformProgram, platformResources } from "./program.ts"
import { type PlatformSecrets, type PlatformSpec, platformLabels, platformStack } from "./spec.ts"

export interface PlatformCloud {
  engine: Engine
  machines: Pick<Machines, "list" | "shutDown" | "setDeleteProtection">
}

/** How long the service may take to end what it is at: operations 25 s, Redis and the rest a little. */
const GRACE_MS = 90_000

/** What `applyPlatform` would change. */
export interface PlatformPlan {
  changes: Record<string, number>
  /** The server makes room for another one; what is on the volume stays. */
  replacesServer: boolean
}

/** Changes nothing. */
export async function previewPlatform(
  { engine }: PlatformCloud,
  spec: PlatformSpec,
  secrets: PlatformSecrets,
  options: RunOptions = {},
): Promise<PlatformPlan> {
  // The engine looks at no stack that is not there, and looking makes none.
  if (!(await engine.exists(platformStack(spec.name))))
    return { changes: { create: platformResources(spec).length }, replacesServer: false }
  let replacesServer = false
  const { changes } = await engine.preview(platformStack(spec.name), platformProgram(spec, secrets), {
    ...options,
    onEvent(event) {
      options.onEvent?.(event)
      if (event.type === "resource" && event.name === "server" && /replace/.test(event.change)) replacesServer = true
    },
  })
  return { changes, replacesServer }
}

/**
 * Brings the platform to what its spec says. A server that is replaced is shut down first, so that the service ends what
 * it is at and Redis has written all it was told before the volume goes to the next one.
 */
export async function applyPlatform(
  cloud: PlatformCloud,
  spec: PlatformSpec,
  secrets: PlatformSecrets,
  options: RunOptions = {},
): Promise<RunResult & { outputs: PlatformOutputs }> {
  const call = options.signal ? { signal: options.signal } : {}
  const { replacesServer } = await previewPlatform(cloud, spec, secrets, call)
  if (replacesServer) {
    for (const server of await serversOf(cloud, spec.name, options)) {
      await cloud.machines.shutDown(server.id, { ...call, graceMs: GRACE_MS })
      await liftProtection(cloud.machines, server, call)
    }
  }
  const stack = platformStack(spec.name)
  // A run that was cut off may have left its lock; one of a holder that lives is refused here.
  if (await cloud.engine.exists(stack)) await cloud.engine.unlock(stack, false)
  const result = await cloud.engine.up(stack, platformProgram(spec, secrets), options)
  return result as RunResult & { outputs: PlatformOutputs }
}

/**
 * Removes everything of the platform, the volume with all that the service has stored among it.
 * @throws InfraError `workspaces-left` while there are machines of workspaces: without a service nobody would look after
 *   them, and they cost money
 */
export async function destroyPlatform(
  cloud: PlatformCloud,
  spec: PlatformSpec,
  secrets: PlatformSecrets,
  options: RunOptions = {},
): Promise<RunResult> {
  const call = options.signal ? { signal: options.signal } : {}
  const left = (await cloud.machines.list({ [LABELS.managedBy]: MANAGER }, call)).filter(
    ({ labels }) => labels[LABELS.workspace] !== undefined,
  )
  if (left.length > 0) {
    const names = left.slice(0, 3).map(({ labels }) => labels[LABELS.workspace])
    throw new InfraError(
      "workspaces-left",
      "fail",
      `There are machines of ${left.length} workspaces (${names.join(", ")}${left.length > 3 ? ", …" : ""}): delete the workspaces first, \`foozol-cloud stack destroy --all\` does.`,
    )
  }
  const stack = platformStack(spec.name)
  if (!(await cloud.engine.exists(stack))) return { changes: {}, outputs: {} }
  await cloud.engine.unlock(stack, false)
  // Protection is against accidents of others. The program itself lifts it, of every kind of resource; but a server of
  // another image than the spec has, which is left when a replacement was cut off, would be deleted before.
  for (const server of await serversOf(cloud, spec.name, options)) await liftProtection(cloud.machines, server, call)
  await cloud.engine.up(stack, platformProgram({ ...spec, deleteProtection: false }, secrets), options)
  return cloud.engine.destroy(stack, options)
}

/** The servers that carry the platform's label. */
export const serversOf = (
  { machines }: Pick<PlatformCloud, "machines">,
  name: string,
  options: RunOptions = {},
): Promise<Machine[]> => machines.list(platformLabels(name), options.signal ? { signal: options.signal } : {})
