import { chmod, copyFile, mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { PROJECT_ROOT } from "../../tools/setup/paths.ts"

/** Puts a stand-in of Claude Code, and the program of a window with an agent, into `bin` of a home. */
export async function installAgentProgram(home: string): Promise<{ window: string; path: string[] }> {
  const bin = join(home, "bin")
  await mkdir(bin)
  await copyFile(join(PROJECT_ROOT, "test/support/agent-program.mjs"), join(bin, "claude"))
  await chmod(join(bin, "claude"), 0o755)
  // As on the machine; what shells there read is not here.
  const window = join(bin, "agent-window")
  const script = await readFile(join(PROJECT_ROOT, "image-builder/rootfs/usr/lib/foozol/agent-window"), "utf8")
  const shell = script.replace(/^\. \/etc\/profile$/m, `PATH=${bin}:$PATH`).replace("bash -l", "bash --norc")
  if (!shell.includes(bin)) throw new Error("The program of a window reads something else than shells do.")
  await writeFile(window, shell, { mode: 0o755 })
  return { window, path: [bin] }
}
