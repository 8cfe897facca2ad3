import type { Size } from "./machine.ts"
import type { Settings } from "./settings.ts"

/** What the machine accepts. */
const LEAST: Size = { width: 320, height: 240 }
const MOST: Size = { width: 3840, height: 2160 }
const CALM = 400
/** Pauses before a size that was not made is asked for again. A machine that is very busy refuses one now and then. */
const AGAIN = [2_000, 10_000]

/**
 * The desktop size that suits a window. Programs on the desktop draw for an ordinary screen, so giving them every pixel
 * of a dense one makes the text tiny: up to 1.5 desktop pixels for one of the page is the middle between sharp and readable.
 */
export function desktopSize(window: Size, density: number, sizing: Settings["sizing"]): Size | undefined {
  if (sizing === "scale" || window.width < 1 || window.height < 1) return undefined
  const factor = Math.min(Math.max(density, 1), sizing === "sharp" ? 3 : 1.5)
  // Both sides shrink by the same factor, else the picture would get bars.
  const fit = Math.min(1, MOST.width / (window.width * factor), MOST.height / (window.height * factor))
  const side = (css: number, least: number) => Math.max(least, Math.floor((css * factor * fit) / 2) * 2)
  return { width: side(window.width, LEAST.width), height: side(window.height, LEAST.height) }
}

/**
 * Asks for a size once the window has come to rest, one question at a time, and never twice for the same unless it was not
 * made; `failed` is told when it was not made in the end.
 */
export function createResizer(post: (size: Size) => Promise<Size | undefined>, failed: () => void, again = AGAIN) {
  let timer: ReturnType<typeof setTimeout> | undefined
  let asked: Size | undefined
  let busy: Promise<void> = Promise.resolve()
  const send = async (size: Size, attempt: number, isLatest: () => boolean) => {
    if (asked?.width === size.width && asked.height === size.height) return
    asked = size
    if ((await post(size)) !== undefined) return
    asked = undefined
    const pause = again[attempt]
    if (!isLatest()) return
    if (pause === undefined) failed()
    else later(size, pause, attempt + 1)
  }
  // One timer for all: whatever is wanted next takes the place of what waits to be asked for again.
  const later = (size: Size, delay: number, attempt: number) => {
    clearTimeout(timer)
    const mine = setTimeout(() => {
      busy = busy.then(() => send(size, attempt, () => timer === mine))
    }, delay)
    timer = mine
  }
  return {
    want: (size: Size | undefined, delay = CALM) => {
      clearTimeout(timer)
      timer = undefined
      if (size !== undefined) later(size, delay, 0)
    },
    /** Somebody else (another viewer, a restart) may have changed the size meanwhile. */
    forget: () => {
      asked = undefined
    },
  }
}
