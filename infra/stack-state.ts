import { z } from "zod"
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
}

const Resource = z.object({ urn: z.string(), type: z.string(), id: z.string().optional(), outputs: z.unknown() })
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
}

const Outputs = z.object({ spec: WorkspaceSpec, machineId: z.string().nullish() })

/** The workspace of a stack; null where nothing was made yet, or by a program that nobody here knows. */
export function recordOf(deployment: unknown): StackRecord | null {
  const { resources } = Deployment.safeParse(deployment).data ?? {}
  const stack = resources?.find(one => one.type === "pulumi:pulumi:Stack")
  const found = Outputs.safeParse(stack?.outputs)
  if (!found.success) return null
  const { spec, machineId = null } = found.data
  return { workspace: spec.workspace, spec, machineId }
}

/** A stack's file in the engine's `file://` backend. */
const StackFile = z.object({
  version: z.number(),
  checkpoint: z.object({ stack: z.string(), latest: z.unknown() }),
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

const EMPTY: StackState = { recorded: [], pending: [], writtenAt: 0 }

const nameOf = (urn: string) => urn.split("::").at(-1) ?? urn
