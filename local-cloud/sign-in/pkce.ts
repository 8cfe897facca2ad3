import { createHash, timingSafeEqual } from "node:crypto"

/** What an authorization request says of PKCE: a challenge, none at all, or something that cannot be taken. */
export function readChallenge(challenge: string | null, method: string | null): string | null | "wrong" {
  if (challenge === null && method === null) return null
  return method === "S256" && challenge !== null && /^[\w-]{43}$/.test(challenge) ? challenge : "wrong"
}

/** Whether the verifier (RFC 7636: 43 to 128 characters) belongs to the challenge; without a challenge there must be none. */
export function verifies(verifier: string | null, challenge: string | null): boolean {
  if (challenge === null) return verifier === null
  if (verifier === null || !/^[\w.~-]{43,128}$/.test(verifier)) return false
  const made = createHash("sha256").update(verifier).digest("base64url")
  return timingSafeEqual(Buffer.from(made), Buffer.from(challenge))
}
