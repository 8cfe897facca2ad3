import type { Redis } from "ioredis"
import { HOME_BACKUPS_PATTERN, homeContext } from "../home-backups/records.ts"
import { webhookContext } from "../notifications/preferences.ts"
import { PREFIX } from "../redis/connect.ts"
import { keysLike } from "../redis/keys-like.ts"
import { secretContext } from "./secrets.ts"

/** Something sealed, where it lies. */
export interface Sealed {
  key: string
  field: string
  /** The field's whole text. */
  text: string
  sealed: string
  context: string
  /** The field's text with another sealing of the same. */
  textWith(sealed: string): string
}

/**
 * Every place where something is sealed: secrets of users and of workspaces, what webhooks are signed with, and
 * passwords of home backups (the copies beside those follow by themselves, see home-backups/rounds.ts). What is
 * sealed anywhere else is lost when secrets are rotated: its place belongs here.
 */
export async function* allSealed(redis: Redis): AsyncGenerator<Sealed> {
  for (const pattern of [`${PREFIX}user:*:secrets`, `${PREFIX}ws:*:secrets`]) {
    for await (const key of keysLike(redis, pattern)) {
      for (const [field, text] of Object.entries(await redis.hgetall(key))) {
        const [at = "", sealed = ""] = text.split(" ")
        yield { key, field, text, sealed, context: secretContext(key, field), textWith: again => `${at} ${again}` }
      }
    }
  }
  for await (const key of keysLike(redis, HOME_BACKUPS_PATTERN)) {
    for (const [field, text] of Object.entries(await redis.hgetall(key))) {
      const record = JSON.parse(text) as { sealed: string }
      const textWith = (sealed: string) => JSON.stringify({ ...record, sealed })
      yield { key, field, text, sealed: record.sealed, context: homeContext(key, field), textWith }
    }
  }
  for await (const key of keysLike(redis, `${PREFIX}user:*:notify`)) {
    const text = await redis.hget(key, "webhookSecret")
    const rest = { key, field: "webhookSecret", context: webhookContext(key) }
    if (text) yield { ...rest, text, sealed: text, textWith: again => again }
  }
}
