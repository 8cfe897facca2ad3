import { type Key, MODIFIERS, type Modifier } from "./keys.ts"

export type Hold = "off" | "once" | "locked"

/** Ctrl, Alt and the like for people who cannot hold two keys: a tap is for the next key, a second tap until a third. */
export function createSticky(show: (modifier: Modifier, hold: Hold) => void) {
  const holds = new Map<Modifier, Hold>()
  const set = (modifier: Modifier, hold: Hold) => {
    holds.set(modifier, hold)
    show(modifier, hold)
  }
  const NEXT = { off: "once", once: "locked", locked: "off" } as const
  return {
    tap: (modifier: Modifier) => set(modifier, NEXT[holds.get(modifier) ?? "off"]),
    /** The modifiers for the next key; those held once are used up by it. */
    take: (): Key[] => {
      const held = [...holds].filter(([, hold]) => hold !== "off")
      for (const [modifier, hold] of held) if (hold === "once") set(modifier, "off")
      return held.map(([modifier]) => MODIFIERS[modifier])
    },
    clear: () => {
      for (const modifier of holds.keys()) set(modifier, "off")
    },
  }
}
