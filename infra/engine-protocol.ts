import { z } from "zod"
import { Accepted } from "./accepted.ts"
import { CloudConfig } from "./cloud-config.ts"
import type { EngineEvent } from "./engine-events.ts"
import type { ErrorValue } from "./errors.ts"
import { WorkspaceSecrets, WorkspaceSpec } from "./workspace-spec.ts"

/**
 * What goes between the service and an engine child: one JSON object a line. Requests come on standard input, one at
 * a time, and hold secrets: nothing of them is in arguments, environment or files. Answers go to standard output.
 */
const withSpec = { spec: WorkspaceSpec, secrets: WorkspaceSecrets }
const named = { workspace: z.string() }

export const EngineAction = z.discriminatedUnion("action", [
  z.strictObject({ action: z.literal("apply"), ...withSpec }),
  z.strictObject({ action: z.literal("preview"), ...withSpec }),
  z.strictObject({ action: z.literal("refresh"), ...named }),
  /** What differs between the stack's spec and its provider; changes nothing. */
  z.strictObject({
    ...{ action: z.literal("drift"), ...named, power: z.enum(["on", "off"]).nullable() },
    accepted: z.array(Accepted).optional(),
  }),
  z.strictObject({ action: z.literal("repair"), ...withSpec }),
  z.strictObject({ action: z.literal("repair-as-recorded"), ...named }),
  /** Notes in the stack what has been accepted. */
  z.strictObject({ action: z.literal("accept"), ...named, accepted: z.array(Accepted) }),
  /** Of a workspace whose project is known; else all are asked for what is left over. */
  z.strictObject({ action: z.literal("destroy"), ...named, project: z.string().optional() }),
  z.strictObject({ action: z.literal("unlock"), ...named, force: z.boolean() }),
  /** Who holds the stack; changes nothing. */
  z.strictObject({ action: z.literal("holders"), ...named }),
  z.strictObject({ action: z.literal("export"), ...named }),
  /** @param dryRun only says what would be mended */
  z.strictObject({ action: z.literal("recover"), ...named, dryRun: z.boolean().optional() }),
  z.strictObject({ action: z.literal("list") }),
  z.strictObject({ action: z.literal("names") }),
  /** What all stacks tell of their workspaces. */
  z.strictObject({ action: z.literal("records") }),
])
export type EngineAction = z.output<typeof EngineAction>

export const EngineRequest = z.union([
  z.strictObject({ config: CloudConfig, run: EngineAction }),
  /** Ends the run that is going on, gracefully. */
  z.strictObject({ abort: z.literal(true) }),
])
export type EngineRequest = z.output<typeof EngineRequest>

export type EngineAnswer = { ready: true } | { event: EngineEvent } | { result: unknown } | { error: ErrorValue }
