import type { Keys } from "../keys.ts"

const PURPOSE = "proof-key"
const FORM = /^fzp\.([a-z0-9-]{1,40})\.([A-Za-z0-9_-]{43})$/

/** The credential of a machine that tries a backup out: good for the report of its own operation and nothing else. */
export const proofKey = (keys: Keys, operation: string): string => `fzp.${operation}.${keys.mac(PURPOSE, operation)}`

/** The operation a trial's machine belongs to, by the key it shows; null when it is none of ours. */
export function operationOfKey(keys: Keys, authorization: string | undefined): string | null {
  if (!authorization?.startsWith("Bearer ")) return null
  const [, operation, mac] = FORM.exec(authorization.slice(7)) ?? []
  return operation && mac && keys.isMac(PURPOSE, operation, mac) ? operation : null
}
