import { z } from "zod"
import type { LabelledResource } from "./machines/contract.ts"
import type { PendingOperation } from "./recover.ts"

/** What a stack's state says, without what is in it for the engine alone. */
export interface StackState {
  /** Every resource that is real at a provider. */
  recorded: LabelledResource[]
  pending: PendingOperation[]
  /** When it was last written, milliseconds since 1970. */
  writtenAt: number
}

const Resource = z.object({ urn: z.string(), type: z.string(), id: z.string().optional() })
const Deployment = z.object({
  manifest: z.object({ time: z.string() }).nullish(),
  resources: z.array(Resource).nullish(),
  pending_operations: z.array(z.object({ resource: Resource, type: z.string() })).nullish(),
})

/** A stack's file in the engine's `file://` backend. */
const StackFile = z.object({
  version: z.number(),
  checkpoint: z.object({ stack: z.string(), latest: z.unknown() }),
})

/** @param deployment as `stack export` gives it and as it lies in a stack's file */
export function parseDeployment(deployment: unknown): StackState {
  const { manifest, resources, pending_operations } = Deployment.parse(deployment)
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

/**
 * The state in a stack's file; null where it cannot be the whole state of this stack: cut short, empty, of another
 * stack, of a format nobody here knows.
 */
export function parseStackFile(text: string, stack: string): StackState | null {
  try {
    const { version, checkpoint } = StackFile.parse(JSON.parse(text))
    if (version !== 3 || checkpoint.stack.split("/").at(-1) !== stack) return null
    // A stack that is made and was never filled.
    if (checkpoint.latest === undefined || checkpoint.latest === null) return EMPTY
    return parseDeployment(checkpoint.latest)
  } catch {
    return null
  }
}

const EMPTY: StackState = { recorded: [], pending: [], writtenAt: 0 }

const nameOf = (urn: string) => urn.split("::").at(-1) ?? urn
