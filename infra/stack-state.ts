import { z } from "zod"
import type { Accepted } from "./accepted.ts"
import type { LabelledResource } from "./machines/contract.ts"
import type { PendingOperation } from "./recover.ts"
import { WorkspaceSpec } from "./workspace-spec.ts"

/** What a stack's state says, without what is in it for the engine alone. */
export interface StackState {
  /** Every resource that is real at a provider. */
  recorded: LabelledResource[]
  pending: PendingOperation[]
  /** When it was last written, milliseconds since 1970. */
  writtenAt: number
  /** Variables that its resources' further projects take their tokens from. */
  tokens: string[]
}

const Resource = z.object({
  urn: z.string(),
  type: z.string(),
  id: z.string().optional(),
  outputs: z.unknown().optional(),
  inputs: z.unknown().optional(),
})
/** An explicit provider that takes its credentials from a variable of another name. */
const Mapped = z.object({ __internal: z.object({ envVarMappings: z.record(z.string(), z.string()).optional() }) })
const Deployment = z.object({
  manifest: z.object({ time: z.string() }).nullish(),
  resources: z.array(Resource).nullish(),
  pending_operations: z.array(z.object({ resource: Resource, type: z.string() })).nullish(),
})

/** What a workspace's stack tells of it, without anything else. */
export interface StackRecord {
  workspace: string
  spec: WorkspaceSpec
  /** At the provider; null: it is put away. */
  machineId: string | null
  /** Did no run ever come to its end? Then nobody has ever used what there is. */
  isUnfinished: boolean
}

/** A spec of a newer version may say more, which is nothing to an older one. */
const RecordedSpec = z.object(WorkspaceSpec.shape).extend({ dns: z.object(WorkspaceSpec.shape.dns.shape) })
const Outputs = z.object({ spec: RecordedSpec, machineId: z.string().nullish() })

/** The workspace of a stack; null where nothing was made yet, or by a program that nobody here knows. */
export function recordOf(deployment: unknown): StackRecord | null {
  const { resources } = Deployment.safeParse(deployment).data ?? {}
  const stack = resources?.find(one => one.type === "pulumi:pulumi:Stack")
  const found = Outputs.safeParse(stack?.outputs)
  if (!found.success) return null
  const { spec, machineId = null } = found.data
  return { workspace: spec.workspace, spec, machineId, isUnfinished: false }
}

/** A secret in an export with secrets in clear text: its value as JSON. */
const ShownSecret = z.object({ plaintext: z.string() })
const Keyed = z.object({ workspaceKey: ShownSecret })

/** The machine's key in a deployment whose secrets are in clear text; null where no program ever ended. */
export function workspaceKeyIn(deployment: unknown): string | null {
  const { resources } = Deployment.safeParse(deployment).data ?? {}
  const found = Keyed.safeParse(resources?.find(one => one.type === "pulumi:pulumi:Stack")?.outputs).data
  return found ? String(JSON.parse(found.workspaceKey.plaintext)) : null
}

/** A deployment whose stack tells in its spec what has been accepted; as it was where no program ever ended. */
export function withAccepted(deployment: Record<string, unknown>, accepted: Accepted[]): Record<string, unknown> {
  const resources = (deployment.resources ?? []) as { type: string; outputs?: { spec?: object } }[]
  return {
    ...deployment,
    resources: resources.map(one =>
      one.type === "pulumi:pulumi:Stack" && one.outputs?.spec
        ? { ...one, outputs: { ...one.outputs, spec: { ...one.outputs.spec, accepted } } }
        : one,
    ),
  }
}

/** A stack's file in the engine's `file://` backend. */
const StackFile = z.object({
  version: z.number(),
  checkpoint: z.object({ stack: z.string(), latest: z.unknown().optional() }),
})

/** @param deployment as `stack export` gives it and as it lies in a stack's file */
export function parseDeployment(deployment: unknown): StackState {
  return stateOf(Deployment.parse(deployment))
}

function stateOf({ manifest, resources, pending_operations }: z.output<typeof Deployment>): StackState {
  return {
    recorded: (resources ?? [])
      .filter(one => one.id !== undefined && !one.type.startsWith("pulumi:"))
      .map(({ urn, type, id = "" }) => ({ name: nameOf(urn), type, id })),
    pending: (pending_operations ?? []).map(({ resource, type }) => ({
      ...{ name: nameOf(resource.urn), type: resource.type },
      operation: type,
    })),
    writtenAt: manifest ? Date.parse(manifest.time) : 0,
    tokens: (resources ?? []).flatMap(one =>
      Object.keys(Mapped.safeParse(one.inputs).data?.__internal.envVarMappings ?? {}),
    ),
  }
}

/** What is in a stack's file; null for what cannot be read. */
function openStackFile(text: string): z.output<typeof StackFile> | null {
  try {
    return StackFile.parse(JSON.parse(text))
  } catch {
    return null
  }
}

/** The workspace in a stack's file; null for what cannot be read. */
export function recordInFile(text: string): StackRecord | null {
  return recordOf(openStackFile(text)?.checkpoint.latest)
}

/** The spec in a note of what a workspace shall be; null for what cannot be read. */
export function parseNote(text: string): WorkspaceSpec | null {
  try {
    return WorkspaceSpec.parse(JSON.parse(text))
  } catch {
    return null
  }
}

/**
 * The state in a stack's file; null where it cannot be the whole state of this stack: cut short, empty, of another
 * stack, of a format nobody here knows.
 */
export function parseStackFile(text: string, stack: string): StackState | null {
  const file = openStackFile(text)
  if (file?.version !== 3 || file.checkpoint.stack.split("/").at(-1) !== stack) return null
  const { latest } = file.checkpoint
  // A stack that is made and was never filled.
  if (latest === undefined || latest === null) return EMPTY
  const deployment = Deployment.safeParse(latest)
  return deployment.success ? stateOf(deployment.data) : null
}

const EMPTY: StackState = { recorded: [], pending: [], writtenAt: 0, tokens: [] }

const nameOf = (urn: string) => urn.split("::").at(-1) ?? urn
