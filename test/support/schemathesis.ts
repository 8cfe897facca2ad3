import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { obtainPythonTool } from "./python-tool.ts"
import { temporaryDirectory } from "./temporary-directory.ts"

/** The tool and the engine that makes its examples; both pinned, since others find other things. */
const PINS = ["schemathesis==4.32.5", "hypothesis==6.170.15"]

const run = promisify(execFile)

/** @returns the Python to run it with (`-m schemathesis.cli`), or the reason why it cannot be had here */
export const obtainSchemathesis = () => obtainPythonTool("Schemathesis", PINS)

/**
 * Tries an API out by its description and says what is wrong with it.
 * @param options.seconds for all of it; what is known to break APIs is tried first
 */
export async function runSchemathesis(
  python: string,
  options: { description: string; token: string; seconds: number; checks: string[]; args?: string[] },
): Promise<{ code: number; output: string }> {
  const { path: cwd, remove } = await temporaryDirectory()
  const given = ["--checks", options.checks.join(","), "--header", `Authorization: Bearer ${options.token}`]
  const limits = ["--max-examples", "12", "--max-time", String(options.seconds), "--request-timeout", "20"]
  const repeatable = ["--seed", "1", "--generation-database", "none", "--no-color", "--continue-on-failure"]
  const args = ["-m", "schemathesis.cli", "run", options.description, ...given, ...limits, ...repeatable]
  try {
    const { stdout } = await run(python, [...args, ...(options.args ?? [])], { cwd, maxBuffer: 64 * 1024 ** 2 })
    return { code: 0, output: stdout }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, output: `${stdout}${stderr}` }
  } finally {
    await remove()
  }
}
