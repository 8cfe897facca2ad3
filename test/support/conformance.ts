import type { Machines } from "../../infra/machines/contract.ts"
import type { ProviderName, WorkspaceSpec } from "../../infra/workspace-spec.ts"
import { conformanceOfGcp } from "./conformance-gcp.ts"
import { conformanceOfHetzner } from "./conformance-hetzner.ts"
import { conformanceOfScaleway } from "./conformance-scaleway.ts"

/**
 * A provider as the conformance suite meets it: its program and its machines, over a cloud of the suite's own. Whoever adds
 * a provider adds one of these.
 */
export interface ProviderUnderTest {
  machines: Machines
  /** Another size than the specs'. */
  otherSize: string
  /** A spec of a workspace that can be had there. */
  spec(given?: Partial<WorkspaceSpec>): WorkspaceSpec
  /** Makes what the provider's program declares; once more, it changes nothing. */
  apply(spec: WorkspaceSpec): Promise<void>
  /** What the program declares, by the names it gives. */
  declared(spec: WorkspaceSpec): Promise<string[]>
  /** Everything the workspace has, recorded or not. */
  destroy(workspace: string): Promise<void>
  /** Ids of the kinds that it gives, of what is not there. */
  unknown: { machine: string; snapshot: string; volume: string; region: string; size: string; image: number | string }
  /** The next request for a list of machines is refused, as by a provider that has too much to do. */
  overload(): Promise<void>
  /** The next making of a machine is carried out, and its answer is lost. */
  loseNextMachine(): Promise<void>
  /** No machine is to be had any more in the place of the specs. */
  sellOut(): Promise<void>
  /** Machines as somebody without the right to see them asks for them. */
  asStranger(): Machines
  /** Machines of a provider that is not there. */
  unreachable(): Machines
  /** What was found wrong with the way the provider was asked, if anybody looked. */
  complaints(): string[]
  close(): Promise<void>
}

/** A provider, and what its machines are where there is more than one kind. */
export type UnderTest = ProviderName | "hetzner-qemu"

/** One for each provider that there is a program for: one that has none does not compile. */
export const PROVIDERS_UNDER_TEST: Record<UnderTest, () => Promise<ProviderUnderTest>> = {
  hetzner: () => conformanceOfHetzner("none"),
  "hetzner-qemu": () => conformanceOfHetzner("qemu"),
  gcp: conformanceOfGcp,
  scaleway: conformanceOfScaleway,
}
