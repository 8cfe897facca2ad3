import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { writePrivately } from "../settings.ts"
import type { Memory } from "./plan.ts"

const NOTHING: Memory = { directory: null, obtainedAt: 0, tries: null }

/** What is kept beside the certificate, so that a restart does not forget how often it was refused. */
export async function readMemory(folder: string): Promise<Memory> {
  try {
    return { ...NOTHING, ...(JSON.parse(await readFile(join(folder, "asked.json"), "utf8")) as Memory) }
  } catch {
    return NOTHING
  }
}

export const writeMemory = (folder: string, memory: Memory): Promise<void> =>
  writePrivately(join(folder, "asked.json"), `${JSON.stringify(memory)}\n`, 0o600)
