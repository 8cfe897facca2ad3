import type { Run } from "./run.ts"

export interface Size {
  width: number
  height: number
}

export const LIMITS = { width: [320, 3840], height: [240, 2160] } as const

/** The size asked for, within what a display may have; null when it was no size. */
export function clampSize(given: unknown): Size | null {
  if (typeof given !== "object" || given === null) return null
  const { width, height } = given as Record<string, unknown>
  if (typeof width !== "number" || typeof height !== "number") return null
  if (!Number.isFinite(width) || !Number.isFinite(height)) return null
  const clamp = (value: number, [least, most]: readonly [number, number]) =>
    Math.min(most, Math.max(least, Math.round(value)))
  return { width: clamp(width, LIMITS.width), height: clamp(height, LIMITS.height) }
}

/**
 * How long a change may take. It is several calls, each of which waits for whatever draws just then, and one that is cut off
 * between them leaves the old size, or the new one with what should have gone.
 */
const CHANGE_MS = 60_000

/**
 * Asks for and changes the size of a display; changes wait for each other, and only the last one asked for is made.
 * `resize` resolves with the size there is then, null where the change failed.
 */
export function createDisplay(run: Run, setSize: string, size: () => Promise<Size | null>) {
  let last: Promise<unknown> = Promise.resolve()
  let asked = 0
  const resize = (wanted: Size): Promise<Size | null> => {
    const mine = ++asked
    const change = last.then(async () => {
      // A window being dragged asks many times a second; what is outdated is not worth a redraw.
      if (mine !== asked) return size()
      const { code } = await run(setSize, [String(wanted.width), String(wanted.height)], CHANGE_MS)
      return code === 0 ? size() : null
    })
    last = change.catch(() => {})
    return change
  }
  return { size, resize }
}
export type Display = ReturnType<typeof createDisplay>
