import { spawn } from "node:child_process"
import { createWriteStream } from "node:fs"
import { ImageError } from "./errors.ts"

/** How to run a program. */
export interface RunOptions {
  cwd?: string
  env?: NodeJS.ProcessEnv
  /** Given to the program as its standard input. */
  input?: string
  /** File that gets everything the program prints, appended. */
  logFile?: string
  /** Hears every line as it comes. */
  onLine?: (line: string) => void
}

/** Runs a program to its end and returns its standard output; throws one sentence that names it when it fails. */
export async function run([program = "", ...args]: string[], options: RunOptions = {}): Promise<string> {
  const { cwd, env, input = "", logFile, onLine } = options
  const child = spawn(program, args, { cwd, env, stdio: ["pipe", "pipe", "pipe"] })
  const file = logFile === undefined ? null : createWriteStream(logFile, { flags: "a" })
  let output = ""
  let errors = ""
  let line = ""
  const heard = (text: string) => {
    file?.write(text)
    const lines = `${line}${text}`.split("\n")
    line = lines.pop() ?? ""
    for (const one of lines) onLine?.(one)
  }
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text
    heard(text)
  })
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors = `${errors}${text}`.slice(-4_000)
    heard(text)
  })
  // A program that ends without reading its input closes the pipe; its exit code tells the rest.
  child.stdin.on("error", () => {})
  child.stdin.end(input)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", (error: NodeJS.ErrnoException) => {
      const isMissing = error.code === "ENOENT"
      reject(isMissing ? new ImageError("missing-program", `${program} is not installed or not on the PATH.`) : error)
    })
    child.on("close", resolve)
  })
  await new Promise<void>(resolve => (file === null ? resolve() : file.end(resolve)))
  if (code === 0) return output
  const words = errors.trim().split("\n").slice(-3).join(" / ") || `exit code ${code}`
  throw new ImageError("program-failed", `${program} ${args[0] ?? ""} failed: ${words}`, logFile)
}
