/** A terminal is a pane of the workspace's tmux; most windows have one. */
export interface Terminal {
  /** tmux's own name of the pane, `%3`: good as long as its server runs. */
  id: string
  /** What people call it. */
  name: string
  /** The program in front, `bash`. */
  program: string
  /** The desktop shows it, and what is typed there goes to it. */
  front: boolean
  cols: number
  rows: number
}

/** A terminal with what only this side needs. */
export interface Pane extends Terminal {
  session: string
  window: string
  /** Panes its window is divided into: alone, it can be given any size. */
  panes: number
}

const SEPARATOR = "\t"
/** The session that the desktop's terminal shows. */
const DESKTOP = "main"
const FIELDS = [
  "session_id",
  "session_name",
  "window_id",
  "window_index",
  "window_name",
  "automatic-rename",
  "window_panes",
  "pane_id",
  "pane_index",
  "pane_current_command",
  "pane_width",
  "pane_height",
  "window_active",
  "pane_active",
] as const

/** The format in which tmux is asked for its panes. */
export const LIST_FORMAT = FIELDS.map(field => `#{${field}}`).join(SEPARATOR)

/** Most characters of a name. */
export const MAX_NAME = 40
/**
 * Letters, digits and what stands in names of files: nothing that tmux's formats (`#`), its command lines (quotes,
 * `;`) or its targets (`:` at the end) read as more than text.
 */
const NAME = /^[\p{L}\p{M}\p{N} ._+@()/-]+$/u

/** A name as it may be given to tmux, or null. */
export function cleanName(given: unknown): string | null {
  if (typeof given !== "string") return null
  const name = given.trim().replace(/\s+/g, " ")
  // One that begins with a dash would be an option.
  return name !== "" && [...name].length <= MAX_NAME && NAME.test(name) && !name.startsWith("-") ? name : null
}

/** The name of a new terminal: the first number that is free. */
export function freeName(taken: readonly string[]): string {
  for (let number = 1; ; number++) if (!taken.includes(`Terminal ${number}`)) return `Terminal ${number}`
}

type Row = Record<(typeof FIELDS)[number], string>

/** All panes out of what tmux lists; those of the desktop's session come first. */
export function parseList(lines: readonly string[]): Pane[] {
  const rows = lines.flatMap(line => {
    const values = line.split(SEPARATOR)
    if (values.length !== FIELDS.length || !/^%\d+$/.test(values[7] ?? "")) return []
    return [Object.fromEntries(FIELDS.map((field, at) => [field, values[at]])) as Row]
  })
  // A window that is in several sessions is listed in each.
  const once = [...new Map(rows.toReversed().map(row => [row.pane_id, row])).values()]
  const order = (row: Row) => [row.session_name === DESKTOP ? 0 : 1, Number(row.pane_id.slice(1))] as const
  once.sort((a, b) => order(a)[0] - order(b)[0] || order(a)[1] - order(b)[1])
  return once.map(row => ({
    id: row.pane_id,
    name: nameOf(row, rows),
    program: row.pane_current_command,
    front: row.session_name === DESKTOP && row.window_active === "1" && row.pane_active === "1",
    cols: Number(row.pane_width),
    rows: Number(row.pane_height),
    session: row.session_id,
    window: row.window_id,
    panes: Number(row.window_panes),
  }))
}

/** A window that was given a name has it; one that is called like what runs in it is told by its session. */
function nameOf(row: Row, rows: Row[]): string {
  const windows = new Set(rows.filter(one => one.session_id === row.session_id).map(one => one.window_id)).size
  const plain = windows > 1 ? `${row.session_name}:${row.window_index}` : row.session_name
  const name = row["automatic-rename"] === "0" ? row.window_name : plain
  return Number(row.window_panes) > 1 ? `${name}.${row.pane_index}` : name
}
