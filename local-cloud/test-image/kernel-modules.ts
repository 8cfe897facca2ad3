import { readdir, readFile } from "node:fs/promises"
import { basename, join } from "node:path"
import { run } from "../machines/qemu/run.ts"

/**
 * Paths of the wanted kernel modules and of all they depend on, in the order in which they must be loaded.
 * A module that is not a file is taken to be built into the kernel; wanting one that exists nowhere is an error.
 */
export async function loadOrder(moduleDirectory: string, wanted: string[]): Promise<string[]> {
  const entries = await readdir(moduleDirectory, { recursive: true, withFileTypes: true })
  const files = new Map(
    entries
      .filter(entry => entry.isFile() && /\.ko(\.xz)?$/.test(entry.name))
      .map(entry => [moduleName(entry.name), join(entry.parentPath, entry.name)]),
  )
  const builtIn = await readFile(join(moduleDirectory, "modules.builtin"), "utf8")
  const builtInNames = new Set(builtIn.split("\n").map(line => moduleName(basename(line))))
  const order: string[] = []
  const visit = async (name: string): Promise<void> => {
    const file = files.get(name)
    if (file === undefined) {
      if (builtInNames.has(name)) return
      throw new Error(`The kernel package has no module ${name}; use another kernel package for the test image.`)
    }
    if (order.includes(file)) return
    for (const dependency of dependencies(await moduleBytes(file))) await visit(dependency)
    if (!order.includes(file)) order.push(file)
  }
  for (const name of wanted) await visit(name)
  return order
}

/** The module's bytes, unpacked where the distribution packs them. */
export async function moduleBytes(file: string): Promise<Buffer> {
  if (file.endsWith(".ko")) return await readFile(file)
  const { stdoutBytes } = await run("xz", ["--decompress", "--stdout", file])
  return stdoutBytes
}

/** File names say `-` or `_` as they like; the kernel takes both for the same. */
function moduleName(file: string): string {
  return file.replace(/\.ko(\.xz)?$/, "").replaceAll("-", "_")
}

/** The module information lies in the file as plain `key=value` strings that end with a zero byte. */
function dependencies(module: Buffer): string[] {
  const list = /\0depends=([^\0]*)\0/.exec(module.toString("latin1"))?.[1] ?? ""
  return list
    .split(",")
    .filter(name => name !== "")
    .map(moduleName)
}
