import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import type { Redis } from "ioredis"
import { z } from "zod"
import { PREFIX } from "../redis/connect.ts"
import { appendTo, linesOf, monthFile, monthsIn } from "../usage/month-files.ts"
import { monthOf } from "../usage/months.ts"

/** A certificate that an authority has given to a new name: what it will go on counting, whatever becomes of Redis. */
export const Issued = z.object({
  workspace: z.string(),
  /** Directory of the authority. */
  authority: z.string(),
  /** When it was known here, ms since 1970. */
  at: z.number(),
})
export type Issued = z.output<typeof Issued>

/** What the files are to get. */
export const TO_WRITE = `${PREFIX}certificates-to-write`
const SERIES = "certificates"
const AT_ONCE = 500

/** Brings into the files what was given since; a line twice does no harm. */
export async function writeIssued(redis: Redis, directory: string): Promise<void> {
  for (;;) {
    const lines = await redis.lrange(TO_WRITE, 0, AT_ONCE - 1)
    if (lines.length === 0) return
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const months = Map.groupBy(lines, line => monthOf(Issued.parse(JSON.parse(line)).at))
    for (const [month, some] of months) {
      await appendTo(join(directory, monthFile(SERIES, month)), [some.map(line => `${line}\n`).join("")])
    }
    await redis.ltrim(TO_WRITE, lines.length, -1)
  }
}

/** All that was ever given, each once, the first one first. */
export async function readIssued(directory: string): Promise<Issued[]> {
  const found = new Map<string, Issued>()
  for (const month of await monthsIn(directory, SERIES)) {
    for await (const line of linesOf(join(directory, monthFile(SERIES, month)))) {
      const read = readLine(line)
      const key = read && `${read.workspace} ${read.authority}`
      if (key && !found.has(key)) found.set(key, read)
    }
  }
  return [...found.values()].sort((one, other) => one.at - other.at)
}

/** Null for a line that was cut off. */
function readLine(line: string): Issued | null {
  try {
    return Issued.parse(JSON.parse(line))
  } catch {
    return null
  }
}
