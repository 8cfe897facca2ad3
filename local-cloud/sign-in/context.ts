import type { Logger } from "pino"
import type { AppCredentials } from "./app-credentials.ts"
import type { AskedAuthorization } from "./authorize.ts"
import type { People, Person } from "./people.ts"
import type { ShortLived } from "./short-lived.ts"
import type { Tokens } from "./tokens.ts"

/** What a code stands for. */
export interface IssuedCode {
  callback: string
  scopes: string[]
  challenge: string | null
  person: Person
}

/** What every route of the stand-in works with. */
export interface SignInContext {
  app: AppCredentials
  /** The registered callback URL. */
  callbackUrl: URL
  people: People
  requests: ShortLived<AskedAuthorization>
  codes: ShortLived<IssuedCode>
  tokens: Tokens
  log: Logger
}
