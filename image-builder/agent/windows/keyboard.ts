import type { Area, WindowSeen } from "./layout.ts"

/** How long a browser may take from its window to its wish for the keyboard; 1.5 s where a processor is emulated. */
const WISH_MS = 20_000

interface Point {
  x: number
  y: number
}

/** What is seen of a display at one look. */
export interface Look {
  /** All windows, those without a frame too. */
  windows: WindowSeen[]
  /** The window that has the keyboard; 0 when none has it. */
  active: number
  pointer: Point
  /** Milliseconds of a clock that only goes on. */
  now: number
}

/**
 * The browser that the machine opens asks for the keyboard once its window is there, seconds after somebody may have
 * begun to type elsewhere, and the window manager gives it to whoever asks. It goes back to the window that had it,
 * unless a person has taken it there: then the pointer has moved, to somewhere outside of that window.
 * @returns what tells at each look the window that is to have the keyboard again; null when all is well
 */
export function keepKeyboard(): (look: Look) => number | null {
  let holder = 0
  let comer: { id: number; pointer: Point; until: number } | null = null
  return ({ windows, active, pointer, now }) => {
    const browsers = windows.filter(one => one.kind === "browser" && !one.isDialog)
    const [first] = browsers
    // The next one may get the same number.
    if (first === undefined) comer = null
    // Its further windows were opened by a person.
    if (browsers.length === 1 && first?.placed === null && first.id !== comer?.id)
      comer = { id: first.id, pointer, until: now + WISH_MS }
    if (comer === null || active !== comer.id) {
      if (active !== 0) holder = active
      return null
    }
    const { until, pointer: before } = comer
    // It may take the keyboard from now on, as it is asked to.
    comer = { ...comer, until: 0 }
    const robbed = windows.find(one => one.id === holder)
    const isTaken = (pointer.x !== before.x || pointer.y !== before.y) && robbed && !isIn(pointer, robbed.frame)
    return now > until || !robbed || isTaken ? null : holder
  }
}

function isIn({ x, y }: Point, area: Area): boolean {
  return x >= area.x && y >= area.y && x < area.x + area.width && y < area.y + area.height
}
