import type { Redis } from "ioredis"
import { USERS, userKey } from "../users/users.ts"
import { KEY } from "../workspaces/store.ts"

/** That somebody may not use the service for now. */
export interface Suspension {
  /** Milliseconds since 1970. */
  at: number
  /** User id of the operator. */
  by: string
  why: string
  /** Do their workspaces stay on? */
  keepRunning: boolean
}

/** A user as operators see one, whatever may be done as them. */
export interface Person {
  id: string
  login: string
  name: string
  createdAt: number
  lastSignInAt: number | null
  workspaces: number
  /** Is their account being deleted? */
  ending: boolean
  suspended: Suspension | null
}

/** Everybody who has signed in. */
export interface People {
  /** Ids of all. */
  ids(): Promise<string[]>
  get(id: string): Promise<Person | null>
  /** By id or login name. */
  find(given: string): Promise<Person | null>
  all(): Promise<Person[]>
  /** Login names by id. */
  logins(ids: Iterable<string>): Promise<Map<string, string>>
}

export function createPeople(redis: Redis): People {
  const ids = () => redis.smembers(USERS)
  async function get(id: string): Promise<Person | null> {
    const [hash, workspaces] = await Promise.all([redis.hgetall(userKey(id)), redis.scard(KEY.workspacesOf(id))])
    if (hash.login === undefined) return null
    const { login, name = login, createdAt, lastSignInAt, ending, suspended } = hash
    return {
      ...{ id, login, name, workspaces, createdAt: Number(createdAt), ending: ending !== undefined },
      lastSignInAt: lastSignInAt ? Number(lastSignInAt) : null,
      suspended: suspended ? (JSON.parse(suspended) as Suspension) : null,
    }
  }
  async function all(): Promise<Person[]> {
    const found = await Promise.all((await ids()).map(get))
    return found.filter(one => one !== null).sort((a, b) => a.login.localeCompare(b.login))
  }
  return {
    ids,
    get,
    all,
    async find(given) {
      const byId = await get(given)
      if (byId) return byId
      // GitHub's login names know no capitals.
      const name = given.toLowerCase()
      return (await all()).find(one => one.login.toLowerCase() === name) ?? null
    },
    async logins(wanted) {
      const each = [...new Set(wanted)]
      const names = await Promise.all(each.map(id => redis.hget(userKey(id), "login")))
      return new Map(each.flatMap((id, at) => (names[at] ? [[id, names[at]] as const] : [])))
    },
  }
}
