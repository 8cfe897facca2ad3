import type { Ledger } from "../usage/ledger.ts"
import { monthOf } from "../usage/months.ts"
import { usedByHour } from "./quiet-hour.ts"

/** Habits change slowly, and reading the ledger takes its time. */
const FRESH_MS = 6 * 3_600_000

/** When workspaces are used, by the ledger of their states. */
export interface Habits {
  /** See `usedByHour`; null where nothing is known yet. */
  usedByHour(workspace: string): Promise<number[] | null>
}

export function createHabits(ledger: Ledger, now: () => number): Habits {
  let known: { at: number; used: Promise<Map<string, number[] | null>> } | null = null

  async function read(): Promise<Map<string, number[] | null>> {
    const at = now()
    const months = [...new Set([monthOf(at - 14 * 24 * 3_600_000), monthOf(at)])]
    const lines = (await Promise.all(months.map(month => ledger.linesFor(month, null)))).flat()
    const byWorkspace = Map.groupBy(
      new Map(lines.map(line => [JSON.stringify(line), line])).values(),
      one => one.workspace,
    )
    return new Map([...byWorkspace].map(([id, its]) => [id, usedByHour(its, at)]))
  }

  return {
    async usedByHour(workspace) {
      if (!known || now() - known.at > FRESH_MS) {
        const asked = { at: now(), used: read() }
        known = asked
        asked.used.catch(() => {
          if (known === asked) known = null
        })
      }
      return (await known.used).get(workspace) ?? null
    },
  }
}
