import { ImageError } from "../image-builder/errors.ts"
import { toErrorValue } from "../infra/errors.ts"
import { StartError } from "../local-cloud/errors.ts"
import { ConfigError } from "../service/config/error.ts"
import { ServiceError } from "../service/errors.ts"
import { SetupError } from "../tools/setup/errors.ts"

/**
 * Says one sentence about an error on standard error; the details only where FOOZOL_DEBUG is set.
 * @returns the exit code
 */
export function reportError(error: unknown): number {
  if (
    error instanceof ConfigError ||
    error instanceof ServiceError ||
    error instanceof SetupError ||
    error instanceof StartError ||
    error instanceof ImageError
  ) {
    console.error(error.message)
    return 1
  }
  const { id, message, detail } = toErrorValue(error)
  console.error(message)
  if (process.env.FOOZOL_DEBUG && detail) console.error(`${id}: ${detail}`)
  else if (id === "internal") console.error("Run it again with FOOZOL_DEBUG=1 for the details.")
  return 1
}
