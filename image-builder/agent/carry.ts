import { readFile } from "node:fs/promises"
import type { Run } from "./run.ts"

/** Bringing what a user has made of a machine to one of a newer image, by a volume. */
export interface Carriage {
  direction: "out" | "in"
  operation: string
  /** The volume's id at the provider. */
  volume: string
}

const WORD = /^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/

/** @throws when an order makes no sense */
export function parseCarriage({ direction, operation, volume }: Record<string, unknown>): Carriage {
  if (direction !== "out" && direction !== "in") throw new Error("carry says neither out nor in")
  for (const one of [operation, volume]) {
    if (typeof one !== "string" || !WORD.test(one)) throw new Error("carry names no operation or no volume")
  }
  return { direction, operation: operation as string, volume: volume as string }
}

/**
 * Carries in a unit of its own, so that it goes on whatever becomes of the agent. How far it is stands in a file, which
 * reports show as it is.
 */
export function createCarrying({ run, runtimeDirectory }: { run: Run; runtimeDirectory: string }) {
  const state = async (): Promise<Record<string, unknown> | null> => {
    const text = await readFile(`${runtimeDirectory}/carry.json`, "utf8").catch(() => null)
    return text === null ? null : (JSON.parse(text) as Record<string, unknown>)
  }
  return {
    state,
    /** An order that is given again begins nothing anew. @throws in the words of systemd */
    async begin({ direction, operation, volume }: Carriage): Promise<void> {
      const now = await state()
      if (now?.operation === operation && now.direction === direction) return
      const unit = ["--quiet", "--collect", "--unit=foozol-carry", "--description=Carries what is the user's"]
      const result = await run("systemd-run", [...unit, "/usr/lib/foozol/carry", direction, operation, volume])
      if (result.code !== 0 && !/already (loaded|exists)/.test(result.stderr)) throw new Error(result.stderr.trim())
    },
  }
}
