import { spawn } from "node:child_process"

/** What a program printed and how it ended; `code` is null when a signal ended it or it could not be started. */
export interface RunResult {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs a program to its end. Never throws: a program that cannot be started has `code` null and says why on stderr. */
export function run(
  command: string,
  args: string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; onLine?: (line: string) => void; inherit?: boolean } = {},
): Promise<RunResult> {
  return new Promise(resolve => {
    const child = spawn(command, args, {
      ...(options.cwd ? { cwd: options.cwd } : {}),
      env: options.env ?? process.env,
      stdio: options.inherit ? "inherit" : ["ignore", "pipe", "pipe"],
    })
    let stdout = ""
    let stderr = ""
    const collect = (chunk: Buffer, keep: (text: string) => void) => {
      const text = chunk.toString()
      keep(text)
      if (options.onLine) for (const line of text.split("\n")) if (line.trim()) options.onLine(line.trim())
    }
    child.stdout?.on("data", chunk => collect(chunk, text => (stdout += text)))
    child.stderr?.on("data", chunk => collect(chunk, text => (stderr += text)))
    child.on("error", error => resolve({ code: null, stdout, stderr: error.message }))
    child.on("close", code => resolve({ code, stdout, stderr }))
  })
}

/** The absolute path of a program on PATH, or null. */
export async function which(name: string): Promise<string | null> {
  const found = await run("/bin/sh", ["-c", 'command -v "$0"', name])
  return found.code === 0 ? found.stdout.trim() : null
}
