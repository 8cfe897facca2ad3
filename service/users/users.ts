import type { Redis } from "ioredis"
import { ServiceError } from "../errors.ts"
import { PREFIX } from "../redis/connect.ts"
import { loadScript } from "../redis/scripts.ts"

/** Somebody who has signed in: a GitHub identity. */
export interface User {
  /** `gh-` and GitHub's number, which stays when the login name changes. */
  id: string
  login: string
  name: string
  avatarUrl: string | null
  createdAt: number
  /** Of the organisations that FOOZOL_OFFERS names, those they were in when they signed in last; lower case. */
  organisations?: string[]
  /** May see and end what others have; said of whoever asks. */
  operator?: true
}

const signUp = loadScript(new URL("sign-up.lua", import.meta.url))
export const userKey = (id: string) => `${PREFIX}user:${id}`
/** Ids of all users. */
export const USERS = `${PREFIX}users`

export interface Users {
  /** Null for one whose account is ending or who is suspended: nobody acts as them. */
  get(id: string): Promise<User | null>
  /**
   * Takes in who signed in, new or known.
   * @throws ServiceError `sign-up-closed` when there are as many users as there may be, `account-ending` or `account-suspended`
   */
  signIn(user: Omit<User, "createdAt">, now: number): Promise<User>
}

/** @param cap how many users there may be; 0: no limit */
export function createUsers(redis: Redis, cap: number): Users {
  async function get(id: string): Promise<User | null> {
    const hash = await redis.hgetall(userKey(id))
    if (hash.login === undefined || hash.ending !== undefined || hash.suspended !== undefined) return null
    const { login, name = login, avatarUrl = "", createdAt, organisations = "" } = hash
    const theirs = organisations === "" ? {} : { organisations: organisations.split(" ") }
    return { id, login, name, avatarUrl: avatarUrl || null, createdAt: Number(createdAt), ...theirs }
  }
  return {
    get,
    async signIn({ id, login, name, avatarUrl, organisations = [] }, now) {
      const keys = [userKey(id), USERS]
      const answer = await signUp.run(redis, keys, [
        ...[id, cap, now, login, name, avatarUrl ?? ""],
        organisations.join(" "),
      ])
      if (answer === "ending") throw accountEnding()
      if (answer === "suspended") {
        throw new ServiceError("account-suspended", 403, "Your account is suspended: ask the operator.")
      }
      if (answer !== "full") {
        const user = await get(id)
        if (user) return user
        throw accountEnding()
      }
      throw new ServiceError(
        "sign-up-closed",
        403,
        "There are as many users here as there may be: ask the operator to let you in.",
      )
    },
  }
}

const accountEnding = () =>
  new ServiceError("account-ending", 409, "Your account is being deleted: sign in again when that is done.", {
    next: "retry",
  })
