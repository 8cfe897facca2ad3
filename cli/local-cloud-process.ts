import { spawn } from "node:child_process"
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { StartError } from "../local-cloud/errors.ts"
import { type Runtime, readRuntime, startTicks } from "../local-cloud/runtime-file.ts"
import { dataDirectory, PROJECT_ROOT } from "../tools/setup/paths.ts"

/** Folder of the local cloud: its records, machines, ledger and log. */
export const localCloudDirectory = (env: NodeJS.ProcessEnv = process.env) => join(dataDirectory(env), "local-cloud")

/** Its log. */
export const localCloudLog = () => join(localCloudDirectory(), "local-cloud.log")

/** The local cloud that runs on this machine, or null. */
export const readLocalCloud = (env: NodeJS.ProcessEnv = process.env): Runtime | null =>
  readRuntime(localCloudDirectory(env))

/**
 * Starts the local cloud in the background and waits until it answers. Does nothing when it runs already.
 * @param args options of local-cloud/main.ts
 * @throws StartError with what the process said when it gave up
 */
export async function startLocalCloudProcess(args: string[]): Promise<Runtime> {
  const running = readLocalCloud()
  if (running) return running
  const directory = localCloudDirectory()
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const log = openSync(localCloudLog(), "a", 0o600)
  const main = join(PROJECT_ROOT, "local-cloud", "main.ts")
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", main, "--directory", directory, ...args],
    {
      detached: true,
      stdio: ["ignore", log, log],
    },
  )
  closeSync(log)
  child.unref()
  let exited = false
  child.on("exit", () => (exited = true))
  for (;;) {
    const runtime = readLocalCloud()
    if (runtime?.pid === child.pid) return runtime as Runtime
    if (exited) throw new StartError(lastLine(localCloudLog()))
    await sleep(50)
  }
}

/** Ends the local cloud; its machines go on running. False when it did not run. */
export async function stopLocalCloudProcess(): Promise<boolean> {
  const running = readLocalCloud()
  if (!running) return false
  process.kill(running.pid, "SIGTERM")
  while (startTicks(running.pid) === running.startTicks) await sleep(50)
  return true
}

function lastLine(file: string): string {
  const lines = readFileSync(file, "utf8").trim().split("\n")
  const line = lines.at(-1) ?? ""
  try {
    return String((JSON.parse(line) as { msg?: string }).msg ?? line)
  } catch {
    return line
  }
}
