import { pause } from "../backoff.ts"
import type { Run } from "../run.ts"
import { asArguments, openCommand } from "./commands.ts"

/** So long a desktop may be without terminals when there is something to show in one, seconds. */
const OPENING_S = 120

/**
 * Shows a folder in a window of the desktop's terminal, as soon as there are terminals.
 * @param name, folder without signs of tmux's own
 */
export async function openWindow(
  { run, socket, signal }: { run: Run; socket: string; signal: AbortSignal },
  folder: string,
  name: string,
): Promise<void> {
  for (let tries = 0; tries < OPENING_S && !signal.aborted; tries++) {
    const { code } = await run("tmux", ["-N", "-u", "-S", socket, ...asArguments(openCommand(name, folder))])
    if (code === 0) return
    await pause(1_000, signal)
  }
}
