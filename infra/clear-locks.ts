import { hostname } from "node:os"
import { isDead, locksIn, processStart, type StackLock } from "./stack-locks.ts"
import { LOCKS } from "./state-backend.ts"
import type { StateFiles } from "./state-files/contract.ts"

/**
 * Removes the locks whose holders are gone, of all stacks: a process of this host that is proven dead, or one of a host
 * that was lost. An engine of a host that only stood still, and goes on, is ended by its service, which finds its lease
 * taken; what it wrote meanwhile is mended by the recovery that every run begins with.
 * @param isLost is the host of a lock that this host did not take lost?
 * @returns those that were removed
 */
export async function clearLocks(
  files: StateFiles,
  isLost: (lock: StackLock) => Promise<boolean>,
): Promise<StackLock[]> {
  const removed: StackLock[] = []
  for (const { name, lock } of await locksIn(files, LOCKS)) {
    const isOurs = lock.hostname === hostname()
    if (!(await (isOurs ? isDead(lock, hostname(), processStart) : isLost(lock)))) continue
    await files.remove(name)
    removed.push(lock)
  }
  return removed
}
