/** A rectangle of the display, in pixels. */
export interface Area {
  x: number
  y: number
  width: number
  height: number
}

/** A window as it lies on the display, frame and all. */
export interface WindowSeen {
  id: number
  /** `terminal` and `browser` are those that the machine started; everything else is a program of the user's. */
  kind: "terminal" | "browser" | "other"
  /** Belongs to another window, as a dialog does. */
  isDialog: boolean
  /** Maximised or full screen: the window manager sees to it. */
  isFilling: boolean
  frame: Area
  /** Where it was put by this layout; null while it has not been. */
  placed: Area | null
}

export interface Move {
  id: number
  to: Area
  /** The window belongs there; else it was only brought inside and remains its user's. */
  isHome: boolean
}

/** From this width on two windows side by side can be worked with. */
const WIDE = 900
/** From this height on two windows one above the other can. */
const TALL = 640
/** Programs round their size, a terminal to its letters: that much is no arrangement of the user's. */
const TOLERANCE = 24

/**
 * Where the windows belong. Terminal and main window share the area; a window that was put somewhere and still lies
 * there moves along, one that the user has placed stays unless it would lie outside. Pure.
 * @param before the area at the last time; null at the first
 * @param hasApp whether a program of an unknown name may be the main window, where there is no browser
 */
export function arrange(windows: WindowSeen[], area: Area, before: Area | null, hasApp: boolean): Move[] {
  const own = windows.filter(one => !one.isDialog)
  const others = own.filter(one => one.kind === "other" && hasApp)
  const main = own.find(one => one.kind === "browser") ?? others.find(one => one.placed !== null) ?? others[0]
  const terminal = own.find(one => one.kind === "terminal")
  const homes = homesIn(area, main?.kind ?? "browser")
  const areaChanged = before !== null && !isNear(before, area, 0)
  return windows.flatMap((one): Move[] => {
    const home = one === main ? homes.main : one === terminal ? homes.terminal : null
    if (one.isFilling) return []
    const isMine =
      one.placed === null || isNear(one.placed, one.frame, TOLERANCE) || wasLost(one.placed, one.frame, area)
    if (home !== null && isMine) return isSame(one.placed, home) ? [] : [{ id: one.id, to: home, isHome: true }]
    if (!areaChanged) return []
    const inside = broughtInto(one.frame, area)
    return isSame(inside, one.frame) ? [] : [{ id: one.id, to: inside, isHome: false }]
  })
}

/**
 * The places of the two: side by side, the main window with two thirds; in a narrow area one above the other; in one
 * that is small in both directions one over the other. An app has everything to itself, the terminal behind it.
 */
export function homesIn(area: Area, kind: WindowSeen["kind"]): { main: Area; terminal: Area } {
  const { x, y, width, height } = area
  if (width >= WIDE) {
    const third = Math.round(width / 3)
    const rest = { x: x + third, y, width: width - third, height }
    return { main: kind === "browser" ? rest : area, terminal: { x, y, width: third, height } }
  }
  if (height < TALL) return { main: area, terminal: area }
  const upper = Math.round(height * 0.6)
  return {
    main: kind === "browser" ? { x, y, width, height: upper } : area,
    terminal: { x, y: y + upper, width, height: height - upper },
  }
}

/** Whether the window manager has taken up a window that lay outside after the display had become smaller. */
function wasLost(placed: Area, frame: Area, area: Area): boolean {
  const lay = placed.x < area.x + area.width && placed.y < area.y + area.height
  return !lay && isNear({ ...placed, x: frame.x, y: frame.y }, frame, TOLERANCE)
}

/** The nearest place inside, no larger than the area. */
function broughtInto(frame: Area, area: Area): Area {
  const width = Math.min(frame.width, area.width)
  const height = Math.min(frame.height, area.height)
  const x = Math.min(Math.max(frame.x, area.x), area.x + area.width - width)
  const y = Math.min(Math.max(frame.y, area.y), area.y + area.height - height)
  return { x, y, width, height }
}

function isNear(a: Area, b: Area, tolerance: number): boolean {
  const sides = ["x", "y", "width", "height"] as const
  return sides.every(side => Math.abs(a[side] - b[side]) <= tolerance)
}
const isSame = (a: Area | null, b: Area) => a !== null && isNear(a, b, 0)
