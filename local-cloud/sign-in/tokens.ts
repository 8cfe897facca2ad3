import { createHash, randomBytes } from "node:crypto"
import type { Person } from "./people.ts"

/** Tokens that one person has for one set of scopes; the eleventh ends the first ("Creating multiple tokens for OAuth apps"). */
const MOST_PER_PERSON = 10

export interface Granted {
  person: Person
  scopes: string[]
}

export interface Tokens {
  /** A new token: `gho_` and 36 letters and digits. */
  issue(granted: Granted): string
  find(token: string): Granted | null
}

/** Tokens live as long as the process: nobody here keeps one longer than it takes to ask who somebody is. */
export function createTokens(): Tokens {
  const byHash = new Map<string, Granted>()
  const hashesOf = new Map<string, string[]>()
  const hash = (token: string) => createHash("sha256").update(token).digest("base64")
  return {
    issue(granted) {
      const token = `gho_${letters(36)}`
      const whose = `${granted.person.login.toLowerCase()} ${granted.scopes}`
      const hashes = [...(hashesOf.get(whose) ?? []), hash(token)]
      byHash.set(hash(token), granted)
      if (hashes.length > MOST_PER_PERSON) byHash.delete(hashes.shift() ?? "")
      hashesOf.set(whose, hashes)
      return token
    },
    find: token => byHash.get(hash(token)) ?? null,
  }
}

function letters(length: number): string {
  let text = ""
  while (text.length < length)
    text += randomBytes(length)
      .toString("base64")
      .replaceAll(/[^A-Za-z0-9]/g, "")
  return text.slice(0, length)
}
