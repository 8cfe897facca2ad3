import type { Redis } from "ioredis"
import { notFound, ServiceError } from "../errors.ts"
import type { Keys } from "../keys.ts"
import { loadScript } from "../redis/scripts.ts"
import { userKey } from "../users/users.ts"
import { KEY } from "../workspaces/store.ts"
import type { Workspace } from "../workspaces/workspace.ts"
import { MOST_BYTES, MOST_SECRETS } from "./rules.ts"

const putScript = loadScript(new URL("put.lua", import.meta.url))

/** Seconds the secrets of a workspace are kept before there is the workspace. */
const UNCLAIMED_S = 3600

/** What is known of a secret; its value never comes out. */
export interface SecretFacts {
  name: string
  /** When it was last written, ms since 1970. */
  updatedAt: number
}

/** The secrets of a user, or those of one workspace alone. */
export interface SecretPlace {
  /** By name. */
  list(): Promise<SecretFacts[]>
  /** @throws ServiceError `too-many-secrets`, `secrets-too-large`, or `not-found` where user or workspace are gone or going */
  put(name: string, value: string, now: number): Promise<void>
  /** @returns false where there is none */
  remove(name: string): Promise<boolean>
}

export interface Secrets {
  ofUser(user: string): SecretPlace
  ofWorkspace(workspace: Pick<Workspace, "id" | "createdAt">): SecretPlace
  /** Those of one workspace, before it is created: they stay only if it comes to be. */
  putForWorkspace(workspace: string, given: FirstOnes, now: number): Promise<void>
  /** The same as they are stored, by name, for whoever stores them in the step in which the workspace becomes its owner's. */
  sealForWorkspace(workspace: string, given: FirstOnes, now: number): Record<string, string>
  forgetWorkspace(workspace: string): Promise<void>
  /**
   * What the machine of a workspace is given: its own secrets over its owner's. `unreadable` are the names of those that
   * no key here opens (sealed with a FOOZOL_SECRET that is lost): a machine does without them.
   */
  forMachine(workspace: string, user: string): Promise<ForMachine>
}

/** What a workspace is given when it is asked for. */
export interface FirstOnes {
  proxy: string | null
  secrets: Record<string, string>
}

interface ForMachine {
  proxy: string | null
  secrets: Record<string, string>
  unreadable: string[]
}

/** What a secret is bound to: the key it lies under, and its name. */
export const secretContext = (place: string, name: string) => `secret ${place} ${name}`

/** No environment variable has a dot, so the proxy cannot be taken for one. */
export const PROXY = ".proxy"

/** Secrets lie encrypted, each bound to its place: one cannot be read by moving it to another user's. */
export function createSecrets(redis: Redis, keys: Keys): Secrets {
  const secretsOfUser = (user: string) => `${userKey(user)}:secrets`

  async function openAll(key: string, unreadable: string[]): Promise<Record<string, string>> {
    const sealed = await redis.hgetall(key)
    return Object.fromEntries(
      Object.entries(sealed).flatMap(([name, text]) => {
        try {
          return [[name, keys.open(text.split(" ")[1] as string, secretContext(key, name))]]
        } catch {
          unreadable.push(name)
          return []
        }
      }),
    )
  }
  const seal = (key: string, name: string, value: string, now: number) =>
    `${now} ${keys.seal(value, secretContext(key, name))}`

  /**
   * @param holder the hash of the user or workspace that has them
   * @param since when that came to be: what it was made with bore no time once
   */
  const place = (key: string, holder: string, what: "user" | "workspace", since = 0): SecretPlace => ({
    async list() {
      const all = Object.entries(await redis.hgetall(key)).filter(([name]) => name !== PROXY)
      return all
        .map(([name, text]) => ({ name, updatedAt: Number(text.split(" ")[0]) || since }))
        .sort((a, b) => a.name.localeCompare(b.name))
    },
    async put(name, value, now) {
      const text = seal(key, name, value, now)
      const answer = await putScript.run(redis, [key, holder], [name, text, MOST_SECRETS, MOST_BYTES])
      if (answer === "gone") throw notFound(what)
      if (answer === "too-many") throw refusal("too-many-secrets", `There are ${MOST_SECRETS} secrets here`)
      if (answer === "too-large")
        throw refusal("secrets-too-large", "With this one, the values would have over 128 KiB")
    },
    remove: async name => name !== PROXY && (await redis.hdel(key, name)) === 1,
  })

  function sealForWorkspace(workspace: string, { proxy, secrets }: FirstOnes, now: number) {
    const key = KEY.secretsOf(workspace)
    const given = [...Object.entries(secrets), ...(proxy === null ? [] : [[PROXY, proxy] as const])]
    return Object.fromEntries(given.map(([name, value]) => [name, seal(key, name, value, now)]))
  }

  return {
    sealForWorkspace,
    ofUser: user => place(secretsOfUser(user), userKey(user), "user"),
    ofWorkspace: ({ id, createdAt }) => place(KEY.secretsOf(id), KEY.workspace(id), "workspace", createdAt),
    async putForWorkspace(workspace, given, now) {
      const sealed = sealForWorkspace(workspace, given, now)
      if (Object.keys(sealed).length === 0) return
      const key = KEY.secretsOf(workspace)
      // Without a workspace they go by themselves; its creation makes them stay.
      await redis.multi().hset(key, sealed).expire(key, UNCLAIMED_S).exec()
    },
    forgetWorkspace: async workspace => {
      await redis.del(KEY.secretsOf(workspace))
    },
    async forMachine(workspace, user) {
      const unreadable: string[] = []
      const [ofUser, ofWorkspace] = await Promise.all([
        openAll(secretsOfUser(user), unreadable),
        openAll(KEY.secretsOf(workspace), unreadable),
      ])
      const { [PROXY]: proxy = null, ...own } = ofWorkspace
      return { proxy, secrets: { ...ofUser, ...own }, unreadable }
    },
  }
}

const refusal = (id: string, why: string) =>
  new ServiceError(id, 409, `${why}, which is more than a machine can take: remove one first.`)
