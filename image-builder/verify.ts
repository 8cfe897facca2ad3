import { mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { ImageError } from "./errors.ts"
import type { Manifest } from "./manifest.ts"
import type { Check, Level, Result } from "./verify/check.ts"
import { CHECKLIST } from "./verify/checklist.ts"
import { checklistHash } from "./verify/checklist-hash.ts"
import { png } from "./verify/rfb/png.ts"
import { type Run, type RunOptions, startRun } from "./verify/run.ts"
import { checksOf, runChecks } from "./verify/run-checks.ts"

export interface VerifyOptions extends Omit<RunOptions, "profile"> {
  level: Level
  /** Folder for what a failure leaves: pictures of the screen and the machine's console. */
  evidence: string
  /** Hears of each check as it begins; `at` counts from 1. */
  begin?: (check: Check, at: number, of: number) => void
  /** Hears of each check as it ends. */
  end?: (result: Result) => void
}

/** What the checklist found out about an image; kept beside it as `verified.json` when nothing failed. */
export interface Report {
  version: 1
  /** The image's hash, as in its manifest. */
  image: string
  profile: Manifest["profile"]
  level: Level
  /** Which checklist it was, see `checklistHash`; none in reports of before. */
  checklist?: string
  at: string
  seconds: number
  results: Result[]
}

/**
 * Boots an image as a machine of its own and checks everything that is promised of it, from outside and from inside.
 * Nothing of the machine is left, however it ends.
 * @returns the report, failures and all; see `failuresOf`
 * @throws when there was nothing to check: no such image, no room for a machine, or the signal
 */
export async function verifyImage(options: VerifyOptions): Promise<Report> {
  const { directory, level, signal, begin, end } = options
  const { hash, profile } = await readManifest(directory)
  if (profile === "platform")
    throw new ImageError("wrong-profile", "This is the service's server: the checklist is for images of workspaces.")
  const began = performance.now()
  const at = new Date().toISOString()
  const run = await startRun({ ...options, profile })
  try {
    const checks = checksOf(CHECKLIST, level)
    const work = runChecks(checks, run, {
      begin: check => begin?.(check, checks.indexOf(check) + 1, checks.length),
      ...(end === undefined ? {} : { end }),
      picture: (_run, name) => keepPicture(run, join(options.evidence, `${profile}-${hash}`), name),
    })
    const results = await endedBy(signal, work)
    return {
      version: 1,
      image: hash,
      profile,
      level,
      checklist: checklistHash(),
      at,
      seconds: Math.round((performance.now() - began) / 1000),
      results,
    }
  } finally {
    await run.close()
  }
}

/** The manifest of an image's folder. @throws ImageError when it is none */
export async function readManifest(directory: string): Promise<Manifest> {
  const text = await readFile(join(directory, "manifest.json"), "utf8").catch(() => {
    throw new ImageError("no-image", `${directory} is no folder of a golden image: it has no manifest.json.`)
  })
  return JSON.parse(text)
}

export const failuresOf = (report: Report) => report.results.filter(({ state }) => state === "failed")

/** One sentence about a report with failures: which checks, what was seen first, and where to look. */
export function failureSentence(report: Report): string {
  const failures = failuresOf(report)
  const names = failures.map(({ name }) => `"${name}"`).join(", ")
  const picture = failures.find(({ screenshot }) => screenshot !== undefined)?.screenshot
  const where = picture === undefined ? "" : ` The screen at that moment: ${picture}`
  return `The image ${report.profile}-${report.image} failed ${failures.length} of ${report.results.length} checks and is not promoted: ${names}. ${failures[0]?.detail}.${where}`
}

async function keepPicture(run: Run, folder: string, name: string): Promise<string | undefined> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, "console.log"), await run.machine.console())
  if (run.viewer === null || run.viewer.updates() === 0) return undefined
  const file = join(folder, `${name.replace(/[^A-Za-z0-9]+/g, "-").slice(0, 60)}.png`)
  await writeFile(file, png(run.viewer.frame()))
  return file
}

/** The work's result, or the signal's reason as soon as it comes: a check may wait for long. */
function endedBy<T>(signal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason)
    if (signal.aborted) stop()
    signal.addEventListener("abort", stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop))
  })
}
