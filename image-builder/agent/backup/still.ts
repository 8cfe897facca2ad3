import { type Log, reasonOf } from "../log.ts"
import type { Frozen } from "./freezer.ts"

/** A machine that holds still while its disk is copied. */
export interface Still {
  /** Writes a manifest, flushes, holds writes back for so long at most, and says so. Goes on beside everything else. */
  begin(id: string, seconds: number): Promise<void>
  end(id: string): void
  close(): void
}

export interface StillOptions {
  /** @returns digest of what it wrote */
  writeManifest(id: string): Promise<string>
  freeze(seconds: number): Promise<Frozen | null>
  answer(frozen: { id: string; manifest: string | null; frozen: boolean }): Promise<void>
  log: Log
}

export function createStill({ writeManifest, freeze, answer, log }: StillOptions): Still {
  let current: { id: string; isOver: boolean; frozen: Frozen | null } | null = null
  const letGo = () => {
    if (!current) return
    current.isOver = true
    current.frozen?.thaw()
  }
  return {
    async begin(id, seconds) {
      letGo()
      const mine = { id, isOver: false, frozen: null as Frozen | null }
      current = mine
      try {
        const manifest = await writeManifest(id).catch(error => {
          log.warn(`no manifest could be written: ${reasonOf(error)}`)
          return null
        })
        // Whoever wanted it may have gone on without.
        if (mine.isOver) return
        mine.frozen = await freeze(seconds)
        if (mine.isOver) return mine.frozen?.thaw()
        await answer({ id, manifest, frozen: mine.frozen !== null })
      } catch (error) {
        mine.frozen?.thaw()
        log.warn(`the disk could not be held still for a backup: ${reasonOf(error)}`)
      }
    },
    end: id => {
      if (current?.id === id) letGo()
    },
    close: letGo,
  }
}
