import { type Check, CheckFailure, expect } from "../check.ts"
import { type Box, type Frame, overlap, regionOf, shareOf } from "../rfb/frame.ts"
import { openViewer, type Viewer } from "../rfb/viewer.ts"
import type { Run } from "../run.ts"
import { enter } from "./admission.ts"
import { reportsReady } from "./boot.ts"

/** Colours of the image's own files: XTerm's resources, start.html, display-ready and the window manager's style. */
const COLOURS = { terminal: 0x111a24, startPage: 0xf3f6f9, wallpaper: 0x1d2a3a, taskBar: 0x14202d }
/** Share of the screen below which a window is no use. */
const LEAST_SHARE = 0.12

/** The open stream; a new one when there is none any more. */
export async function viewerOf(run: Run): Promise<Viewer> {
  if (run.viewer?.isOpen()) return run.viewer
  run.token = (await enter(run)).token
  run.viewer = await run.until("a stream of the desktop", () =>
    openViewer(run.door, { token: run.token, limit: run.patience }),
  )
  return run.viewer
}

export interface Desktop {
  terminal: Box
  /** The start page in the browser's window; null where an app of the operator's stands in its place. */
  page: Box | null
}

const percent = (share: number) => `${Math.round(share * 100)} % of the screen`

/** Where the terminal is; a sentence when it is not to be seen. */
export function findTerminal(frame: Frame): Box | string {
  const terminal = regionOf(frame, COLOURS.terminal)
  if (terminal !== null && terminal.share >= LEAST_SHARE) return terminal.box
  return `The terminal covers ${percent(terminal?.share ?? 0)}`
}

/** Where terminal and window are; a sentence when they are not all to be seen. */
export function findDesktop(frame: Frame, hasApp: boolean): Desktop | string {
  const terminal = findTerminal(frame)
  if (typeof terminal === "string") return terminal
  if (hasApp) {
    const other = 1 - shareOf(frame, [...Object.values(COLOURS), 0])
    return other >= LEAST_SHARE ? { terminal, page: null } : `The app's window covers ${percent(other)}`
  }
  const page = regionOf(frame, COLOURS.startPage)
  if (page === null || page.share < LEAST_SHARE) return `The browser's start page covers ${percent(page?.share ?? 0)}`
  if (overlap(terminal, page.box)) return "The terminal and the browser's page cover each other"
  return { terminal, page: page.box }
}

/** Waits until something is found on the screen; the failure says what there was instead. */
async function seen<T extends object>(run: Run, what: string, find: (frame: Frame) => T | string): Promise<T> {
  let words = ""
  return run
    .until(what, async () => {
      const found = find((await viewerOf(run)).frame())
      words = typeof found === "string" ? found : ""
      return typeof found === "string" ? null : found
    })
    .catch(error => {
      run.signal?.throwIfAborted()
      throw words === "" ? error : new CheckFailure(words)
    })
}

export const terminalOf = (run: Run) => seen(run, "a terminal", findTerminal)

/** Waits until everything of the desktop is to be seen. */
export const desktopOf = (run: Run) => seen(run, "a complete desktop", frame => findDesktop(frame, run.hasApp))

const opens: Check = {
  name: "screen: a stream opens through NGINX and the relay",
  level: "quick",
  needs: [reportsReady.name],
  async run(run) {
    const viewer = await viewerOf(run)
    await run.until("the first picture", () => viewer.updates() > 0)
    const { width, height } = viewer.frame()
    expect(width === 1920 && height === 1080, `The screen is ${width}x${height}, not 1920x1080`)
    return `${width}x${height}`
  },
}

export const terminalShown: Check = {
  name: "screen: a terminal, and no black picture",
  level: "quick",
  needs: [opens.name],
  async run(run) {
    const viewer = await viewerOf(run)
    await run.until("a picture that is not black", () => shareOf(viewer.frame(), [0]) < 0.5)
    const { left, top, right, bottom } = await terminalOf(run)
    return `${right - left}x${bottom - top} at ${left},${top}`
  },
}

export const screen = [opens, terminalShown]
