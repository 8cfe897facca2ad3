import { spawn } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { setPriority } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"

/** Runs the real program. */
export interface Restic {
  /** @param hear gets every line it prints. @returns its exit status and its last words */
  (
    args: string[],
    options?: { hear?: (line: string) => void; folder?: string },
  ): Promise<{ code: number; said: string; lines: string[] }>
}

/** Whoever works at the machine goes first. */
const NICENESS = 10
/** Lines and characters that are kept where nobody hears them. */
const MOST_LINES = 2_000
const MOST_SAID = 4_096

/**
 * Restic before one repository. Address and password lie in files that root alone can read, in a file system of memory,
 * until `close`: they are in no argument and in no environment.
 * @param runtimeDirectory in memory
 * @param cache where it keeps what it has read of the repository, encrypted
 */
export async function openRestic(options: {
  program: string
  repository: string
  password: string
  runtimeDirectory: string
  cache: string
  signal: AbortSignal
}): Promise<{ restic: Restic; close(): Promise<void> }> {
  const { program, cache, signal } = options
  const folder = await mkdtemp(join(options.runtimeDirectory, "home-backup-"))
  const [repository, password] = [join(folder, "repository"), join(folder, "password")]
  await writeFile(repository, options.repository, { mode: 0o600 })
  await writeFile(password, options.password, { mode: 0o600 })
  const env = {
    ...{ PATH: process.env.PATH, LC_ALL: "C.UTF-8", TMPDIR: cache },
    ...{ RESTIC_REPOSITORY_FILE: repository, RESTIC_PASSWORD_FILE: password, RESTIC_CACHE_DIR: cache },
    // How far it is, every two seconds; and memory rather than speed is what a machine has little of.
    ...{ RESTIC_PROGRESS_FPS: "0.5", GOGC: "30" },
  }

  const restic: Restic = (args, { hear, folder: cwd = "/" } = {}) =>
    new Promise(resolve => {
      const child = spawn(program, args, { cwd, env, signal, killSignal: "SIGKILL", stdio: ["ignore", "pipe", "pipe"] })
      if (child.pid !== undefined) lower(child.pid)
      const lines: string[] = []
      let said = ""
      createInterface({ input: child.stdout }).on("line", line => {
        if (hear) hear(line)
        else if (lines.length < MOST_LINES) lines.push(line)
      })
      child.stderr.setEncoding("utf8").on("data", text => {
        said = `${said}${text}`.slice(-MOST_SAID)
      })
      child.once("error", error => {
        said = `${said}\n${error.message}`
      })
      child.once("close", code => resolve({ code: code ?? -1, said: said.trim(), lines }))
    })
  return { restic, close: () => rm(folder, { recursive: true, force: true }) }
}

function lower(pid: number): void {
  try {
    setPriority(pid, NICENESS)
  } catch {
    // It has ended already.
  }
}
