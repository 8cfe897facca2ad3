import { lstat, mkdir, realpath } from "node:fs/promises"
import { join, relative, sep } from "node:path"
import { isName } from "./names.ts"
import { codeOf, Problem } from "./problem.ts"

/** What a path of the page leads to: a name in a folder that really lies in the home. */
export interface Place {
  /** The folder, without links. */
  folder: string
  name: string
  full: string
}

export type Places = ReturnType<typeof createPlaces>

/**
 * Turns paths of the page (`projects/web`, nothing for the home) into paths of the machine. Links are followed within
 * the home and never out of it. Whoever could change a link between look and use is the user themselves, whose rights
 * are all this process has.
 */
export function createPlaces(home: string) {
  const root = realpath(home)

  async function within(path: string): Promise<string> {
    const [base, real] = [await root, await realpath(path)]
    if (real === base || real.startsWith(base + sep)) return real
    throw new Problem("outside", 400, "This link leads out of your home; it is not followed here.")
  }

  const namesOf = (path: string): string[] => {
    const names = path === "" ? [] : path.split("/")
    if (names.every(isName)) return names
    throw new Problem("bad-path", 400, "That is no path.")
  }

  /** The real path of a folder or file that is there. */
  const existing = async (path: string): Promise<string> => within(join(await root, ...namesOf(path)))

  return {
    root: () => root,
    existing,
    /** A name in a folder, whether or not it is there; if it is a link, the link itself. */
    async place(path: string): Promise<Place> {
      const names = namesOf(path)
      const name = names.pop()
      if (name === undefined) throw new Problem("bad-path", 400, "That cannot be done with the whole home.")
      const folder = await existing(names.join("/"))
      return { folder, name, full: join(folder, name) }
    },
    /** The folder of that path; what is missing of it is made. @param names safe ones, below the folder */
    async madeFolder(path: string, names: string[]): Promise<string> {
      let folder = await existing(path)
      for (const name of names) {
        const next = join(folder, name)
        await mkdir(next).catch(error => {
          if (codeOf(error) !== "EEXIST") throw error
        })
        folder = await within(next)
        if (!(await lstat(folder)).isDirectory())
          throw new Problem("exists", 409, `"${name}" is a file: no folder of that name can be made.`)
      }
      return folder
    },
    /** As the page calls it. */
    async told(full: string): Promise<string> {
      return relative(await root, full)
    },
  }
}
