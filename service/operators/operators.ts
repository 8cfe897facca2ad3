import { allows } from "../api-tokens/api-tokens.ts"
import type { Config } from "../config.ts"
import { forbidden } from "../errors.ts"
import type { Caller } from "../middleware/request-state.ts"
import type { User } from "../users/users.ts"

/** Those who may see and end what others have: the settings name them, nothing else makes somebody one. */
export interface Operators {
  has(user: Pick<User, "login">): boolean
  /** @throws ServiceError `forbidden` */
  require(user: Pick<User, "login">): void
}

/** May whoever asks act on what others have: an operator with a login, or with a token made for that? */
export const mayOperate = (operators: Operators, { user, scope }: Pick<Caller, "user" | "scope">): boolean =>
  operators.has(user) && allows(scope, "operate")

export function createOperators({ operators }: Pick<Config, "operators">): Operators {
  // GitHub's login names know no capitals.
  const names = new Set(operators.map(name => name.toLowerCase()))
  const has = ({ login }: Pick<User, "login">) => names.has(login.toLowerCase())
  return {
    has,
    require(user) {
      if (!has(user)) throw forbidden("This is for operators (FOOZOL_OPERATORS).")
    },
  }
}
