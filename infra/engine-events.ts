import type { EngineEvent as PulumiEvent } from "@pulumi/pulumi/automation/events.js"

/** What happens to one resource of a stack. */
export type ResourceChange = "create" | "update" | "replace" | "delete" | "refresh" | "read" | "import" | "same"

/** What an engine run tells while it goes on. */
export type EngineEvent =
  /** The engine's process group, told before it does anything: whoever must end the run can. */
  | { type: "process"; pgid: number }
  | { type: "resource"; name: string; kind: string; change: ResourceChange; state: "begun" | "done" | "failed" }
  | { type: "diagnostic"; severity: "info" | "warning" | "error"; resource: string | null; message: string }
  | { type: "summary"; changes: Record<string, number>; seconds: number }

/** The engine's own event as one of ours, or null when it tells nothing a caller needs. */
export function toEngineEvent(event: PulumiEvent): EngineEvent | null {
  if (event.resourcePreEvent) return resourceEvent(event.resourcePreEvent.metadata, "begun")
  if (event.resOutputsEvent) return resourceEvent(event.resOutputsEvent.metadata, "done")
  if (event.resOpFailedEvent) return resourceEvent(event.resOpFailedEvent.metadata, "failed")
  if (event.summaryEvent) {
    const { resourceChanges, durationSeconds } = event.summaryEvent
    return { type: "summary", changes: { ...resourceChanges }, seconds: durationSeconds }
  }
  const diagnostic = event.diagnosticEvent
  if (!diagnostic || diagnostic.ephemeral) return null
  // The SDK's own notes come as well, though its types do not know of them.
  if ((diagnostic.severity as string) === "debug") return null
  const message = plainText(diagnostic.message)
  if (!message) return null
  const severity = diagnostic.severity === "info#err" ? "info" : diagnostic.severity
  return { type: "diagnostic", severity, resource: diagnostic.urn ? urnName(diagnostic.urn) : null, message }
}

/** A resource of a stack as its provider has it. */
export interface SeenResource {
  /** The name the program gave it. */
  name: string
  type: string
  id: string
  /** Its properties as the plugin names them, secrets hidden; null: it is gone. */
  real: Record<string, unknown> | null
}

/** What the end of a resource's reading tells, in a refresh; null for other events. */
export function toSeenResource({ resOutputsEvent }: PulumiEvent): SeenResource | null {
  const step = resOutputsEvent?.metadata
  if (!step?.old || step.type.startsWith("pulumi:")) return null
  return { name: urnName(step.urn), type: step.type, id: step.old.id, real: step.new?.outputs ?? null }
}

/** A line that a resource's provider tells while it works, gone from the engine's own display at the next one; or null. */
export function toStatusLine({ diagnosticEvent: told }: PulumiEvent): { resource: string; text: string } | null {
  if (!told?.ephemeral || !told.urn) return null
  const text = plainText(told.message)
  return text ? { resource: urnName(told.urn), text } : null
}

type StepMetadata = NonNullable<PulumiEvent["resourcePreEvent"]>["metadata"]

function resourceEvent(step: StepMetadata, state: "begun" | "done" | "failed"): EngineEvent | null {
  // Providers and the stack itself are the engine's bookkeeping, not the user's resources.
  if (step.type.startsWith("pulumi:")) return null
  return { type: "resource", name: urnName(step.urn), kind: step.type, change: simplify(step.op), state }
}

function simplify(op: string): ResourceChange {
  if (op.includes("replace")) return "replace"
  for (const known of ["create", "update", "delete", "refresh", "import", "read"] as const)
    if (op.startsWith(known)) return known
  return "same"
}

/** The last part of a URN: the name the program gave the resource. */
const urnName = (urn: string) => urn.split("::").at(-1) ?? urn

/** Takes out the engine's colour marks (`<{%fg 1%}>`) and surrounding white space. */
function plainText(message: string): string {
  return message.replaceAll(/<\{%[^%]*%\}>/g, "").trim()
}
