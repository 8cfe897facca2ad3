import { spawn } from "node:child_process"
import { join } from "node:path"

const MAIN = join(import.meta.dirname, "..", "..", "cli", "main.ts")

/** Runs `foozol-cloud` with these arguments and nothing of our own settings but PATH and HOME. */
export function foozolCloud(
  args: string[],
  env: Record<string, string>,
  input = "",
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const { PATH, HOME, FOOZOL_CACHE } = process.env
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...args], {
      env: { PATH, HOME, ...(FOOZOL_CACHE ? { FOOZOL_CACHE } : {}), ...env },
      stdio: ["pipe", "pipe", "pipe"],
    })
    let stdout = ""
    let stderr = ""
    child.stdout.on("data", chunk => {
      stdout += chunk
    })
    child.stderr.on("data", chunk => {
      stderr += chunk
    })
    child.on("error", reject)
    child.on("close", code => resolve({ code, stdout, stderr }))
    child.stdin.on("error", () => {})
    child.stdin.end(input)
  })
}
