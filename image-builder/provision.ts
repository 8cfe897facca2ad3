import { mkdir, readdir, readFile, rm } from "node:fs/promises"
import { basename, join } from "node:path"
import { inRoot } from "./as-root.ts"
import type { Profile } from "./definition.ts"
import { ImageError } from "./errors.ts"
import { run } from "./run.ts"

/** One script of the provisioning; they run in the order of their names. */
export interface Step {
  name: string
  script: string
}

/** How steps are run; tests run them without a root filesystem around them. */
export interface ProvisionOptions {
  root: string
  /** Where each step's output goes, one file a step. */
  logDirectory: string
  /** What the steps may ask for, such as PROFILE. */
  environment: Record<string, string>
  log: (line: string) => void
  command?: (root: string, command: string[]) => string[]
}

/** Reads the steps of a directory: all files named like `10-user.sh`. */
export async function readSteps(directory: string): Promise<Step[]> {
  const files = (await readdir(directory)).filter(file => file.endsWith(".sh")).sort()
  return Promise.all(
    files.map(async file => ({ name: basename(file, ".sh"), script: await readFile(join(directory, file), "utf8") })),
  )
}

/** What every step may ask for. `isLocal` tells the local cloud's machines from those of a real one. Pure. */
export function stepEnvironment(profile: Profile, image: string, isLocal: boolean): Record<string, string> {
  return { PROFILE: profile.name, UNITS: profile.units.join(" "), IMAGE: image, LOCAL: isLocal ? "1" : "0" }
}

/**
 * The command that runs a step. The script comes by its standard input, so that no copy of it is left in the image.
 * Pure.
 */
export function stepCommand(environment: Record<string, string>): string[] {
  const settings = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
  return ["env", ...settings, "sh", "-eu", "-s"]
}

/** Runs the steps one after the other; the first that fails ends it with an error that names the step and its log. */
export async function provision(steps: Step[], options: ProvisionOptions): Promise<void> {
  const { root, logDirectory, environment, log, command = inRoot } = options
  await mkdir(logDirectory, { recursive: true })
  for (const { name, script } of steps) {
    const logFile = join(logDirectory, `${name}.log`)
    await rm(logFile, { force: true })
    log(`  ${name}`)
    await run(command(root, stepCommand(environment)), { input: script, logFile }).catch(error => {
      if (error instanceof ImageError && error.id !== "program-failed") throw error
      throw new ImageError("step-failed", `The provisioning step ${name} failed; no image was made.`, logFile)
    })
  }
}
