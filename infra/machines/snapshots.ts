import { LABELS, MANAGER } from "../workspace-spec.ts"
import type { Snapshot } from "./contract.ts"

/**
 * What a snapshot of a workspace is for. `sleep`: its machine is put away and made from it again. `backup`: made on
 * schedule or on demand. `safety`: how the machine was before something was done to it. `final`: what a deleted
 * workspace leaves.
 */
export const SNAPSHOT_KINDS = ["sleep", "backup", "safety", "final"] as const
export type SnapshotKind = (typeof SNAPSHOT_KINDS)[number]

/** How the trial of a backup on a machine of its own ended. */
export const PROOFS = ["passed", "failed"] as const
export type Proof = (typeof PROOFS)[number]

/** Labels by which snapshots are found and judged without any other record. Times are seconds since 1970. */
export const SNAPSHOT_LABELS = {
  kind: "foozol-snapshot",
  /** The operation that made it: one that is run again finds what it has made. */
  operation: "foozol-operation",
  /** When it may be removed; without it, it stays until somebody removes it. */
  keepUntil: "foozol-keep-until",
  profile: "foozol-profile",
  region: "foozol-region",
  size: "foozol-size",
  /** Made by the schedule, not by a person. On one that a workspace sleeps in: the day's backup, and since when. */
  scheduled: "foozol-scheduled",
  /** Digest of the manifest that was written to the disk before it was copied. */
  manifest: "foozol-manifest",
  proof: "foozol-proof",
  provenAt: "foozol-proven-at",
  /** The golden image that its disk is of: what is restored from it is of that one again. */
  madeOf: "foozol-made-of",
  /** `kept`: of one that a workspace sleeps in, the machine's memory is with it. The local cloud goes by this label too. */
  memory: "foozol-memory",
} as const

const KEPT = "kept"

/** What a new snapshot is. */
export interface SnapshotAbout {
  workspace: string
  owner: string
  kind: SnapshotKind
  operation: string
  /** Milliseconds since 1970; null: no end. */
  keepUntil: number | null
  profile: string
  region: string
  size: string
  /** When the schedule took it for the day's backup, ms since 1970; null: a person's wish, or no backup. */
  scheduledAt: number | null
  manifest: string | null
  /** Id of the golden image that its disk is of; null: not known. */
  madeOf: string | null
  /** The memory of the machine that sleeps in it was kept: what is made from it goes on where that was. */
  memory: boolean
}

/** What a snapshot says about itself by its labels. */
export interface SnapshotFacts extends SnapshotAbout {
  id: string
  /** How its trial ended, and when; null: none has ended yet. */
  proof: Proof | null
  provenAt: number | null
  state: Snapshot["state"]
  available: boolean
  description: string
  bytes: number | null
  /** A machine made from it needs at least such a disk. */
  diskGb: number
  createdAt: number
  /** The provider's project that has it, where several were asked. */
  project?: string
}

/** Labels of a snapshot. Pure. */
export function snapshotLabels(
  about: SnapshotAbout & Partial<Pick<SnapshotFacts, "proof" | "provenAt">>,
): Record<string, string> {
  const time = (label: string, at: number | null | undefined) => (at == null ? {} : { [label]: seconds(at) })
  const text = (label: string, value: string | null | undefined) => (value ? { [label]: value } : {})
  return {
    [LABELS.managedBy]: MANAGER,
    [LABELS.workspace]: about.workspace,
    [LABELS.owner]: about.owner,
    [SNAPSHOT_LABELS.kind]: about.kind,
    ...text(SNAPSHOT_LABELS.operation, about.operation),
    ...text(SNAPSHOT_LABELS.profile, about.profile),
    ...text(SNAPSHOT_LABELS.region, about.region),
    ...text(SNAPSHOT_LABELS.size, about.size),
    ...time(SNAPSHOT_LABELS.keepUntil, about.keepUntil),
    ...time(SNAPSHOT_LABELS.scheduled, about.scheduledAt),
    ...text(SNAPSHOT_LABELS.manifest, about.manifest),
    ...text(SNAPSHOT_LABELS.proof, about.proof),
    ...time(SNAPSHOT_LABELS.provenAt, about.provenAt),
    ...text(SNAPSHOT_LABELS.madeOf, about.madeOf),
    // Only a workspace that sleeps goes on from its own memory.
    ...(about.memory && about.kind === "sleep" ? { [SNAPSHOT_LABELS.memory]: KEPT } : {}),
  }
}

/** What a snapshot is, by its labels; null for one that is not a workspace's. Pure. */
export function snapshotFacts(snapshot: Snapshot): SnapshotFacts | null {
  const { id, labels, state, description, bytes, diskGb, createdAt, project } = snapshot
  const kind = SNAPSHOT_KINDS.find(one => one === labels[SNAPSHOT_LABELS.kind])
  const [workspace, owner] = [labels[LABELS.workspace], labels[LABELS.owner]]
  if (labels[LABELS.managedBy] !== MANAGER || !kind || !workspace || !owner) return null
  return {
    ...{ id, workspace, owner, kind, description, bytes, diskGb, state },
    ...(project === undefined ? {} : { project }),
    operation: labels[SNAPSHOT_LABELS.operation] ?? "",
    profile: labels[SNAPSHOT_LABELS.profile] ?? "",
    region: labels[SNAPSHOT_LABELS.region] ?? "",
    size: labels[SNAPSHOT_LABELS.size] ?? "",
    keepUntil: timeOf(labels[SNAPSHOT_LABELS.keepUntil]),
    scheduledAt: timeOf(labels[SNAPSHOT_LABELS.scheduled]),
    manifest: labels[SNAPSHOT_LABELS.manifest] ?? null,
    proof: PROOFS.find(one => one === labels[SNAPSHOT_LABELS.proof]) ?? null,
    provenAt: timeOf(labels[SNAPSHOT_LABELS.provenAt]),
    madeOf: labels[SNAPSHOT_LABELS.madeOf] ?? null,
    memory: labels[SNAPSHOT_LABELS.memory] === KEPT,
    available: state === "available",
    createdAt: createdAt.getTime(),
  }
}

const seconds = (ms: number) => String(Math.ceil(ms / 1000))

function timeOf(label: string | undefined): number | null {
  const value = Number(label)
  return Number.isFinite(value) && value > 0 ? value * 1000 : null
}
