import type { Redis } from "ioredis"
import type { Logger } from "pino"
import { ConfigError } from "../config/error.ts"
import { PREFIX } from "../redis/connect.ts"

/** A change of what is stored. */
export interface Migration {
  /** The format it leads to: one more than the one before. */
  to: number
  /** The least format a service must know to work on what it leaves; `to` unless it only adds. */
  least: number
  what: string
  /** How to go back, in one sentence; told by an older service that must not work on it. */
  back: string
  /** Brings what is there over; it may be cut off and done again. */
  up(redis: Redis): Promise<void>
}

/**
 * Every change of what is stored in Redis, oldest first. What only adds fields or keys needs none: scripts and parsers
 * leave alone what they do not know (test/service/formats.test.ts).
 */
export const MIGRATIONS: readonly Migration[] = [
  {
    to: 1,
    least: 1,
    what: "the format is written down",
    back: "An older service takes no notice of the mark: nothing has to be done.",
    async up() {},
  },
]

/** A hash: `version` of what is stored, `least` that a service must know, `back`: what an older one says. */
const FORMAT = `${PREFIX}format`

export interface Format {
  version: number
  least: number
  back: string
}

/** What is stored here is of this format; 0 where nobody has said. */
export async function readFormat(redis: Redis): Promise<Format> {
  const [version, least, back] = await redis.hmget(FORMAT, "version", "least", "back")
  return { version: Number(version ?? 0), least: Number(least ?? 0), back: back ?? "" }
}

/** The format this service writes. */
export const formatOf = (migrations: readonly Migration[]): number => migrations.at(-1)?.to ?? 0

/** Why a service must not work on what is stored; null: it may. Pure. */
export function refusalOf(stored: Format, known: number): string | null {
  if (stored.least <= known) return null
  return `The data in Redis is of format ${stored.version}, which a newer service has written; this one knows ${known}: start the newer one again, or go back. ${stored.back || "A backup from before the upgrade brings the older format back (`foozol-cloud service restore`)."}`
}

/** Writes the format down where it is not: in a Redis that was emptied under a service that runs. */
export async function keepFormat(redis: Redis): Promise<void> {
  const known = formatOf(MIGRATIONS)
  if ((await redis.hsetnx(FORMAT, "version", known)) === 0) return
  await redis.hset(FORMAT, "least", MIGRATIONS.at(-1)?.least ?? 0, "back", MIGRATIONS.at(-1)?.back ?? "")
}

/**
 * Brings what is stored to this service's format, step by step; a step that was cut off is done again by whoever starts
 * next. A newer format that older services may work on stays as it is.
 * @throws ConfigError for what only a newer service may work on
 */
export async function bringToFormat(redis: Redis, log: Logger, migrations = MIGRATIONS): Promise<void> {
  const stored = await readFormat(redis)
  const refusal = refusalOf(stored, formatOf(migrations))
  if (refusal) throw new ConfigError(refusal)
  for (const { to, least, what, back, up } of migrations.filter(one => one.to > stored.version)) {
    if (stored.version > 0)
      log.warn({ from: to - 1, to }, `what is stored is brought to a newer format: ${what}; to go back: ${back}`)
    // Before it is begun: half of it is nothing for an older service either.
    await redis.hset(FORMAT, "least", least, "back", back)
    await up(redis)
    await redis.hset(FORMAT, "version", to)
  }
}
