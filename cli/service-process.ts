import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { StartError } from "../local-cloud/errors.ts"
import { PROJECT_ROOT } from "../tools/setup/paths.ts"

/** The service as a child of this process. */
export interface ServiceProcess {
  child: ChildProcess
  /** Asks it to stop and waits: operations under way may end first. */
  stop(): Promise<void>
}

/**
 * Starts service/main.ts and waits until it is ready.
 * @param env its whole environment: settings and secrets travel here and nowhere else
 * @throws StartError with what it said when it gave up
 */
export async function startServiceProcess(
  env: NodeJS.ProcessEnv,
  { url, logFile }: { url: string; logFile: string },
): Promise<ServiceProcess> {
  mkdirSync(dirname(logFile), { recursive: true, mode: 0o700 })
  const log = openSync(logFile, "a", 0o600)
  const main = join(PROJECT_ROOT, "service", "main.ts")
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main], {
    env,
    stdio: ["ignore", log, log],
    // Ctrl-C reaches the whole foreground group; this process decides who ends when.
    detached: true,
  })
  closeSync(log)
  let exited = false
  child.on("exit", () => (exited = true))
  while (!(await isReady(url))) {
    if (exited) throw new StartError(`The service did not start: ${lastWords(logFile)}`)
    await sleep(100)
  }
  return {
    child,
    async stop() {
      if (exited) return
      child.kill("SIGTERM")
      await once(child, "exit")
    },
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) })).ok
  } catch {
    return false
  }
}

/** What it said last: a sentence of ours on lines without JSON, else the newest message. */
function lastWords(logFile: string): string {
  const lines = readFileSync(logFile, "utf8").trim().split("\n").slice(-8)
  const plain = lines.filter(line => !line.startsWith("{"))
  if (plain.length > 0) return plain.join("\n")
  return (JSON.parse(lines.at(-1) ?? "{}") as { msg?: string }).msg ?? "it said nothing"
}
