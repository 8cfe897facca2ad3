import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

/** Secrets by what they are, each with a text that occurs nowhere by chance. */
export type Canaries = Record<string, string>

/** Where a canary was seen. */
export interface Sighting {
  what: string
  where: string
}

/** Which canaries a text holds in the clear, as they are or as they would stand in a URL, in JSON or in Base64. */
export function canariesIn(text: string, canaries: Canaries, where: string): Sighting[] {
  return Object.entries(canaries).flatMap(([what, secret]) => {
    const forms = [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), base64(secret)]
    return forms.some(form => text.includes(form)) ? [{ what, where }] : []
  })
}

/** The part of a text's Base64 that does not depend on its end. */
const base64 = (text: string) =>
  Buffer.from(text)
    .toString("base64")
    .slice(0, Math.floor(text.length / 3) * 4)

/** Looks into every file below a directory. */
export function canariesBelow(directory: string, canaries: Canaries): Sighting[] {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  return files.flatMap(({ parentPath, name }) => {
    const path = join(parentPath, name)
    return canariesIn(readFileSync(path, "latin1"), canaries, path)
  })
}

/** Looks at the arguments and the environment of every process of this machine that can be looked at. */
export function canariesInProcesses(canaries: Canaries): (Sighting & { pid: number; program: string })[] {
  return readdirSync("/proc")
    .filter(name => /^\d+$/.test(name))
    .flatMap(pid => {
      const program = look(`/proc/${pid}/comm`).trim()
      return ["cmdline", "environ"].flatMap(file =>
        canariesIn(look(`/proc/${pid}/${file}`), canaries, file).map(one => ({ ...one, pid: Number(pid), program })),
      )
    })
}

/** Processes end while they are looked at. */
function look(path: string): string {
  try {
    return readFileSync(path, "latin1")
  } catch {
    return ""
  }
}
