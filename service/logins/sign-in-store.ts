import type { Redis } from "ioredis"
import { hashOf, randomToken } from "../keys.ts"
import { PREFIX } from "../redis/connect.ts"

/** What is kept of a sign-in between leaving for GitHub and coming back. */
export interface SignIn {
  /** grant's own: provider, state and PKCE verifier. */
  grant?: Record<string, unknown>
  /** Where to go afterwards. */
  next: string
}

/** Seconds a person may take at GitHub. */
export const SIGN_IN_S = 900

/** Sign-ins under way, each known to one browser by a cookie. */
export function createSignInStore(redis: Redis) {
  const key = (id: string) => `${PREFIX}sign-in:${hashOf(id)}`
  return {
    newId: randomToken,
    async save(id: string, signIn: SignIn): Promise<void> {
      await redis.set(key(id), JSON.stringify(signIn), "EX", SIGN_IN_S)
    },
    /** Takes it out: coming back works once. */
    async take(id: string): Promise<SignIn | null> {
      const text = await redis.getdel(key(id))
      return text ? (JSON.parse(text) as SignIn) : null
    },
  }
}
