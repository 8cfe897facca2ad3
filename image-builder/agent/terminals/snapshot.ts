import { createAttributes } from "./sgr.ts"

/** What a terminal shows and how it stands, as bytes that make another one the same. */

/** Lines of what has scrolled away that come along. */
export const HISTORY = 2_000

const FIELDS = [
  "alternate_on",
  "history_size",
  "cursor_x",
  "cursor_y",
  "scroll_region_upper",
  "scroll_region_lower",
  "pane_width",
  "pane_height",
  "cursor_flag",
  "insert_flag",
  "keypad_cursor_flag",
  "keypad_flag",
  "origin_flag",
  "wrap_flag",
  "mouse_standard_flag",
  "mouse_button_flag",
  "mouse_all_flag",
  "mouse_utf8_flag",
  "mouse_sgr_flag",
] as const
type State = Record<(typeof FIELDS)[number], number>

/** Modes by the flag that tells of them: what is to be written where it is set, or where it is not. */
const MODES: [keyof State, 0 | 1, string][] = [
  ["insert_flag", 1, "\x1b[4h"],
  ["keypad_cursor_flag", 1, "\x1b[?1h"],
  ["keypad_flag", 1, "\x1b="],
  ["wrap_flag", 0, "\x1b[?7l"],
  ["cursor_flag", 0, "\x1b[?25l"],
  ["mouse_standard_flag", 1, "\x1b[?1000h"],
  ["mouse_button_flag", 1, "\x1b[?1002h"],
  ["mouse_all_flag", 1, "\x1b[?1003h"],
  ["mouse_utf8_flag", 1, "\x1b[?1005h"],
  ["mouse_sgr_flag", 1, "\x1b[?1006h"],
]

export interface Snapshot {
  cols: number
  rows: number
  bytes: Buffer
}

/**
 * One command line for four answers: tmux carries it out without looking at any pane in between, so that they are of
 * one moment, and output that comes after them is what came after that moment.
 */
export function snapshotCommand(pane: string): string {
  const state = `display-message -p -t ${pane} '${FIELDS.map(field => `#{${field}}`).join(" ")}'`
  const capture = `capture-pane -p -e -J -t ${pane}`
  return `${state} ; ${capture} -S -${HISTORY} -E -1 ; ${capture} ; ${capture} -a -q`
}
export const SNAPSHOT_ANSWERS = 4

/** @returns null when the pane is gone */
export function composeSnapshot(answers: (string[] | null)[]): Snapshot | null {
  const [stateLines, history, screen, under] = answers
  const values = stateLines?.[0]?.split(" ").map(Number)
  if (!values || values.length !== FIELDS.length || values.some(Number.isNaN) || !history || !screen) return null
  const state = Object.fromEntries(FIELDS.map((field, at) => [field, values[at]])) as State
  const { pane_width: cols, pane_height: rows } = state
  // Where there is no history, tmux captures the first line of the screen in its place.
  const before = state.history_size === 0 ? [] : history
  const isAlternate = state.alternate_on === 1
  const text = [
    "\x1bc",
    isAlternate ? `${joined(trimmed([...before, ...(under ?? [])]))}\x1b[?1049h\x1b[H` : joined(before, true),
    joined(screen),
    region(state, rows),
    ...MODES.filter(([flag, when]) => state[flag] === when).map(([, , bytes]) => bytes),
    `\x1b[${state.cursor_y + 1};${state.cursor_x + 1}H`,
    state.origin_flag === 1 ? "\x1b[?6h" : "",
  ].join("")
  return { cols, rows, bytes: Buffer.from(text) }
}

/** @param goesOn whether another line follows the last */
function joined(lines: string[], goesOn = false): string {
  const attributes = createAttributes()
  const parts: string[] = []
  lines.forEach((line, at) => {
    const carried = attributes.after(line)
    const isLast = at === lines.length - 1
    parts.push(line, "\x1b[m", isLast && !goesOn ? "" : "\r\n", isLast ? "" : carried)
  })
  return parts.join("")
}

const region = (state: State, rows: number) =>
  state.scroll_region_upper === 0 && state.scroll_region_lower === rows - 1
    ? ""
    : `\x1b[${state.scroll_region_upper + 1};${state.scroll_region_lower + 1}r`

function trimmed(lines: string[]): string[] {
  const last = lines.findLastIndex(line => line !== "")
  return lines.slice(0, last + 1)
}
