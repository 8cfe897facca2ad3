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

/**
 * The keys of the service, each derived from its secret for one purpose. While secrets are rotated there are several:
 * what any of them has made is accepted, and what is new is made with the one in use.
 */
export interface Keys {
  /** A message authentication code for a purpose, as base64url. */
  mac(purpose: string, text: string): string
  /** The codes of all secrets, that of the one in use first. */
  macs(purpose: string, text: string): string[]
  /** Compares in constant time. */
  isMac(purpose: string, text: string, given: string): boolean
  /** Encrypts (AES-256-GCM) so that it can only be opened again under the same context. */
  seal(text: string, context: string): string
  /** @throws when it was sealed with another key or in another context, or was changed */
  open(sealed: string, context: string): string
  /** Fingerprints of the secrets, the newest first. */
  readonly fingerprints: readonly string[]
  /** Fingerprint of the one that what is new is made with. */
  readonly inUse: string
  /** Makes what is new with another of the secrets. @returns false for one that is not known here */
  use(fingerprint: string): boolean
  /** The keys of one of the secrets alone; null for one that is not known here. */
  of(fingerprint: string): OneKeys | null
}

/** The keys of one secret. */
type OneKeys = Pick<Keys, "mac" | "isMac" | "seal" | "open">

const IV_BYTES = 12
const TAG_BYTES = 16
/** Codes that are remembered; about 2 MB. */
const MOST_SHOWN = 10_000

/** @param earlier secrets from before, newest first: what was made with them is still accepted */
export function createKeys(secret: string, earlier: readonly string[] = []): Keys {
  const ring = [...new Set([secret, ...earlier])].map(one => ({ ...keysOf(one), fingerprint: fingerprintOf(one) }))
  const [newest] = ring as [(typeof ring)[number]]
  let making = newest
  /** Most of what is shown was made with the one in use. */
  const inOrder = () => [making, ...ring.filter(one => one !== making)]
  return {
    mac: (purpose, text) => making.mac(purpose, text),
    macs: (purpose, text) => inOrder().map(one => one.mac(purpose, text)),
    isMac: (purpose, text, given) =>
      making.isMac(purpose, text, given) ||
      (ring.length > 1 && ring.some(one => one !== making && one.isMac(purpose, text, given))),
    seal: (text, context) => making.seal(text, context),
    open(sealed, context) {
      let first: unknown
      for (const one of inOrder()) {
        try {
          return one.open(sealed, context)
        } catch (error) {
          first ??= error
        }
      }
      throw first
    },
    fingerprints: ring.map(one => one.fingerprint),
    get inUse() {
      return making.fingerprint
    },
    use(fingerprint) {
      const found = ring.find(one => one.fingerprint === fingerprint)
      if (found) making = found
      return found !== undefined
    },
    of: fingerprint => ring.find(one => one.fingerprint === fingerprint) ?? null,
  }
}

/** Names a secret without telling anything of it: 64 bits of a hash under a purpose of its own. */
export const fingerprintOf = (secret: string): string =>
  Buffer.from(hkdfSync("sha256", secret, "foozol-cloud", "fingerprint", 8)).toString("hex")

function keysOf(secret: string): OneKeys {
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
