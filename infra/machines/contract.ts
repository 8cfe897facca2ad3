/**
 * What Pulumi does not model of a provider: power, listing by label, snapshots, sizes and prices. One file per
 * provider implements it; ids are the provider's own, as text.
 */

import type { Difference } from "../drift/difference.ts"
import type { WorkspaceSpec } from "../workspace-spec.ts"

/** State of a machine in words every provider shares. */
export type MachineState = "creating" | "starting" | "running" | "stopping" | "off" | "deleting" | "unknown"

/** A virtual machine as the provider reports it. */
export interface Machine {
  id: string
  name: string
  state: MachineState
  size: string
  /** Of its disk, which may be smaller than what its size comes with: a resize keeps the disk. */
  diskGb: number
  region: string
  ipv4: string | null
  ipv6: string | null
  labels: Record<string, string>
  /** Is an action of the provider going on that keeps others out? */
  busy: boolean
  deleteProtection: boolean
  createdAt: Date
  /** The provider's project that has it, where several were asked. */
  project?: string
}

/** A snapshot: an image made from a machine, which survives it. */
export interface Snapshot {
  id: string
  state: "creating" | "available" | "unavailable"
  description: string
  labels: Record<string, string>
  /** Bytes the provider bills; null while it is being made. */
  bytes: number | null
  /** Of the disk in it: a machine made from it needs one at least as large. */
  diskGb: number
  createdAt: Date
  /** The provider's project that has it, where several were asked: machines can be made from it there alone. */
  project?: string
}

/** A disk besides a machine's own. Its content survives machines; it is attached to one at a time. */
export interface Volume {
  id: string
  /** The machine that has it; null: none. */
  machine: string | null
  labels: Record<string, string>
  project?: string
}

/** Price in the provider's currency before tax. */
export interface Price {
  currency: string
  hourly: number
  monthly: number
  /** What of `hourly` goes on while the machine is off; left out where all of it does. */
  offHourly?: number
}

/** What is paid beside machines, in the provider's currency before tax. */
export interface SidePrices {
  currency: string
  /** Of a snapshot, by its billed size: for each GB and month. */
  snapshotGbMonthly: number
  /** Of an IPv4 address that is kept, by region. */
  ipv4Monthly: Record<string, number>
}

/** A machine type with what it costs where, and whether it can be had there now. */
export interface Size {
  name: string
  cores: number
  memoryGb: number
  diskGb: number
  architecture: "x86" | "arm"
  /** False when the provider sells it no more. */
  orderable: boolean
  regions: Record<string, { price: Price; available: boolean }>
}

export interface CallOptions {
  signal?: AbortSignal
  /** What is asked for is in this project of the provider. The others are not asked. */
  project?: string
  /** Of lists over several projects: one that does not answer is left out. Without this the list fails. */
  lenient?: Lenient
}

/** How a list over several projects goes on without one that is away. */
export interface Lenient {
  /** How long one may take once another has answered, milliseconds. */
  patienceMs: number
  /** Hears of each that is left out. */
  away(project: string): void
  /** Those that are not asked: they are away too. */
  without?: ReadonlySet<string>
}

/** A machine that lives for a short time and belongs to nobody. */
export interface ApartMachine {
  /** Unique in the project. */
  name: string
  labels: Record<string, string>
  size: string
  region: string
  /** Id of the image or snapshot it is made from. */
  image: string
  userData: string
}

/** A resource of a workspace as the provider has it, whatever the state says. */
export interface LabelledResource {
  /** The name the provider's program gives it, such as `machine`. */
  name: string
  /** Pulumi's type of it, such as `hcloud:index/server:Server`. */
  type: string
  /** What Pulumi imports it by. */
  id: string
  /** What a state knows it by, where that is something else. */
  recordedAs?: string
  /** The provider's project that has it, where several were asked. */
  project?: string
}

/** A resource of some workspace, as a look at all of them finds it. */
export interface HeldResource extends LabelledResource {
  /** The workspace that its label names. */
  workspace: string
  /** Null where the provider does not tell. */
  createdAt: Date | null
}

/** Selects by labels: every given label must have exactly this value. */
export type LabelSelector = Record<string, string>

export interface Machines {
  list(labels: LabelSelector, options?: CallOptions): Promise<Machine[]>
  /** Null when there is no such machine. */
  get(id: string, options?: CallOptions): Promise<Machine | null>
  /** Resolves when the machine is on. */
  powerOn(id: string, options?: CallOptions): Promise<void>
  /** Asks the machine to shut down, waits up to `graceMs` for it to be off, then cuts its power. Resolves when it is off. */
  shutDown(id: string, options?: CallOptions & { graceMs?: number }): Promise<{ forced: boolean }>
  /** Cuts the power. Resolves when the machine is off. */
  powerOff(id: string, options?: CallOptions): Promise<void>
  /** Presses reset; the machine stays on. */
  reset(id: string, options?: CallOptions): Promise<void>
  /**
   * Replaces the machine's disk by an image, of a machine that is on or off, and starts it; machine, addresses and
   * volumes stay. Resolves when it is on. Lifts nothing: a protected machine is refused.
   */
  rebuild(id: string, image: string, options?: CallOptions): Promise<void>
  setDeleteProtection(id: string, on: boolean, options?: CallOptions): Promise<void>
  /** Deletes the machine; succeeds when it is gone already. Lifts nothing: a protected machine is refused. */
  remove(id: string, options?: CallOptions): Promise<void>

  /** Everything that carries a workspace's label, machines and all. */
  resources(workspace: string, options?: CallOptions): Promise<LabelledResource[]>
  /** Everything that carries any workspace's label, volumes too. */
  heldResources(options?: CallOptions): Promise<HeldResource[]>
  /** Removes such resources for good, protected or not, in an order the provider takes. */
  removeResources(resources: LabelledResource[], options?: CallOptions): Promise<void>

  /**
   * Makes a machine that belongs to no workspace's stack: nothing reaches it from outside, it has no name in DNS, no
   * address of its own and no protection. Its name tells what was made before: asked for again, that one is answered.
   */
  createApart(wanted: ApartMachine, options?: CallOptions): Promise<Machine>

  /**
   * Makes a snapshot and resolves when it is proven available.
   * @param options.begun called when the provider has accepted, so that from now on the disk is being copied
   */
  createSnapshot(
    machineId: string,
    about: { description: string; labels: LabelSelector },
    options?: CallOptions & { begun?: () => void },
  ): Promise<Snapshot>
  listSnapshots(labels: LabelSelector, options?: CallOptions): Promise<Snapshot[]>
  /** Replaces a snapshot's labels. */
  labelSnapshot(id: string, labels: LabelSelector, options?: CallOptions): Promise<void>
  /** Succeeds when it is gone already. */
  removeSnapshot(id: string, options?: CallOptions): Promise<void>

  /** Makes an empty volume where a machine is and attaches it. @param about.gb size; what is less than the least is that */
  makeVolume(
    machineId: string,
    about: { name: string; gb: number; labels: LabelSelector },
    options?: CallOptions,
  ): Promise<Volume>
  listVolumes(labels: LabelSelector, options?: CallOptions): Promise<Volume[]>
  /** Attaches a volume to a machine that is on or off; nothing happens where it has it. */
  attachVolume(id: string, machineId: string, options?: CallOptions): Promise<void>
  /** Detaches a volume and removes it with what is on it; succeeds when it is gone already. */
  removeVolume(id: string, options?: CallOptions): Promise<void>

  /** Every size the provider knows, live. */
  sizes(options?: CallOptions): Promise<Size[]>
  /** What is paid beside machines, live. */
  sidePrices(options?: CallOptions): Promise<SidePrices>
  /**
   * Says whether a machine of this size, place and image could be asked for now.
   * @throws InfraError `unknown-size`, `unknown-region`, `unknown-image`, `unknown-zone` or `provider-no-capacity`
   */
  check(
    wanted: { size: string; region: string; image: number | string; zone: string },
    options?: CallOptions,
  ): Promise<void>
  /**
   * What is otherwise than a spec says, where a provider's machines tell that themselves; where this is left out, the
   * engine's plugin is asked, see infra/drift.
   * @param power shall its machine be on? null: not known here
   */
  differences?(spec: WorkspaceSpec, power: "on" | "off" | null, options?: CallOptions): Promise<Difference[]>
  /** Makes what all machines of a place share, where it is not there; most providers have nothing of that kind. */
  prepare(place: { region: string }, options?: CallOptions): Promise<void>
}
