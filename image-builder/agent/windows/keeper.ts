import { pause } from "../backoff.ts"
import { type Log, reasonOf } from "../log.ts"
import { keepKeyboard } from "./keyboard.ts"
import { type Area, arrange, type WindowSeen } from "./layout.ts"
import { openXServer, type XServer } from "./x11.ts"

/** WM_CLASS of the windows that the machine itself opens. */
const KINDS: Record<string, WindowSeen["kind"]> = { "foozol-terminal": "terminal", "foozol-browser": "browser" }
/** Property of a window: where this layout has put it. So the agent may restart without forgetting. */
const PLACED = "_FOOZOL_PLACED"
/** Changes come in bursts: a program that opens a window, a display that takes another size. */
const CALM_MS = 60
const RETRY_MS = 1_000
/** How long until a window is looked at again that has no frame yet. */
const UNFRAMED_MS = 250
/** Whoever asks the window manager as a pager does, is obeyed (EWMH: source indication). */
const AS_A_PAGER = 2

/** Keeps the windows of a display in their places until the signal aborts, whatever happens to the display. */
export async function keepWindows(options: {
  socketPath: string
  /** Whether the main window is the operator's app. */
  hasApp: boolean
  /** Hears at every look whether the terminal is on the display, and that it is not when the display is gone. */
  terminalShown(isShown: boolean): void
  signal: AbortSignal
  log: Log
}): Promise<void> {
  const { socketPath, signal } = options
  while (!signal.aborted) {
    const server = await openXServer(socketPath).catch(() => null)
    if (server !== null) {
      const end = () => server.close()
      signal.addEventListener("abort", end, { once: true })
      await follow(server, options)
      options.terminalShown(false)
      signal.removeEventListener("abort", end)
    }
    await pause(RETRY_MS, signal)
  }
}

type Options = Parameters<typeof keepWindows>[0]

async function follow(server: XServer, options: Options): Promise<void> {
  const keyboard = keepKeyboard()
  let before: Area | null = null
  let due = true
  let wake = () => {}
  let gone = false
  server.onRootChange(() => {
    due = true
    wake()
  })
  let timer: NodeJS.Timeout | undefined
  const soon = () => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      due = true
      wake()
    }, UNFRAMED_MS)
  }
  const closed = server.closed.then(() => {
    gone = true
    wake()
  })
  while (!gone) {
    if (!due) {
      await new Promise<void>(resolve => {
        wake = resolve
      })
      await pause(CALM_MS, new AbortController().signal)
      continue
    }
    due = false
    try {
      before = await look(server, before, keyboard, options, soon)
    } catch (error) {
      // A window that closes while it is asked about; its end is a change of its own.
      if (!gone) options.log.info(`windows: ${reasonOf(error)}`)
    }
  }
  clearTimeout(timer)
  await closed
}

/** Looks at all windows and moves those that are not where they belong; returns the area there is for them. */
async function look(
  server: XServer,
  before: Area | null,
  keyboard: ReturnType<typeof keepKeyboard>,
  options: Options,
  soon: () => void,
): Promise<Area | null> {
  const [x, y, width, height] = await server.numbers(server.root, "_NET_WORKAREA")
  // No window manager yet.
  if (x === undefined || y === undefined || !width || !height) return before
  const area = { x, y, width, height }
  const ids = await server.numbers(server.root, "_NET_CLIENT_LIST")
  const [[active = 0], pointer, ...seen] = await Promise.all([
    server.numbers(server.root, "_NET_ACTIVE_WINDOW"),
    server.pointer(),
    ...ids.map(id => read(server, id)),
  ])
  const known = seen.filter(one => one !== null)
  const robbed = keyboard({ windows: known, active, pointer, now: performance.now() })
  if (robbed !== null) await server.tell(robbed, "_NET_ACTIVE_WINDOW", [AS_A_PAGER, 0, 0])
  const windows = known.filter(one => one.extents.length > 0)
  for (const { id, to, isHome } of arrange(windows, area, before, options.hasApp)) {
    const extents = windows.find(one => one.id === id)?.extents ?? [0, 0, 0, 0]
    const [left = 0, right = 0, top = 0, bottom = 0] = extents
    const place = [to.x, to.y, to.width - left - right, to.height - top - bottom]
    if (isHome) await server.setNumbers(id, PLACED, [to.x, to.y, to.width, to.height])
    // The place is that of the frame's upper left corner, the size the window's own; all four are given, by a tool.
    await server.tell(id, "_NET_MOVERESIZE_WINDOW", [1 | (0xf << 8) | (2 << 12), ...place])
  }
  options.terminalShown(windows.some(one => one.kind === "terminal"))
  // A window that the window manager has not yet framed tells no truth about its place; nothing is heard of its frame.
  if (windows.length < known.length) soon()
  return area
}

async function read(server: XServer, id: number): Promise<(WindowSeen & { extents: number[] }) | null> {
  try {
    const [names, states, owner, type, extents, placed, place, filling, dialog] = await Promise.all([
      server.texts(id, "WM_CLASS"),
      server.numbers(id, "_NET_WM_STATE"),
      server.numbers(id, "WM_TRANSIENT_FOR"),
      server.numbers(id, "_NET_WM_WINDOW_TYPE"),
      server.numbers(id, "_NET_FRAME_EXTENTS"),
      server.numbers(id, PLACED),
      server.place(id),
      Promise.all(["MAXIMIZED_VERT", "MAXIMIZED_HORZ", "FULLSCREEN"].map(one => server.atom(`_NET_WM_STATE_${one}`))),
      server.atom("_NET_WM_WINDOW_TYPE_DIALOG"),
    ])
    const [left = 0, right = 0, top = 0, bottom = 0] = extents
    const frame = {
      x: place.x - left,
      y: place.y - top,
      width: place.width + left + right,
      height: place.height + top + bottom,
    }
    const [x, y, width, height] = placed.map(value => value | 0)
    return {
      id,
      kind: names.map(name => KINDS[name]).find(kind => kind !== undefined) ?? "other",
      isDialog: (owner[0] ?? 0) !== 0 || type.includes(dialog),
      isFilling: states.some(state => filling.includes(state)),
      frame,
      placed:
        x === undefined || y === undefined || width === undefined || height === undefined
          ? null
          : { x, y, width, height },
      extents,
    }
  } catch {
    // It was closed meanwhile.
    return null
  }
}
