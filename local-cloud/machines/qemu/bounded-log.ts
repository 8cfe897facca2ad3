import { open, stat, truncate, writeFile } from "node:fs/promises"

/**
 * Keeps a log that another process appends to below `limit` bytes: its last part moves to `<path>.1`, and it begins anew.
 * What is written in between the two steps is lost; for a console log that is fair.
 */
export async function boundLog(path: string, limit: number): Promise<void> {
  const size = (await stat(path).catch(() => null))?.size ?? 0
  if (size <= limit) return
  const file = await open(path, "r")
  try {
    const tail = Buffer.alloc(Math.min(size, limit))
    const { bytesRead } = await file.read(tail, 0, tail.length, size - tail.length)
    await writeFile(`${path}.1`, tail.subarray(0, bytesRead), { mode: 0o600 })
  } finally {
    await file.close()
  }
  // The writer appends (O_APPEND): its next write goes to the new end, not to where it was.
  await truncate(path, 0)
}
