import type { Redis } from "ioredis"
import type { Keys } from "../keys.ts"
import { PREFIX } from "../redis/connect.ts"
import { CHOOSABLE, type ChoosableKind, type NotificationKind } from "./kinds.ts"

export const CHANNELS = ["email", "webhook"] as const
export type Channel = (typeof CHANNELS)[number]
export type Choices = Record<ChoosableKind, Channel[]>

/** Where a user's messages go. */
export interface Preferences {
  email: { address: string; confirmed: boolean } | null
  webhook: { url: string } | null
  kinds: Choices
}

/** What goes where until the user says otherwise: a mail for what needs a person, everything to programs. */
const DEFAULTS: Choices = {
  "about-to-stop": ["webhook"],
  stopped: ["webhook"],
  woke: ["webhook"],
  "backup-failed": ["email", "webhook"],
  "restore-unproven": ["email", "webhook"],
  "provisioning-failed": ["email", "webhook"],
  "agent-waits": ["webhook"],
  "budget-near": ["email", "webhook"],
}

export interface PreferenceStore {
  get(user: string): Promise<Preferences>
  choose(user: string, choices: Partial<Choices>): Promise<void>
  /** A new address counts only once it is confirmed; the same again stays as it is. */
  setEmail(user: string, address: string): Promise<void>
  /** What the link in the mail to a new address carries. */
  confirmation(user: string, address: string): string
  /** @returns false when the code is none of the address that is waiting now */
  confirmEmail(user: string, code: string): Promise<boolean>
  clearEmail(user: string): Promise<void>
  /** @param secret what requests to it are signed with; it lies encrypted */
  setWebhook(user: string, url: string, secret: string): Promise<void>
  webhook(user: string): Promise<{ url: string; secret: string } | null>
  clearWebhook(user: string): Promise<void>
}

/** What a webhook's secret is bound to: the key it lies under. */
export const webhookContext = (key: string) => `webhook ${key}`

export function createPreferences(redis: Redis, keys: Keys): PreferenceStore {
  const keyOf = (user: string) => `${PREFIX}user:${user}:notify`
  const context = (user: string) => webhookContext(keyOf(user))
  const confirmation = (user: string, address: string) => keys.mac("confirm-address", `${user} ${address}`)
  return {
    confirmation,
    async get(user) {
      const { email, confirmed, webhook, kinds } = await redis.hgetall(keyOf(user))
      return {
        email: email ? { address: email, confirmed: confirmed === "1" } : null,
        webhook: webhook ? { url: webhook } : null,
        kinds: { ...DEFAULTS, ...(kinds ? (JSON.parse(kinds) as Partial<Choices>) : {}) },
      }
    },
    async choose(user, choices) {
      const known = JSON.parse((await redis.hget(keyOf(user), "kinds")) ?? "{}") as Partial<Choices>
      await redis.hset(keyOf(user), "kinds", JSON.stringify({ ...known, ...choices }))
    },
    async setEmail(user, address) {
      if ((await redis.hget(keyOf(user), "email")) === address) return
      await redis.hset(keyOf(user), "email", address, "confirmed", "0")
    },
    async confirmEmail(user, code) {
      const address = await redis.hget(keyOf(user), "email")
      if (!address || !keys.isMac("confirm-address", `${user} ${address}`, code)) return false
      await redis.hset(keyOf(user), "confirmed", "1")
      return true
    },
    async clearEmail(user) {
      await redis.hdel(keyOf(user), "email", "confirmed")
    },
    async setWebhook(user, url, secret) {
      await redis.hset(keyOf(user), "webhook", url, "webhookSecret", keys.seal(secret, context(user)))
    },
    async webhook(user) {
      const [url, sealed] = await redis.hmget(keyOf(user), "webhook", "webhookSecret")
      return url && sealed ? { url, secret: keys.open(sealed, context(user)) } : null
    },
    async clearWebhook(user) {
      await redis.hdel(keyOf(user), "webhook", "webhookSecret")
    },
  }
}

/** The channels a notification goes through: those chosen that are set up. Pure. */
export function channelsFor(kind: NotificationKind, { email, webhook, kinds }: Preferences): Channel[] {
  if (kind === "confirm-address") return email && !email.confirmed ? ["email"] : []
  const isThere = { email: email?.confirmed === true, webhook: webhook !== null }
  const chosen = isChoosable(kind) ? kinds[kind] : CHANNELS
  return chosen.filter(channel => isThere[channel])
}

const isChoosable = (kind: NotificationKind): kind is ChoosableKind =>
  (CHOOSABLE as readonly NotificationKind[]).includes(kind)
