import { createHash } from "node:crypto"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { goBuild, hasGo } from "./engine.ts"
import { SetupError } from "./errors.ts"
import { cacheDirectory, PROJECT_ROOT } from "./paths.ts"
import { GO_MINIMUM, PEBBLE_VERSION } from "./pins.ts"
import type { Progress } from "./progress.ts"
import { run } from "./run.ts"

const SOURCES = join(PROJECT_ROOT, "tools", "pebble")

/**
 * Path of Pebble, the certificate authority that tests ask: built from its Go module when it is not in the cache.
 * @throws SetupError where there is no Go to build it with, or no module
 */
export async function ensurePebble(progress: Progress): Promise<string> {
  const hash = createHash("sha256").update(PEBBLE_VERSION)
  for (const name of ["go.mod", "go.sum"]) hash.update(readFileSync(join(SOURCES, name)))
  const path = join(cacheDirectory(), `pebble-${hash.digest("hex").slice(0, 12)}`, "pebble")
  if (existsSync(path)) return path
  if (!(await hasGo()))
    throw new SetupError(`Pebble, the certificate authority of tests, is built with Go ${GO_MINIMUM}`)
  await progress.step(`Pebble ${PEBBLE_VERSION}: building from its Go module (10–60 s)`, detail =>
    goBuild(SOURCES, path, "github.com/letsencrypt/pebble/v2/cmd/pebble", detail, [
      `-X main.version=${PEBBLE_VERSION}`,
    ]),
  )
  const answer = await run(path, ["-version"])
  if (!answer.stdout.includes(PEBBLE_VERSION)) throw new SetupError(`The built Pebble says: ${answer.stdout.trim()}`)
  return path
}
