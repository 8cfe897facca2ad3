import { execFile } from "node:child_process"

export interface RunResult {
  code: number
  stdout: string
  stderr: string
}
/** Runs a program and answers what it said; never throws. `limit` in milliseconds takes the place of the usual one. */
export type Run = (program: string, args: string[], limit?: number) => Promise<RunResult>

/** The same with a text on its standard input, for what must not be among its arguments. */
export type Feed = (program: string, args: string[], input: string) => Promise<RunResult>

/** The real thing, with a limit in time and output so that a hanging display holds nothing up. */
export const run: Run = (program, args, limit = 5_000) => runFor(limit, program, args)

/** For what takes its time. */
export const runLong: Run = (program, args, limit = 600_000) => runFor(limit, program, args)

export const feed: Feed = (program, args, input) => runFor(5_000, program, args, input)

/** For what takes its time. */
export const feedLong: Feed = (program, args, input) => runFor(120_000, program, args, input)

const runFor = (timeout: number, program: string, args: string[], input?: string): Promise<RunResult> =>
  new Promise(resolve => {
    const options = { timeout, killSignal: "SIGKILL", maxBuffer: 256 * 1024, env: process.env } as const
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1
      resolve({ code, stdout, stderr: stderr || error?.message || "" })
    })
    if (input === undefined) return
    // It may end without having read it; then its code says so.
    child.stdin?.on("error", () => {})
    child.stdin?.end(input)
  })
