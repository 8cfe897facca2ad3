import { execFile } from "node:child_process"
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { cacheDirectory } from "../../tools/setup/paths.ts"

const run = promisify(execFile)
/** Milliseconds an installation may take: some forty packages. */
const INSTALL_MS = 240_000

/**
 * A tool of Python's in an environment of its own in the cache folder, installed at the first use.
 * @param name as people call it
 * @param pins packages with their versions; the first names the folder
 * @returns the Python to run it with (`-m …`), or the reason why it cannot be had here
 */
export async function obtainPythonTool(
  name: string,
  pins: readonly string[],
): Promise<{ python: string } | { reason: string }> {
  const directory = join(cacheDirectory(), pins.join("-").replaceAll("==", "-").replaceAll(/[[\]]/g, "_"))
  const python = join(directory, "bin", "python3")
  if (existsSync(python)) return { python }
  const making = `${directory}.${process.pid}`
  mkdirSync(cacheDirectory(), { recursive: true })
  try {
    await run("python3", ["-m", "venv", making], { timeout: INSTALL_MS })
  } catch (error) {
    rmSync(making, { recursive: true, force: true })
    return { reason: `${name} needs Python 3 with venv: ${firstLine(error)}` }
  }
  try {
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...pins]
    await run(join(making, "bin", "python3"), pip, { timeout: INSTALL_MS })
  } catch (error) {
    rmSync(making, { recursive: true, force: true })
    return { reason: `${name} could not be installed from the package index: ${firstLine(error)}` }
  }
  // Whole or not there. Its programs name the folder they were made in, so it is run as a module.
  renameSync(making, directory)
  return { python }
}

const firstLine = (error: unknown) =>
  String((error as Error).message)
    .trim()
    .split("\n")
    .at(-1) ?? ""
