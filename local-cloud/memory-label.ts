/**
 * A snapshot of a machine that fell asleep may hold its memory. Hetzner knows nothing of that, so it is said by a label,
 * which whoever makes the snapshot gives it: taken away again, the memory goes.
 */
import type { ImageRecord, ServerRecord } from "./state/records.ts"

const MEMORY = { name: "foozol-memory", kept: "kept" }
/** Whose it is, of servers and snapshots alike. */
const WORKSPACE = "foozol-workspace"

/** Whether a snapshot's memory is to be kept with it. */
export const hasMemory = (image: Pick<ImageRecord, "labels"> | undefined): boolean =>
  image?.labels[MEMORY.name] === MEMORY.kept

/** Whether a new server goes on with the memory that its snapshot holds: only the workspace's that fell asleep. */
export function goesOnFrom(server: Pick<ServerRecord, "labels">, image: Pick<ImageRecord, "labels"> | undefined) {
  const workspace = server.labels[WORKSPACE]
  return hasMemory(image) && workspace !== undefined && workspace === image?.labels[WORKSPACE]
}
