import { randomBytes } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { z } from "zod"
import { StartError } from "../errors.ts"

/** The one OAuth app that is registered with the stand-in: 20 and 40 hexadecimal digits, as GitHub's. */
export const AppCredentials = z.object({
  clientId: z.string().regex(/^[0-9a-f]{20}$/),
  clientSecret: z.string().regex(/^[0-9a-f]{40}$/),
})
export type AppCredentials = z.output<typeof AppCredentials>

/**
 * The app's id and secret, made at the first start and kept in the folder, readable for this user alone.
 * @throws StartError when the file there is not one of ours
 */
export function appCredentials(directory: string): AppCredentials {
  const file = join(directory, "sign-in-app.json")
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  if (!existsSync(file)) {
    const made = { clientId: randomBytes(10).toString("hex"), clientSecret: randomBytes(20).toString("hex") }
    writeFileSync(file, `${JSON.stringify(made)}\n`, { mode: 0o600, flag: "wx" })
  }
  try {
    return AppCredentials.parse(JSON.parse(readFileSync(file, "utf8")))
  } catch {
    throw new StartError(`${file} does not hold a client id and secret: delete it, and new ones are made.`)
  }
}
