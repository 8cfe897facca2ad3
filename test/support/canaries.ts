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

/** A sighting in a process, with the program's name and its arguments. */
export type ProcessSighting = Sighting & { pid: number; program: string; cmdline: string }

/**
 * Looks at the arguments and the environment of every process of this machine that can be looked at; at those of which one
 * becomes another program meanwhile, again.
 */
export function canariesInProcesses(canaries: Canaries): ProcessSighting[] {
  return readdirSync("/proc")
    .filter(name => /^\d+$/.test(name))
    .flatMap(pid => canariesInProcess(pid, canaries))
}

function canariesInProcess(pid: string, canaries: Canaries): ProcessSighting[] {
  for (;;) {
    const program = programOf(pid)
    const cmdline = look(`/proc/${pid}/cmdline`)
    const environ = look(`/proc/${pid}/environ`)
    const found = Object.entries({ cmdline, environ }).flatMap(([where, text]) =>
      canariesIn(text, canaries, where).map(one => ({ ...one, pid: Number(pid), program, cmdline })),
    )
    if (found.length === 0 || programOf(pid) === program) return found
  }
}

const programOf = (pid: string) => look(`/proc/${pid}/comm`).trim()

/** Processes end while they are looked at. */
function look(path: string): string {
  try {
    return readFileSync(path, "latin1")
  } catch {
    return ""
  }
}
