import * as pulumi from "@pulumi/pulumi"
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks.js"
import * as settings from "@pulumi/pulumi/runtime/settings.js"
import type { Program } from "../../infra/engine.ts"

/** A resource as a program registers it with the engine. */
export interface Registered {
  type: string
  name: string
  /** Inputs as the engine gets them; a secret is `SECRET` here. */
  inputs: Record<string, unknown>
  /** Names of the resources that must be there before it, as `type::name`, in no order. */
  after: string[]
  retainOnDelete: boolean
  /** Id of what it takes in instead of making it; empty where it makes it. */
  imports: string
  ignoreChanges: string[]
}

/** What stands in `Registered.inputs` for a secret. */
export const SECRET = "[secret]"

/** The engine's own mark of a secret in what it is sent. */
const MARK = "4dabf18193072939515e22adb298388d"

interface Request {
  getType(): string
  getName(): string
  getObject(): { toJavaScript(): Record<string, unknown> }
  getDependenciesList(): string[]
  getRetainondelete(): boolean | undefined
  getImportid(): string
  getIgnorechangesList(): string[]
}

/**
 * Runs an inline program against Pulumi's mocks. `states` tells what a resource of a type knows of itself once it is
 * made, besides its inputs; its id is its name with `-id`.
 */
export async function runMocked(
  program: Program,
  states: Record<string, Record<string, unknown>> = {},
): Promise<{ resources: Registered[]; outputs: Record<string, unknown> }> {
  const resources: Registered[] = []
  const known = MockMonitor.prototype.registerResource
  // Mocks tell neither dependencies nor options, so the request itself is looked at.
  MockMonitor.prototype.registerResource = async function (request: Request, callback) {
    resources.push({
      type: request.getType(),
      name: request.getName(),
      inputs: hideSecrets(request.getObject().toJavaScript()) as Record<string, unknown>,
      after: request.getDependenciesList().map(urn => urn.split("::").slice(-2).join("::")),
      retainOnDelete: request.getRetainondelete() ?? false,
      imports: request.getImportid(),
      ignoreChanges: request.getIgnorechangesList(),
    })
    return known.call(this, request, callback)
  }
  try {
    await pulumi.runtime.setMocks({
      call: () => ({}),
      newResource: ({ type, name, inputs }) => ({ id: `${name}-id`, state: { ...inputs, ...states[type] } }),
    })
    const outputs = await program()
    const values = await new Promise<Record<string, unknown>>(resolve => {
      pulumi.output(outputs).apply(resolve)
    })
    // Not in its types: resolves when every resource is registered, those that no output waits for as well.
    await (settings as unknown as { waitForRPCs(): Promise<void> }).waitForRPCs()
    return { resources, outputs: values }
  } finally {
    MockMonitor.prototype.registerResource = known
  }
}

function hideSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(hideSecrets)
  if (typeof value !== "object" || value === null) return value
  if ((value as Record<string, unknown>)[MARK] === "1b47061264138c4ac30d75fd1eb44270") return SECRET
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, hideSecrets(one)]))
}
