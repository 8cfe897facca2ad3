import type { Run } from "../run.ts"

export interface Terminal {
  name: string
  lastOutputAt: string
}

const SEPARATOR = "\t"
const FORMAT = ["#{session_name}:#{window_index}.#{pane_index}", "#{window_activity}"].join(SEPARATOR)

/** Panes and their last output out of what tmux lists (seconds since 1970). */
export function parsePanes(text: string): Terminal[] {
  return text.split("\n").flatMap(line => {
    const at = line.lastIndexOf(SEPARATOR)
    const seconds = Number(line.slice(at + 1))
    if (at < 1 || !Number.isInteger(seconds) || seconds <= 0) return []
    return [{ name: line.slice(0, at), lastOutputAt: new Date(seconds * 1_000).toISOString() }]
  })
}

/** All terminals of the workspace's tmux server; null when it does not answer. */
export async function terminals(run: Run, socket: string): Promise<Terminal[] | null> {
  // Without a UTF-8 locale tmux prints the tab as an underscore.
  const result = await run("tmux", ["-u", "-S", socket, "list-panes", "-a", "-F", FORMAT])
  return result.code === 0 ? parsePanes(result.stdout) : null
}
