import { mkdir, readdir, rm } from "node:fs/promises"
import { join } from "node:path"
import type { Redis } from "ioredis"
import type { Logger } from "pino"
import type { Config } from "../config.ts"
import type { Keys } from "../keys.ts"
import { backUp } from "./backup.ts"

/** The time in it is when it was begun, UTC. */
const NAME = /^foozol-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.backup$/

/** Backups of what the service has stored, in a folder that is their only record. */
export interface StateBackups {
  /** Makes one if the newest is old enough, and removes those that are too many. */
  makeDue(): Promise<void>
  /** Age of the newest by the time between two; 0 where none are made. */
  overdue(): Promise<number>
}

interface Means {
  redis: Redis
  keys: Keys
  folders: Record<string, string>
  secrets: string[]
  /** Fingerprint of the stacks' passphrase. */
  passphrase: string
  log: Logger
  now: () => number
}

export function createStateBackups(settings: Config["stateBackup"], means: Means): StateBackups {
  const { redis, keys, folders, secrets, passphrase, log, now } = means
  const startedAt = now()
  if (settings === null) return { makeDue: async () => {}, overdue: async () => 0 }
  const { directory, everyMs, keep } = settings
  const made = async () =>
    (await readdir(directory).catch(() => []))
      .flatMap(name => ({ name, at: timeOf(name) ?? Number.NaN }))
      .filter(({ at }) => !Number.isNaN(at))
      .sort((a, b) => b.at - a.at)
  return {
    async overdue() {
      const [newest] = await made()
      return (now() - (newest?.at ?? startedAt)) / everyMs
    },
    async makeDue() {
      const [newest] = await made()
      if (newest && now() - newest.at < everyMs) return
      await mkdir(directory, { recursive: true, mode: 0o700 })
      const file = scheduledFile(directory, now())
      const source = { redis, folders, passphrase, now, secret: keys.inUse }
      const { counts } = await backUp(file, { secrets }, source)
      log.info({ file, ...counts }, "what the service has stored is backed up")
      for (const { name } of (await made()).slice(keep)) await rm(join(directory, name), { force: true })
    },
  }
}

/** The file of a backup that is begun at this time, milliseconds since 1970: one made by hand counts there as any other. */
export function scheduledFile(directory: string, at: number): string {
  return join(directory, `foozol-${new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z.backup`)
}

function timeOf(name: string): number | null {
  const [, ...parts] = NAME.exec(name) ?? []
  const [year, month, day, hour, minute, second] = parts
  return year === undefined ? null : Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
}
