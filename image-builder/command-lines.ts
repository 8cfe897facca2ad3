import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { arch } from "node:os"
import { join } from "node:path"
import { asRoot } from "./as-root.ts"
import { COMMAND_LINES, COMMAND_LINES_WITH_SCRIPTS, NODE_VERSION, PYTHON_PROGRAMS } from "./definition.ts"
import { ImageError } from "./errors.ts"
import type { Layer } from "./layers.ts"
import { run } from "./run.ts"

/**
 * Node, the npm command lines and the programs of Python's. The builder's npm and pip install them from outside, with
 * the builder's own settings: so the image needs no way to a registry, and none is written into it.
 */
export function commandLines(about: { cacheDirectory: string; logFile: string; log: (line: string) => void }): Layer {
  const node = `node-linux-${arch()}@${NODE_VERSION}`
  return {
    name: "tools",
    inputs: { node, COMMAND_LINES, COMMAND_LINES_WITH_SCRIPTS, PYTHON_PROGRAMS },
    keep: true,
    async apply(root) {
      const work = await mkdtemp(join(about.cacheDirectory, "npm-"))
      const npm = (args: string[]) =>
        run(["npm", ...args, "--no-audit", "--no-fund"], { cwd: work, logFile: about.logFile })
      try {
        const prefix = join(work, "root", "usr")
        await mkdir(join(prefix, "bin"), { recursive: true })
        about.log(`  ${node}`)
        await npm(["install", "--prefix", join(work, "node"), node])
        await copyFile(
          join(work, "node", "node_modules", node.replace(/@.*/, ""), "bin", "node"),
          join(prefix, "bin", "node"),
        )
        for (const name of COMMAND_LINES) {
          about.log(`  ${name}`)
          const scripts = COMMAND_LINES_WITH_SCRIPTS.join(",")
          await npm(["install", "--global", "--prefix", prefix, `--allow-scripts=${scripts}`, name])
        }
        for (const name of PYTHON_PROGRAMS) about.log(`  ${name.split(" ")[0]}`)
        await writeFile(join(work, "python.txt"), PYTHON_PROGRAMS.join("\n"))
        const python = join(prefix, "lib", "foozol", "python")
        const pip = ["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile"]
        await run(["pip3", ...pip, "--target", python, "--requirement", join(work, "python.txt")], {
          cwd: work,
          logFile: about.logFile,
        })
        // Its starter names the builder's Python.
        await rm(join(python, "bin"), { recursive: true })
        await run(["sh", "-euc", copyTree, "sh", join(work, "root"), root])
      } catch (error) {
        throw new ImageError(
          "tools-failed",
          `Node and the command lines were not installed. ${(error as Error).message}`,
        )
      } finally {
        await rm(work, { recursive: true, force: true })
      }
    },
  }
}

/** Copies a tree into another as root's files, whoever owns the originals. */
export const copyTree = `tar --create --owner=0 --group=0 --directory "$1" . | ${asRoot(["tar"]).join(" ")} --extract --keep-directory-symlink --no-overwrite-dir --directory "$2"`
