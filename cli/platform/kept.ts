import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { PlatformSpec } from "../../infra/platform/spec.ts"
import { dataDirectory } from "../../tools/setup/paths.ts"
import { keptSecret } from "../kept-secret.ts"

/**
 * What an operator keeps of a platform, in files that nobody else reads: with it everything can be made again, without
 * it the server takes no settings any more and backups of its data cannot be read.
 */
export interface KeptPlatform {
  directory: string
  /** What it is to be, as last brought about; null before the first time. */
  spec(): PlatformSpec | null
  keep(spec: PlatformSpec): void
  operatorKey: KeyObject
  birth: string
  secret: string
  passphrase: string
}

export function keptPlatform(name: string, env: NodeJS.ProcessEnv = process.env): KeptPlatform {
  const directory = join(dataDirectory(env), "platform", name)
  const file = join(directory, "spec.json")
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  return {
    directory,
    spec: () => (existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as PlatformSpec) : null),
    keep(spec) {
      writeFileSync(`${file}.new`, `${JSON.stringify(spec, null, 2)}\n`, { mode: 0o600 })
      renameSync(`${file}.new`, file)
    },
    operatorKey: operatorKey(join(directory, "operator-key.pem")),
    birth: keptSecret(directory, "birth"),
    secret: env.FOOZOL_SECRET || keptSecret(directory, "service-secret"),
    passphrase: env.FOOZOL_STATE_PASSPHRASE || keptSecret(directory, "state-passphrase"),
  }
}

function operatorKey(file: string): KeyObject {
  if (!existsSync(file)) {
    const { privateKey } = generateKeyPairSync("ed25519")
    writeFileSync(file, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600, flag: "wx" })
  }
  return createPrivateKey(readFileSync(file))
}
