import type { Redis } from "ioredis"
import { z } from "zod"
import { ServiceError } from "../errors.ts"
import type { Keys } from "../keys.ts"
import { PREFIX } from "../redis/connect.ts"
import { KEY } from "../workspaces/store.ts"

/** Name of a secret: the environment variable it becomes on the machine. */
export const SecretName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, "must be a name of an environment variable, such as ANTHROPIC_API_KEY")
  .refine(name => !/^(PATH|HOME|USER|SHELL|DISPLAY|LD_.*|BASH_ENV|ENV|NODE_OPTIONS|XDG_.*|DBUS_.*)$/.test(name), {
    error: "is a name that the machine itself needs",
  })
export const SecretValue = z
  .string()
  .min(1, "must not be empty")
  .max(16_384, "must have at most 16,384 characters")
  .refine(text => !/[\0\r\n]/.test(text), { error: "must be one line" })

/** The proxy a workspace goes out through, with its credentials; what tinyproxy on the machine can carry. */
export const ProxyUrl = z
  .url({ protocol: /^(http|socks4|socks5)$/, error: "must be a URL such as http://user:password@proxy.example:3128" })
  .max(2_000)
  .regex(/^\w+:\/\/[^\s"'\\]+$/, "must be a URL without spaces, quotes and backslashes: percent-encode them")

/** Most secrets a user may have. */
const MOST = 100
/** Seconds the secrets of a workspace are kept before there is the workspace. */
const UNCLAIMED_S = 3600

export interface Secrets {
  /** Names of a user's secrets and when each was written; values never come out here. */
  list(user: string): Promise<{ name: string; updatedAt: number }[]>
  /** @throws ServiceError `too-many-secrets` */
  put(user: string, name: string, value: string, now: number): Promise<void>
  remove(user: string, name: string): Promise<boolean>
  /** Those of one workspace, before it is created: they stay only if it comes to be. */
  putForWorkspace(workspace: string, given: { proxy: string | null; secrets: Record<string, string> }): Promise<void>
  forgetWorkspace(workspace: string): Promise<void>
  /** What the machine of a workspace is given: its own secrets over its owner's. */
  forMachine(workspace: string, user: string): Promise<{ proxy: string | null; secrets: Record<string, string> }>
}

/** What a secret is bound to: the key it lies under, and its name. */
export const secretContext = (place: string, name: string) => `secret ${place} ${name}`

/** Secrets lie encrypted, each bound to its place: one cannot be read by moving it to another user's. */
export function createSecrets(redis: Redis, keys: Keys): Secrets {
  const userKey = (user: string) => `${PREFIX}user:${user}:secrets`

  async function openAll(key: string): Promise<Record<string, string>> {
    const sealed = await redis.hgetall(key)
    return Object.fromEntries(
      Object.entries(sealed).map(([name, text]) => [
        name,
        keys.open(text.split(" ")[1] as string, secretContext(key, name)),
      ]),
    )
  }
  const seal = (key: string, name: string, value: string, now: number) =>
    `${now} ${keys.seal(value, secretContext(key, name))}`

  return {
    async list(user) {
      const all = await redis.hgetall(userKey(user))
      return Object.entries(all)
        .map(([name, text]) => ({ name, updatedAt: Number(text.split(" ")[0]) }))
        .sort((a, b) => a.name.localeCompare(b.name))
    },
    async put(user, name, value, now) {
      const key = userKey(user)
      const [count, known] = await Promise.all([redis.hlen(key), redis.hexists(key, name)])
      if (count >= MOST && !known) {
        throw new ServiceError(
          "too-many-secrets",
          409,
          `You have ${MOST} secrets, which is the most: delete one first.`,
        )
      }
      await redis.hset(key, name, seal(key, name, value, now))
    },
    remove: async (user, name) => (await redis.hdel(userKey(user), name)) === 1,
    async putForWorkspace(workspace, { proxy, secrets }) {
      const key = KEY.secretsOf(workspace)
      const entries = Object.entries(secrets).map(([name, value]) => [name, seal(key, name, value, 0)])
      // No environment variable has a dot, so the proxy cannot be taken for one.
      if (proxy !== null) entries.push([".proxy", seal(key, ".proxy", proxy, 0)])
      if (entries.length === 0) return
      // Without a workspace they go by themselves; its creation makes them stay.
      await redis.multi().hset(key, Object.fromEntries(entries)).expire(key, UNCLAIMED_S).exec()
    },
    forgetWorkspace: async workspace => {
      await redis.del(KEY.secretsOf(workspace))
    },
    async forMachine(workspace, user) {
      const [ofUser, ofWorkspace] = await Promise.all([openAll(userKey(user)), openAll(KEY.secretsOf(workspace))])
      const { ".proxy": proxy = null, ...own } = ofWorkspace
      return { proxy, secrets: { ...ofUser, ...own } }
    },
  }
}
