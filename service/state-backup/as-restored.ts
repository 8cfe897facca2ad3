import { isSpare } from "../warm/words.ts"
import { KEY } from "../workspaces/store.ts"
import type { StoredKey } from "./redis-keys.ts"

const GOING = new Set(["queued", "running"])

/**
 * A key as it is put back. What was under way is over: its operation is cancelled, since nobody knows here how far it
 * came; the workspace is compared with the provider by the first sweep. Every epoch is above all that were ever given, so
 * that a worker of before writes nothing more: operations raise it by two, and none comes every second. Null for what
 * is not put back. Pure.
 * @param now milliseconds since 1970
 */
export function asRestored(stored: StoredKey, now: number): StoredKey | null {
  const { key, type } = stored
  if (`fz:${key}` === KEY.toDo) return null
  if (type !== "hash") return stored
  const { value } = stored
  // Somebody may have taken it since: its stack and its labels tell, of which the record is made again.
  if (/^ws:[^:]+$/.test(key) && isSpare(JSON.parse(value.info ?? "{}"))) return null
  if (/^ws:/.test(key) && value.epoch !== undefined) {
    const epoch = Math.max(Number(value.epoch), Math.floor(now / 1000)) + 1
    return { ...stored, value: { ...value, epoch: String(epoch) } }
  }
  if (/^op:[^:]+$/.test(key) && GOING.has(value.state ?? "")) {
    const failure = JSON.stringify({ id: "restored", next: "retry", message: RESTORED })
    return { ...stored, value: { ...value, state: "cancelled", finishedAt: String(now), failure } }
  }
  if (key === "roll-out" && value.end === undefined) {
    return { ...stored, value: { ...value, end: `stopped ${RESTORED}` } }
  }
  return stored
}

const RESTORED = "The service was restored from a backup meanwhile: look how it is now, and try again."
