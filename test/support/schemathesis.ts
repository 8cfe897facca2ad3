import { execFile } from "node:child_process"
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { cacheDirectory } from "../../tools/setup/paths.ts"
import { temporaryDirectory } from "./temporary-directory.ts"

/** The tool and the engine that makes its examples; both pinned, since others find other things. */
const PINS = ["schemathesis==4.32.5", "hypothesis==6.170.15"]

const run = promisify(execFile)
/** Milliseconds an installation may take: some forty packages. */
const INSTALL_MS = 240_000

/**
 * Schemathesis in an environment of its own in the cache folder, installed at the first use.
 * @returns the Python to run it with (`-m schemathesis.cli`), or the reason why it cannot be had here
 */
export async function obtainSchemathesis(): Promise<{ python: string } | { reason: string }> {
  const directory = join(cacheDirectory(), PINS.join("-").replaceAll("==", "-"))
  const python = join(directory, "bin", "python3")
  if (existsSync(python)) return { python }
  const making = `${directory}.${process.pid}`
  mkdirSync(cacheDirectory(), { recursive: true })
  try {
    await run("python3", ["-m", "venv", making], { timeout: INSTALL_MS })
  } catch (error) {
    rmSync(making, { recursive: true, force: true })
    return { reason: `Schemathesis needs Python 3 with venv: ${firstLine(error)}` }
  }
  try {
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...PINS]
    await run(join(making, "bin", "python3"), pip, { timeout: INSTALL_MS })
  } catch (error) {
    rmSync(making, { recursive: true, force: true })
    return { reason: `Schemathesis could not be installed from the package index: ${firstLine(error)}` }
  }
  // Whole or not there. Its programs name the folder they were made in, so it is run as a module.
  renameSync(making, directory)
  return { python }
}

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

const firstLine = (error: unknown) =>
  String((error as Error).message)
    .trim()
    .split("\n")
    .at(-1) ?? ""
