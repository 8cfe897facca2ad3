import { createHash, createHmac, createPublicKey, type KeyObject, sign, timingSafeEqual, verify } from "node:crypto"

/**
 * How settings and secrets get from the operator to the server: in one request over TLS, both sides proven by what
 * each knows. Nothing of it is in user-data, in the state, in arguments or in a file on the way.
 *
 * The server's certificate is at first one that it has signed itself, so what a request goes to is proven by an HMAC over
 * that certificate's fingerprint, whose key (`birth`) only the server was told. Who may hand over is proven by a
 * signature over the same fingerprint, a challenge that is good once, and what is handed over. So neither can be
 * answered by somebody in between, and nothing can be sent a second time.
 */

/** Where the server listens for it. */
export const HAND_OVER_PATH = "/.well-known/foozol-platform"
/** The header that has the signature. */
export const SIGNATURE_HEADER = "x-foozol-signature"
/** More is not read. */
export const MOST_BYTES = 64 * 1024

/** What is handed over. */
export interface HandOver {
  /** Environment of the service, secrets among it. */
  service: Record<string, string>
  /** Where the server gets its own certificate; null: it signs its own. */
  certificate: {
    directory: string
    contact: string | null
    binding: { kid: string; key: string } | null
    chain: string | null
    /** Certificates (PEM) that the directory is trusted by, besides the public ones. */
    trust: string | null
  } | null
}

/** What the server answers to the question who it is. */
export interface Introduction {
  proof: string
  challenge: string
  /** How far the service is. */
  service: "waits for its settings" | "starts" | "ready"
}

/** What the server shows of itself; `fingerprint` is the SHA-256 of its certificate as Node has it. */
export const proofOf = (birth: string, nonce: string, fingerprint: string): string =>
  createHmac("sha256", birth).update(`server\n${nonce}\n${fingerprint}`).digest("base64url")

export const isProof = (given: string, birth: string, nonce: string, fingerprint: string): boolean => {
  const [a, b] = [Buffer.from(given), Buffer.from(proofOf(birth, nonce, fingerprint))]
  return a.length === b.length && timingSafeEqual(a, b)
}

const signed = (challenge: string, fingerprint: string, body: string) =>
  Buffer.from(`operator\n${challenge}\n${fingerprint}\n${createHash("sha256").update(body).digest("hex")}`)

/** The operator's signature under what is handed over. */
export const signatureOf = (key: KeyObject, challenge: string, fingerprint: string, body: string): string =>
  sign(null, signed(challenge, fingerprint, body), key).toString("base64url")

/** @param operatorKey as in the platform's spec */
export function isSignature(
  given: string,
  operatorKey: string,
  about: { challenge: string; fingerprint: string; body: string },
): boolean {
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: operatorKey }, format: "jwk" })
  return verify(
    null,
    signed(about.challenge, about.fingerprint, about.body),
    key,
    Buffer.from(given.slice(0, 200), "base64url"),
  )
}

/** An Ed25519 key's public half as the spec has it. */
export const publicHalf = (key: KeyObject): string => String(createPublicKey(key).export({ format: "jwk" }).x)
