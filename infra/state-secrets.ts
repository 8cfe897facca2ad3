import { createCipheriv, createDecipheriv, pbkdf2, randomBytes } from "node:crypto"
import { promisify } from "node:util"
import { InfraError } from "./errors.ts"

/**
 * How the engine encrypts secrets in state by a passphrase (`SymmetricCrypter` and `passphrase.NewPassphraseSecretsManager`
 * of its source): a key by PBKDF2 from passphrase and salt, AES-256-GCM, values as `v1:NONCE:TEXT` in base64. With the
 * salt stands the word `pulumi`, encrypted, which tells a wrong passphrase.
 */
const [ITERATIONS, KEY_BYTES, SALT_BYTES, NONCE_BYTES, TAG_BYTES] = [1_000_000, 32, 8, 12, 16]
const PROOF = "pulumi"
/** What marks an object in state as a secret. */
const [SIGNATURE, SECRET] = ["4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"]

const derive = promisify(pbkdf2)

/** What encrypts and decrypts the secrets of one salt. */
export interface Crypter {
  /** As it stands in state: the salt, and the proof of its passphrase. */
  salt: string
  encrypt(text: string): string
  /** @throws Error for what was not encrypted by it */
  decrypt(text: string): string
}

function crypter(key: Buffer, salt: string): Crypter {
  return {
    salt,
    encrypt(text) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv("aes-256-gcm", key, nonce)
      const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()])
      return `v1:${nonce.toString("base64")}:${sealed.toString("base64")}`
    },
    decrypt(text) {
      const [version, nonce = "", sealed = ""] = text.split(":")
      if (version !== "v1") throw new Error("unknown format of a secret in state")
      const bytes = Buffer.from(sealed, "base64")
      const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "base64"))
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
      return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]).toString("utf8")
    },
  }
}

/** One of a new salt. */
export async function newCrypter(passphrase: string): Promise<Crypter> {
  const salt = randomBytes(SALT_BYTES)
  const key = await derive(passphrase, salt, ITERATIONS, KEY_BYTES, "sha256")
  return crypter(key, `v1:${salt.toString("base64")}:${crypter(key, "").encrypt(PROOF)}`)
}

/** The one of a salt that stands in state; null: the passphrase is another. */
export async function openCrypter(passphrase: string, salt: string): Promise<Crypter | null> {
  const [version, bytes = "", ...proof] = salt.split(":")
  if (version !== "v1") return null
  const key = await derive(passphrase, Buffer.from(bytes, "base64"), ITERATIONS, KEY_BYTES, "sha256")
  const found = crypter(key, salt)
  try {
    return found.decrypt(proof.join(":")) === PROOF ? found : null
  } catch {
    return null
  }
}

const tried = new Map<string, Promise<boolean>>()

/** Is a salt of this passphrase? Stacks share salts, and the key of one takes 0.3 s: each is tried once in a process. */
export function opens(passphrase: string, salt: string): Promise<boolean> {
  const key = `${salt} ${passphrase}`
  const known = tried.get(key) ?? openCrypter(passphrase, salt).then(found => found !== null)
  tried.set(key, known)
  return known
}

/** The salt of a stack's file; "" of a stack that was never filled and holds no secrets. Null: it cannot be read. */
export function saltOf(text: string): string | null {
  try {
    const { checkpoint } = JSON.parse(text) as { checkpoint: { latest?: Encrypted | null } }
    if (!checkpoint.latest?.secrets_providers) return ""
    const { type, state } = checkpoint.latest.secrets_providers
    return type === "passphrase" ? (state?.salt ?? null) : null
  } catch {
    return null
  }
}

interface Encrypted {
  secrets_providers?: { type?: string; state?: { salt?: string } }
}

/** A stack's file with all its secrets encrypted by another crypter; nothing else in it changes. */
export function reencrypted(text: string, from: Crypter, to: Crypter): string {
  const file = JSON.parse(text) as { checkpoint: { latest: Encrypted } }
  const { state } = file.checkpoint.latest.secrets_providers ?? {}
  if (state?.salt !== from.salt) throw new InfraError("state-unreadable", "investigate", "It is of another salt.")
  state.salt = to.salt
  return JSON.stringify(file, (_, value) =>
    value?.[SIGNATURE] === SECRET && typeof value.ciphertext === "string"
      ? { ...value, ciphertext: to.encrypt(from.decrypt(value.ciphertext)) }
      : value,
  )
}
