import type { Dir, Dirent } from "node:fs"
import { lstat, opendir } from "node:fs/promises"
import { join } from "node:path"

/** Directories whose changes are no work of a person or an agent, or too many to look at. */
const IGNORED = new Set(["node_modules", "__pycache__", "snap"])

export interface FileWatch {
  /** Looks on for at most the given time; answers the newest change known, in wall-clock milliseconds. */
  look(budgetMs: number): Promise<number | null>
}

/**
 * Finds the newest change below some directories by going through them bit by bit: each look goes on where the last
 * one stopped, so that a large tree costs no more at once than a small one. Hidden directories are left out (caches
 * and browser profiles change by themselves), symbolic links are not followed.
 */
export function createFileWatch(roots: string[], now: () => number = Date.now): FileWatch {
  let pending: string[] = []
  let newest: number | null = null

  async function note(path: string): Promise<void> {
    const { mtimeMs } = await lstat(path)
    // A date in the future says nothing about now.
    if (mtimeMs <= now() + 60_000 && mtimeMs > (newest ?? 0)) newest = mtimeMs
  }

  async function visit(path: string, deadline: number): Promise<boolean> {
    let directory: Dir
    try {
      await note(path)
      directory = await opendir(path)
    } catch {
      return true
    }
    try {
      for await (const entry of directory) {
        if (entry.isDirectory()) {
          if (worthALook(entry)) pending.push(join(path, entry.name))
        } else if (entry.isFile()) await note(join(path, entry.name)).catch(() => {})
        // One directory of a million files must not take a whole look either; the next round comes here again.
        if (performance.now() > deadline) return false
      }
    } catch {
      // It went away, or may not be read.
    }
    return true
  }

  return {
    look: async budgetMs => {
      const deadline = performance.now() + budgetMs
      if (pending.length === 0) pending = [...roots]
      while (pending.length > 0 && performance.now() < deadline) {
        // Deepest first keeps the list short.
        const next = pending.pop()
        if (next !== undefined) await visit(next, deadline)
      }
      return newest === null ? null : Math.min(newest, now())
    },
  }
}

const worthALook = (entry: Dirent) => !entry.name.startsWith(".") && !IGNORED.has(entry.name)
