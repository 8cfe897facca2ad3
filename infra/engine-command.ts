import { spawn } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { InfraError } from "./errors.ts"

/**
 * How long a run that was told to stop may take to finish the resource it is at, before it is killed. Milliseconds;
 * a create at the provider answers within a few seconds or not at all.
 */
const GRACE_MS = 10_000

/** One finished run of the CLI. */
export interface CommandOutput {
  stdout: string
  stderr: string
  code: number
  pid: number
  /** It was killed, by us since it did not stop when asked, or by somebody; whatever it held, it holds no more. */
  killed: boolean
}

export interface CommandOptions {
  cwd: string
  env: Record<string, string>
  signal?: AbortSignal | undefined
  onProcess?: ((pgid: number) => void) | undefined
  onOutput?: ((chunk: string) => void) | undefined
  onError?: ((chunk: string) => void) | undefined
}

/** Only what the engine needs of our own environment: our settings hold secrets that are none of its business. */
export function inheritedEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME, LANG, TMPDIR, SSL_CERT_FILE, HTTPS_PROXY, NO_PROXY } = process.env
  return { PATH, HOME, LANG, TMPDIR, SSL_CERT_FILE, HTTPS_PROXY, NO_PROXY }
}

/**
 * Runs the Pulumi CLI in a process group of its own and resolves when that whole group is gone, so that no plugin
 * outlives the run it belongs to. An abort asks the engine to stop after the resource it is at, then kills the group.
 * @throws InfraError `engine-missing` when the CLI cannot be started
 */
export async function runCommand(command: string, args: string[], options: CommandOptions): Promise<CommandOutput> {
  options.signal?.throwIfAborted()
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...inheritedEnvironment(), ...options.env },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  })
  let stdout = ""
  let stderr = ""
  let killed = false
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text
    options.onOutput?.(text)
  })
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text
    options.onError?.(text)
  })
  const ended = new Promise<number>((resolve, reject) => {
    child.on("error", error =>
      reject(
        new InfraError(
          "engine-missing",
          "fail",
          `The Pulumi CLI could not be started (${error.message}): run \`npm run setup\`.`,
        ),
      ),
    )
    child.on("close", (code, signal) => {
      if (signal === "SIGKILL") killed = true
      resolve(code ?? (signal ? 128 : 1))
    })
  })
  const pgid = child.pid
  // Without a process `ended` rejects.
  if (pgid === undefined) return ended.then(code => ({ stdout, stderr, code, pid: 0, killed: false }))
  options.onProcess?.(pgid)

  let over = false
  const stop = () => {
    child.kill("SIGINT")
    void sleep(GRACE_MS, undefined, { ref: false }).then(() => {
      if (!over) killed = killGroup(pgid)
    })
  }
  options.signal?.addEventListener("abort", stop, { once: true })
  try {
    const code = await ended
    over = true
    await emptyGroup(pgid)
    return { stdout, stderr, code, pid: pgid, killed }
  } finally {
    options.signal?.removeEventListener("abort", stop)
  }
}

/** Kills whatever is left of a process group; true when something was. */
export function killGroup(pgid: number): boolean {
  try {
    process.kill(-pgid, "SIGKILL")
    return true
  } catch {
    return false
  }
}

/** Waits until nothing of a process group is left, killing what lingers for more than a second. */
export async function emptyGroup(pgid: number): Promise<void> {
  for (let waited = 0; waited < 5_000 && groupLives(pgid); waited += 10) {
    if (waited >= 1_000) killGroup(pgid)
    await sleep(10)
  }
}

function groupLives(pgid: number): boolean {
  try {
    process.kill(-pgid, 0)
  } catch {
    return false
  }
  // The signal also finds the dead whom nobody has waited for; /proc tells them apart.
  return readdirSync("/proc").some(pid => /^\d+$/.test(pid) && isLivingMember(pid, pgid))
}

function isLivingMember(pid: string, pgid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    if (Number(group) !== pgid) return false
    // One whose first thread has ended is dead when its others are: until then what they write may still arrive.
    return (state !== "Z" && state !== "X") || readdirSync(`/proc/${pid}/task`).length > 1
  } catch {
    return false
  }
}
