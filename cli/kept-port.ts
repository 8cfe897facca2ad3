import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { StartError } from "../local-cloud/errors.ts"
import { freePort } from "./redis-process.ts"

/**
 * A port chosen once and kept: what was made with it in mind (a machine that calls the service there, a bookmark)
 * finds it again. The first choice is `wanted` if it is free.
 * @throws StartError when the kept port has been taken by something else meanwhile
 */
export async function keptPort(directory: string, name: string, wanted: number): Promise<number> {
  const file = join(directory, name)
  if (!existsSync(file)) {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const port = await freePort(wanted)
    writeFileSync(file, String(port), { mode: 0o600 })
    return port
  }
  const port = Number(readFileSync(file, "utf8"))
  if ((await freePort(port)) === port) return port
  throw new StartError(
    `Port ${port}, at which the machines made here look for the service, is taken: end what uses it (\`ss -ltnp\` names it), or delete ${file} to choose another; machines that exist then cannot reach the service.`,
  )
}
