import type { Redis } from "ioredis"
import type { Logger } from "pino"
import type { CloudConfig } from "../infra/cloud-config.ts"
import { ConfigError } from "./config/error.ts"
import type { Config } from "./config.ts"
import { dataFolders, protectFolders } from "./folders.ts"
import { bringToFormat } from "./formats/format.ts"
import { fingerprintOf, type Keys } from "./keys.ts"
import { createMachineKeys, type MachineKeys } from "./machines/machine-keys.ts"
import { bePresent } from "./processes/processes.ts"
import { type RedisSafety, watchRedisSafety } from "./redis/watch-safety.ts"
import { requireKnownSecret } from "./secrets/secret-mark.ts"
import type { WorkspaceStore } from "./workspaces/store.ts"

/** What a process has that may work on what is stored. */
export interface TakenUp {
  redisSafety: RedisSafety
  machineKeys: MachineKeys
  /** The other processes are told of this one until it is closed. */
  presence: { close(): Promise<void> }
}

/**
 * Sees to what must be right before anything is done with what is stored: the secret, the format, folders that nobody
 * else reads.
 * @throws ConfigError where what is stored was made with another secret, or by a newer service
 */
export async function takeUp(
  redis: Redis,
  { config, cloud, keys, log, now }: { config: Config; cloud: CloudConfig; keys: Keys; log: Logger; now: () => number },
): Promise<TakenUp> {
  const redisSafety = await watchRedisSafety(redis, log)
  const mark = await requireKnownSecret(redis, keys)
  await bringToFormat(redis, log)
  const { mended, warnings } = await protectFolders(dataFolders(config, cloud))
  if (mended > 0)
    log.info({ mended }, "files of the service could be read by other users of this machine; not any more")
  for (const warning of warnings) log.warn(warning)
  const machineKeys = createMachineKeys(redis, keys, now)
  const hear = ({ rotated }: { rotated: boolean }) => rotated && machineKeys.expectEarlier()
  hear(mark)
  const passphrases = [cloud.passphrase, cloud.previousPassphrase ?? cloud.passphrase].map(fingerprintOf)
  const presence = await bePresent({ redis, keys, roles: config.roles, passphrases, log }, hear)
  return { redisSafety, machineKeys, presence }
}

/**
 * Without a project's token its machines look as if they were gone.
 * @throws ConfigError naming the projects that workspaces are in and no setting names
 */
export async function requireProjects(store: Pick<WorkspaceStore, "countByProject">, names: string[]): Promise<void> {
  const lacking = [...(await store.countByProject())].filter(([project]) => !names.includes(project))
  if (lacking.length === 0) return
  const said = lacking.map(([project, count]) => `${project} (${count})`).join(", ")
  throw new ConfigError(
    `FOOZOL_GCP_PROJECTS or FOOZOL_PROJECTS must name every project that workspaces are in, and lacks ${said}`,
  )
}
