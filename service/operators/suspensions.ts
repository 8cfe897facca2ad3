import type { Redis } from "ioredis"
import type { Logger } from "pino"
import { type EndMeans, endAccess } from "../accounts/end-account.ts"
import { ServiceError } from "../errors.ts"
import { PREFIX } from "../redis/connect.ts"
import { loadScript } from "../redis/scripts.ts"
import { userKey } from "../users/users.ts"
import { admits } from "../workspaces/transitions.ts"
import type { Workspaces } from "../workspaces/workspaces.ts"
import type { People, Person, Suspension } from "./people.ts"

const scripts = {
  suspend: loadScript(new URL("lua/suspend.lua", import.meta.url)),
  resume: loadScript(new URL("lua/resume.lua", import.meta.url)),
}
const SUSPENDED = `${PREFIX}users-suspended`

/** Users who may not use the service for now. */
export interface Suspensions {
  /**
   * Ends a user's logins, tokens and open desktops at once, and keeps them out; their workspaces stop.
   * @throws ServiceError `not-found`
   */
  suspend(user: string, suspension: Suspension): Promise<Person>
  /** Lets them in again. What was stopped stays off, and tokens must be made anew. @throws ServiceError `not-suspended` */
  resume(user: string): Promise<Person>
  /** Stops what has come up since, of everybody who is suspended. */
  look(): Promise<void>
}

type Means = Pick<EndMeans, "logins" | "apiTokens" | "tokens" | "channel"> & {
  redis: Redis
  people: People
  workspaces: Pick<Workspaces, "listOf" | "stop">
  log: Logger
}

export function createSuspensions(means: Means): Suspensions {
  const { redis, people, workspaces, log } = means

  async function stopAll(user: string, { by, keepRunning }: Suspension): Promise<void> {
    if (keepRunning) return
    for (const { id, state } of await workspaces.listOf(user)) {
      if (!admits(state)) continue
      await workspaces
        .stop({ requestedBy: by }, id, undefined, { because: "your account is suspended" })
        .catch(error => {
          // It has changed at this very moment: the next look sees how it is.
          if (!(error instanceof ServiceError)) throw error
        })
    }
  }

  async function known(user: string): Promise<Person> {
    const person = await people.get(user)
    if (person) return person
    throw new ServiceError("not-found", 404, "There is no such user.")
  }

  return {
    async suspend(user, suspension) {
      const done = await scripts.suspend.run(redis, [userKey(user), SUSPENDED], [user, JSON.stringify(suspension)])
      if (done !== 1) throw new ServiceError("not-found", 404, "There is no such user.")
      log.warn({ user, by: suspension.by }, "a user is suspended")
      await endAccess({ ...means, workspaces: workspaces as Workspaces }, user)
      await stopAll(user, suspension)
      return known(user)
    },
    async resume(user) {
      await known(user)
      if ((await scripts.resume.run(redis, [userKey(user), SUSPENDED], [user])) !== 1) {
        throw new ServiceError("not-suspended", 409, "This user is not suspended: there is nothing to resume.")
      }
      log.warn({ user }, "a user may use the service again")
      return known(user)
    },
    async look() {
      for (const user of await redis.smembers(SUSPENDED)) {
        const person = await people.get(user)
        if (person?.suspended) await stopAll(user, person.suspended)
        else await redis.srem(SUSPENDED, user)
      }
    },
  }
}
