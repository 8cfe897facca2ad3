import { readFileSync } from "node:fs"
import { type Check, CheckFailure, expect } from "../check.ts"
import { type Box, type Frame, overlap, regionOf, shareOf } from "../rfb/frame.ts"
import { openViewer, type Viewer } from "../rfb/viewer.ts"
import type { Run } from "../run.ts"
import { enter } from "./admission.ts"
import { reportsReady } from "./boot.ts"

/** A colour out of the image's own files, so that the checklist looks for what the definition says. */
function colourIn(file: string, pattern: RegExp): number {
  const text = readFileSync(new URL(`../../rootfs/${file}`, import.meta.url), "utf8")
  const [, colour] = pattern.exec(text) ?? []
  if (colour === undefined) throw new Error(`${file} has no colour like ${pattern}: the screen's checks need one.`)
  return Number.parseInt(colour, 16)
}

/** What fills the terminal, and what fills the start page. */
export const COLOURS = {
  terminal: colourIn("etc/X11/app-defaults/XTerm", /^\*background: #([0-9a-f]{6})$/m),
  startPage: colourIn("usr/share/foozol/start.html", /\bbody\s*\{[^}]*background(?:-color)?:\s*#([0-9a-f]{6})/),
}
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
  if (hasApp) return { terminal, page: null }
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
    // What lies there from before tells nothing about now.
    const before = viewer.updates()
    viewer.refresh()
    await run.until("the whole picture anew", () => viewer.updates() > before)
    await run.until("a picture that is not black", () => shareOf(viewer.frame(), [0]) < 0.5)
    const { left, top, right, bottom } = await terminalOf(run)
    return `${right - left}x${bottom - top} at ${left},${top}`
  },
}

export const screen = [opens, terminalShown]
