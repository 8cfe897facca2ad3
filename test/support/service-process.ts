import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { PROJECT_ROOT } from "../../tools/setup/paths.ts"
import { waitUntil } from "./wait-until.ts"

export interface ServiceProcess {
  pid: number
  /** Everything it has written, to either output. */
  output(): string
  /** Asks it to end, and waits until it has. @returns its exit code */
  stop(): Promise<number | null>
  /** Ends it without a word, as a crash or a power cut does. */
  kill(): Promise<void>
}

/**
 * The service as operators start it: a process of its own, with its own log.
 * @param host what it takes its host's name to be; needs root
 */
export async function startServiceProcess(url: string, env: NodeJS.ProcessEnv, host?: string): Promise<ServiceProcess> {
  const service = [process.execPath, "--disable-warning=ExperimentalWarning", join(PROJECT_ROOT, "service", "main.ts")]
  const named = ["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', host ?? ""]
  const [command, ...args] = host === undefined ? service : [...named, ...service]
  const child: ChildProcess = spawn(
    command as string,
    args,
    // A folder without a `.env` of somebody's.
    { cwd: "/", env, stdio: ["ignore", "pipe", "pipe"] },
  )
  let output = ""
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text
    })
  }
  await waitUntil("the service's process is ready", async () => {
    if (child.exitCode !== null) throw new Error(`It ended with ${child.exitCode}: ${output}`)
    return (await fetch(`${url}/readyz`)).ok
  })
  return {
    pid: child.pid as number,
    output: () => output,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGTERM")
        // With all that it has said.
        await once(child, "close")
      }
      return child.exitCode
    },
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill("SIGKILL")
      await once(child, "exit")
    },
  }
}
