import { stat } from "node:fs/promises"
import type { Run } from "../run.ts"

/** A pane of tmux as far as agents are concerned. */
export interface AgentPane {
  /** tmux's name of it, `%3`. */
  id: string
  /** Number of its terminal. */
  terminal: number
  /** What the program in it calls its window: some say there how they are. */
  title: string
}

const FORMAT = ["#{pane_id}", "#{pane_tty}", "#{pane_title}"].join("\t")

/** All panes; none where tmux does not answer. */
export async function agentPanes(run: Run, socket: string): Promise<AgentPane[]> {
  const { code, stdout } = await run("tmux", ["-N", "-u", "-S", socket, "list-panes", "-a", "-F", FORMAT])
  if (code !== 0) return []
  const panes = new Map<string, AgentPane>()
  for (const line of stdout.split("\n")) {
    const [id = "", tty = "", title = ""] = line.split("\t")
    if (!/^%\d+$/.test(id) || !/^\/dev\/pts\/\d+$/.test(tty)) continue
    const terminal = await stat(tty).then(
      ({ rdev }) => rdev,
      () => null,
    )
    if (terminal !== null) panes.set(id, { id, terminal, title })
  }
  return [...panes.values()]
}

/** What a pane shows now. */
export async function screenOf(run: Run, socket: string, pane: string): Promise<string> {
  const { stdout } = await run("tmux", ["-N", "-u", "-S", socket, "capture-pane", "-p", "-t", pane])
  return stdout
}
