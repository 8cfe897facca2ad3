/** How long each test file took, its hooks included: what makes a run long, and what to begin early in the next one. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/** How many files are named at the end of a run. */
const NAMED = 20
const FILE = "test-times.json"

/** Milliseconds by path of a test file, from the root of the project. */
export type Times = Record<string, number>

/** What the last runs took, as far as this cache folder knows. */
export function lastTimes(cache: string): Times {
  try {
    return JSON.parse(readFileSync(join(cache, FILE), "utf8"))
  } catch {
    return {}
  }
}

/**
 * Reads what the lanes of a run have written (tools/reporter.cjs, tools/file-times.cjs) and keeps it for the next one.
 * @param file lines of JSON, `{ "file": absolute path, "ms": milliseconds }`, a file named as often as it has parts
 */
export function keepTimes(file: string, root: string, cache: string): Times {
  const times: Times = {}
  for (const line of existsSync(file) ? readFileSync(file, "utf8").split("\n") : []) {
    if (line === "") continue
    const { file: path, ms } = JSON.parse(line) as { file: string; ms: number }
    const name = path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path
    times[name] = (times[name] ?? 0) + ms
  }
  mkdirSync(cache, { recursive: true })
  const target = join(cache, FILE)
  writeFileSync(`${target}.new`, `${JSON.stringify({ ...lastTimes(cache), ...times }, null, 2)}\n`)
  renameSync(`${target}.new`, target)
  return times
}

/** The slowest files, one a line, and what all took together. */
export function tellTimes(times: Times): string[] {
  const all = Object.entries(times).sort(([, a], [, b]) => b - a)
  const seconds = (ms: number) => (ms / 1_000).toFixed(1).padStart(7)
  const sum = all.reduce((total, [, ms]) => total + ms, 0)
  return [
    `slowest files, seconds with their hooks (${all.length} files take ${Math.round(sum / 1_000)} s one after the other):`,
    ...all.slice(0, NAMED).map(([file, ms]) => `${seconds(ms)}  ${file}`),
  ]
}
