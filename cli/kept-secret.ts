import { randomBytes } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/** A secret made at its first use and kept in a file that only this user can read. */
export function keptSecret(directory: string, name: string): string {
  const file = join(directory, name)
  if (!existsSync(file)) {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    try {
      writeFileSync(file, randomBytes(36).toString("base64url"), { mode: 0o600, flag: "wx" })
    } catch (error) {
      // Another process was first: its secret is the one.
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error
    }
  }
  return readFileSync(file, "utf8").trim()
}
