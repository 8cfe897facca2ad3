import type { Area, WindowSeen } from "./layout.ts"

/** How long a browser may take from its window to its wish for the keyboard; 1.5 s where a processor is emulated. */
const WISH_MS = 20_000
/** How often it asks before it is heard: it was seen to ask when its window opens, and again a second later. */
const WISHES = 4

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
  let last = 0
  let comer: { id: number; pointer: Point; until: number; refused: number } | null = null
  return ({ windows, active, pointer, now }) => {
    // The window manager may be looked at again before it has done as it was asked.
    const isAnew = active !== last
    last = active
    const browsers = windows.filter(one => one.kind === "browser" && !one.isDialog)
    const [first] = browsers
    // The next one may get the same number.
    if (first === undefined) comer = null
    // Its further windows were opened by a person.
    if (browsers.length === 1 && first?.placed === null && first.id !== comer?.id)
      comer = { id: first.id, pointer, until: now + WISH_MS, refused: 0 }
    if (comer === null || active !== comer.id) {
      if (active !== 0) holder = active
      return null
    }
    const robbed = windows.find(one => one.id === holder)
    const moved = pointer.x !== comer.pointer.x || pointer.y !== comer.pointer.y
    const isTaken = moved && robbed && !isIn(pointer, robbed.frame)
    // From then on it may have the keyboard whoever gives it.
    if (now > comer.until || !robbed || isTaken) comer.refused = WISHES
    else if (isAnew) comer.refused++
    return comer.refused < WISHES ? holder : null
  }
}

function isIn({ x, y }: Point, area: Area): boolean {
  return x >= area.x && y >= area.y && x < area.x + area.width && y < area.y + area.height
}
