import type { Redis } from "ioredis"
import { ConfigError } from "../config/error.ts"
import { fingerprintOf } from "../keys.ts"
import { presentProcesses } from "../processes/processes.ts"

/**
 * Before stacks are encrypted anew: who knows one passphrase alone could not work on some of them meanwhile.
 * @throws ConfigError naming the processes of the service that do not know all of these
 */
export async function passphrasesKnown(redis: Redis, passphrases: string[]): Promise<void> {
  const wanted = passphrases.map(fingerprintOf)
  const behind = (await presentProcesses(redis)).filter(one => wanted.some(print => !one.passphrases?.includes(print)))
  if (behind.length === 0) return
  const named = behind.map(one => `${one.pid} on ${one.host}`).join(", ")
  throw new ConfigError(
    `These processes of the service do not know both passphrases: ${named}. Start each again with the new one in FOOZOL_STATE_PASSPHRASE and the one until now in FOOZOL_STATE_PASSPHRASE_PREVIOUS; nothing was changed.`,
  )
}
