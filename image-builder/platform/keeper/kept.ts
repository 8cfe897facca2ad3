import { chmod, readFile, rename, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { HandOver } from "../../../infra/platform/hand-over.ts"
import { envFile } from "./env-file.ts"

const SERVICE = "service.env"
const CERTIFICATE = "certificate.json"

/** What was handed over, in files that root alone reads, on the volume: another server finds it there. */
export function keptIn(folder: string, trustFile = join(folder, "acme-trust.pem")) {
  const text = (name: string) => readFile(join(folder, name), "utf8").catch(() => null)
  /** Whole or not at all. @returns whether that is something else than before */
  async function write(name: string, content: string): Promise<boolean> {
    if ((await text(name)) === content) return false
    await writeFile(join(folder, `${name}.new`), content, { mode: 0o600, flush: true })
    await rename(join(folder, `${name}.new`), join(folder, name))
    return true
  }
  return {
    hasSettings: async () => (await text(SERVICE)) !== null,
    certificate: async () => JSON.parse((await text(CERTIFICATE)) ?? "null") as HandOver["certificate"],
    /** @returns whether the service's settings are others than before */
    async keep({ service, certificate }: HandOver): Promise<boolean> {
      const settings = envFile(service)
      await write(CERTIFICATE, JSON.stringify(certificate))
      // No secret, and the service reads it too: it tells machines of it.
      if (certificate?.trust)
        await writeFile(trustFile, certificate.trust, { mode: 0o644 }).then(() => chmod(trustFile, 0o644))
      return write(SERVICE, settings)
    },
  }
}
