import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hash,
  hkdfSync,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from "node:crypto"

/** The keys of the service, each derived from its one secret for one purpose. */
export interface Keys {
  /** A message authentication code for a purpose, as base64url. */
  mac(purpose: string, text: string): string
  /** Compares in constant time. */
  isMac(purpose: string, text: string, given: string): boolean
  /** Encrypts (AES-256-GCM) so that it can only be opened again under the same context. */
  seal(text: string, context: string): string
  /** @throws when it was sealed with another key or in another context, or was changed */
  open(sealed: string, context: string): string
}

const IV_BYTES = 12
const TAG_BYTES = 16
/** Codes that are remembered; about 2 MB. */
const MOST_SHOWN = 10_000

export function createKeys(secret: string): Keys {
  // As objects of the crypto library: made of bytes at each use, a key costs five times what the MAC does.
  const derive = (purpose: string) =>
    createSecretKey(Buffer.from(hkdfSync("sha256", secret, "foozol-cloud", purpose, 32)))
  const derived = new Map<string, KeyObject>()
  const keyFor = (purpose: string) => {
    const key = derived.get(purpose) ?? derive(purpose)
    derived.set(purpose, key)
    return key
  }
  const mac = (purpose: string, text: string) =>
    createHmac("sha256", keyFor(`mac:${purpose}`))
      .update(text)
      .digest("base64url")
  /** Codes that were shown and right: machines show theirs at every question. */
  const shown = new Map<string, Buffer>()
  return {
    mac,
    isMac(purpose, text, given) {
      const name = `${purpose} ${text}`
      const known = shown.get(name)
      const wanted = known ?? Buffer.from(mac(purpose, text))
      const other = Buffer.from(given)
      if (wanted.length !== other.length || !timingSafeEqual(wanted, other)) return false
      if (known) return true
      if (shown.size >= MOST_SHOWN) shown.clear()
      shown.set(name, wanted)
      return true
    },
    seal(text, context) {
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv("aes-256-gcm", keyFor("seal"), iv).setAAD(Buffer.from(context))
      const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()])
      return Buffer.concat([iv, cipher.getAuthTag(), body]).toString("base64")
    },
    open(sealed, context) {
      const bytes = Buffer.from(sealed, "base64")
      // With its length said: else a tag that was cut short would be compared as far as it goes.
      const options = { authTagLength: TAG_BYTES }
      const decipher = createDecipheriv("aes-256-gcm", keyFor("seal"), bytes.subarray(0, IV_BYTES), options)
      decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES))
      return decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES), undefined, "utf8") + decipher.final("utf8")
    },
  }
}

/** How a secret that was handed out is stored: whoever reads the store cannot use it. Hex, as machines name tokens. */
export const hashOf = (token: string): string => hash("sha256", token, "hex")

/** A secret nobody can guess: 256 bits, as base64url. */
export const randomToken = (): string => randomBytes(32).toString("base64url")
