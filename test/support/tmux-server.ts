import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { PROJECT_ROOT } from "../../tools/setup/paths.ts"
import { temporaryDirectory } from "./temporary-directory.ts"

export interface TmuxServer {
  socket: string
  /** Runs tmux against it and answers what it printed. */
  tmux(...args: string[]): Promise<string>
  close(): Promise<void>
}

/**
 * A tmux of its own, with the image's configuration and a session `main` as on a machine; its shells are plain ones
 * that start at once and show the prompt `$ `.
 */
export async function startTmux(): Promise<TmuxServer> {
  const { path, remove } = await temporaryDirectory()
  const socket = join(path, "tmux.sock")
  const run = promisify(execFile)
  const env = { PATH: process.env.PATH, HOME: path, LANG: "C.UTF-8", PS1: "$ ", HISTFILE: "" } as NodeJS.ProcessEnv
  const tmux = async (...args: string[]) => (await run("tmux", ["-u", "-S", socket, ...args], { env })).stdout
  await run("tmux", ["-u", "-f", "/dev/null", "-S", socket, "new-session", "-d", "-s", "setup"], { env })
  await tmux("source-file", join(PROJECT_ROOT, "image-builder/rootfs/etc/tmux.conf"))
  await tmux("set-option", "-g", "default-command", "bash --norc --noprofile")
  await tmux("new-session", "-d", "-s", "main", "-x", "120", "-y", "40")
  await tmux("kill-session", "-t", "setup")
  return {
    socket,
    tmux,
    close: async () => {
      await tmux("kill-server").catch(() => {})
      await remove()
    },
  }
}
