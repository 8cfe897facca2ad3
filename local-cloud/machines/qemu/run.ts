import { spawn } from "node:child_process"

/** What a program printed. */
export interface Output {
  stdout: string
  stdoutBytes: Buffer
}

/**
 * Runs a program to its end and returns what it printed.
 * Throws with one sentence that names the program and its last words when it is missing or fails.
 */
export async function run(program: string, args: string[], options: { cwd?: string } = {}): Promise<Output> {
  const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] })
  const output: Buffer[] = []
  const errors: Buffer[] = []
  child.stdout.on("data", chunk => output.push(chunk))
  child.stderr.on("data", chunk => errors.push(chunk))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", (error: NodeJS.ErrnoException) => {
      reject(error.code === "ENOENT" ? new Error(`${program} is not installed or not on the PATH.`) : error)
    })
    child.on("close", resolve)
  })
  if (code !== 0) {
    const words = Buffer.concat(errors).toString().trim().split("\n").slice(-3).join(" / ")
    throw new Error(`${program} ${args[0] ?? ""} failed: ${words || `exit code ${code}`}`)
  }
  const stdoutBytes = Buffer.concat(output)
  return { stdout: stdoutBytes.toString(), stdoutBytes }
}
