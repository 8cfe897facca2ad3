import type { SnapshotFacts } from "../../infra/machines/snapshots.ts"

/** A backup of the schedule that can be used, unless said otherwise. */
export const snapshotOf = (given: Partial<SnapshotFacts> & { id: string }): SnapshotFacts => ({
  ...{ workspace: "otter", owner: "gh-1", kind: "backup", operation: "", profile: "browser", region: "fsn1" },
  ...{ size: "cx23", keepUntil: null, scheduledAt: null, manifest: null, proof: null, provenAt: null, madeOf: null },
  memory: false,
  ...{ description: "", bytes: 1, diskGb: 40, createdAt: 0, state: "available" },
  ...given,
  available: (given.state ?? "available") === "available",
})
