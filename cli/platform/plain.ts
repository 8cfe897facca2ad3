import { randomBytes } from "node:crypto"
import { InfraError } from "../../infra/errors.ts"
import { readEngineRecord } from "../../tools/setup/engine.ts"
import { cacheDirectory } from "../../tools/setup/paths.ts"

const DATA = "/var/lib/foozol"

/**
 * Settings of a service on a plain server, as systemd and a shell read them: secrets that are made now, folders, the
 * engine as set-up found it.
 * @throws InfraError `engine-missing`
 */
export function plainSettings(): string {
  const engine = readEngineRecord()
  if (!engine)
    throw new InfraError(
      "engine-missing",
      "fail",
      "The Pulumi engine is not set up here: run tools/setup/engine-only.ts.",
    )
  const secret = () => randomBytes(36).toString("base64url")
  const lines = {
    ...{ FOOZOL_SECRET: secret(), FOOZOL_STATE_PASSPHRASE: secret(), FOOZOL_TRUST_PROXY: "true" },
    ...{ FOOZOL_DATA: DATA, FOOZOL_CACHE: cacheDirectory(), HOME: DATA, FOOZOL_BACKEND_URL: `file://${DATA}/state` },
    ...{ FOOZOL_USAGE_DIRECTORY: `${DATA}/usage`, FOOZOL_AUDIT_DIRECTORY: `${DATA}/audit` },
    ...{ FOOZOL_ENGINE_DIRECTORY: `${DATA}/engine`, FOOZOL_PULUMI: engine.pulumi.path },
    ...{ FOOZOL_PULUMI_VERSION: engine.pulumi.version, PULUMI_HOME: engine.home },
  }
  return Object.entries(lines)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("")
}
