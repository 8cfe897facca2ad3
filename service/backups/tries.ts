import type { Redis } from "ioredis"
import type { Notify } from "../notifications/outbox.ts"
import { isOver } from "../operations/operation.ts"
import { KEY, type WorkspaceStore } from "../workspaces/store.ts"
import type { Workspace } from "../workspaces/workspace.ts"

/** Failures in a row after which the owner hears of it: one alone is mended by the next try. */
const TELL_AT = 3
const REMEMBERED_S = 30 * 24 * 3600

/** How the schedule fares with a workspace. */
export interface Tries {
  /** Is a backup of the schedule going on? */
  isGoing: boolean
  /** Tries in a row that failed, and when the last one was begun. */
  failures: number
  triedAt: number | null
}

export interface TryBook {
  begun(workspace: string, operation: string, at: number): Promise<void>
  /** Notes how the last try ended, if it has, and tells the owner when it fails again and again. */
  settle(workspace: Workspace): Promise<Tries>
}

/** Tries of backups that the schedule wanted; they are in Redis, so that a restart goes on with them. */
export function createTryBook(redis: Redis, store: Pick<WorkspaceStore, "operation">, notify: Notify): TryBook {
  return {
    async begun(workspace, operation, at) {
      const key = KEY.backupTries(workspace)
      await redis.multi().hset(key, { operation, at }).expire(key, REMEMBERED_S).exec()
    },
    async settle({ id, owner, name }) {
      const key = KEY.backupTries(id)
      const { operation, at, failures: failed } = await redis.hgetall(key)
      const failures = Number(failed ?? 0)
      const triedAt = at === undefined ? null : Number(at)
      if (operation === undefined) return { isGoing: false, failures, triedAt }
      const found = await store.operation(operation)
      if (found && !isOver(found)) return { isGoing: true, failures, triedAt }
      if (found?.state === "succeeded") {
        await redis.del(key)
        return { isGoing: false, failures: 0, triedAt: null }
      }
      if (found?.state !== "failed") {
        // Something that its owner wanted came in between: no fault, and the next try may come at once.
        await redis.hdel(key, "operation")
        return { isGoing: false, failures, triedAt }
      }
      if (failures + 1 === TELL_AT) {
        const message = found.failure?.message ?? "The reason is not known any more."
        await notify(owner, "backup-failed", { workspace: id, name, message }, { id: `${operation}-backup-failed` })
      }
      await redis
        .multi()
        .hset(key, "failures", failures + 1)
        .hdel(key, "operation")
        .exec()
      return { isGoing: false, failures: failures + 1, triedAt }
    },
  }
}
