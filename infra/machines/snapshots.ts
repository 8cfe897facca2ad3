import { LABELS, MANAGER } from "../workspace-spec.ts"
import type { Snapshot } from "./contract.ts"

/**
 * What a snapshot of a workspace is for. `sleep`: its machine is put away and made from it again. `backup`: made on
 * schedule or on demand. `safety`: how the machine was before something was done to it. `final`: what a deleted
 * workspace leaves.
 */
export const SNAPSHOT_KINDS = ["sleep", "backup", "safety", "final"] as const
export type SnapshotKind = (typeof SNAPSHOT_KINDS)[number]

/** Labels by which snapshots are found and judged without any other record. */
export const SNAPSHOT_LABELS = {
  kind: "foozol-snapshot",
  /** The operation that made it: one that is run again finds what it has made. */
  operation: "foozol-operation",
  /** Seconds since 1970 after which it may be removed; without it, it stays until somebody removes it. */
  keepUntil: "foozol-keep-until",
  profile: "foozol-profile",
  region: "foozol-region",
  size: "foozol-size",
} as const

/** What a snapshot says about itself by its labels. */
export interface SnapshotFacts {
  id: string
  workspace: string
  owner: string
  kind: SnapshotKind
  operation: string
  /** Milliseconds since 1970; null: no end. */
  keepUntil: number | null
  available: boolean
  description: string
  bytes: number | null
  createdAt: number
}

/** Labels for a new snapshot. Pure. */
export function snapshotLabels(about: {
  workspace: string
  owner: string
  kind: SnapshotKind
  operation: string
  keepUntil: number | null
  profile: string
  region: string
  size: string
}): Record<string, string> {
  return {
    [LABELS.managedBy]: MANAGER,
    [LABELS.workspace]: about.workspace,
    [LABELS.owner]: about.owner,
    [SNAPSHOT_LABELS.kind]: about.kind,
    [SNAPSHOT_LABELS.operation]: about.operation,
    [SNAPSHOT_LABELS.profile]: about.profile,
    [SNAPSHOT_LABELS.region]: about.region,
    [SNAPSHOT_LABELS.size]: about.size,
    ...(about.keepUntil === null ? {} : { [SNAPSHOT_LABELS.keepUntil]: String(Math.ceil(about.keepUntil / 1000)) }),
  }
}

/** What a snapshot is, by its labels; null for one that is not a workspace's. Pure. */
export function snapshotFacts({ id, labels, state, description, bytes, createdAt }: Snapshot): SnapshotFacts | null {
  const kind = SNAPSHOT_KINDS.find(one => one === labels[SNAPSHOT_LABELS.kind])
  const [workspace, owner] = [labels[LABELS.workspace], labels[LABELS.owner]]
  if (labels[LABELS.managedBy] !== MANAGER || !kind || !workspace || !owner) return null
  const keepUntil = Number(labels[SNAPSHOT_LABELS.keepUntil])
  return {
    ...{ id, workspace, owner, kind, description, bytes },
    operation: labels[SNAPSHOT_LABELS.operation] ?? "",
    keepUntil: Number.isFinite(keepUntil) && keepUntil > 0 ? keepUntil * 1000 : null,
    available: state === "available",
    createdAt: createdAt.getTime(),
  }
}

/** Label of the golden image that the disk in a snapshot is of: what is restored from it is of that one again. */
export const MADE_OF = "foozol-made-of"
