import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes, scryptSync } from "node:crypto"
import { createReadStream, createWriteStream } from "node:fs"
import { open, rename, rm } from "node:fs/promises"
import { createInterface } from "node:readline"
import { PassThrough, Readable, Transform, type TransformCallback } from "node:stream"
import { pipeline } from "node:stream/promises"
import { createGunzip, createGzip } from "node:zlib"
import { z } from "zod"
import { ServiceError } from "../errors.ts"
import { fingerprintOf } from "../keys.ts"

/**
 * A file of lines of JSON, compressed and encrypted. First comes one line in the clear that says what it is and how its
 * key is made; then pieces, each with its length before it, encrypted with AES-256-GCM. The nonce of a piece is its
 * number, and whether it is the last: so a file that was cut short, put together anew or changed anywhere is refused.
 * The key is of this file alone, by its salt, so numbers are good nonces.
 */
const Head = z.looseObject({
  "foozol-backup": z.literal(1),
  /** Made of FOOZOL_SECRET, or of a passphrase. */
  key: z.enum(["secret", "passphrase"]),
  /** Of the secret; null for a passphrase. */
  fingerprint: z.string().nullable(),
  salt: z.string(),
})
type Head = z.output<typeof Head>

/** What an archive is encrypted with. */
export type ArchiveKey = { secrets: string[] } | { passphrase: string }

const PIECE = 64 * 1024
const TAG = 16
/** The longest first line there is. */
const MOST_HEAD = 4096
/** Cost of making a key of a passphrase: 32 MB and about 0.1 s; `scrypt`'s N, r and p. */
const COST = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 ** 2 }

const damaged = (path: string) =>
  new ServiceError("backup-damaged", 422, `${path} is damaged or not whole: take another backup.`)

/** Writes an archive; it has its name once the disk has all of it. The newest of several secrets is taken. */
export async function writeArchive(path: string, key: ArchiveKey, lines: AsyncIterable<object>): Promise<void> {
  const salt = randomBytes(16)
  const [secret = ""] = "secrets" in key ? key.secrets : []
  const head: Head = {
    ...{ "foozol-backup": 1, salt: salt.toString("base64") },
    ...("passphrase" in key
      ? { key: "passphrase", fingerprint: null }
      : { key: "secret", fingerprint: fingerprintOf(secret) }),
  }
  const first = `${JSON.stringify(head)}\n`
  const half = `${path}.half`
  const out = createWriteStream(half, { mode: 0o600, flush: true })
  try {
    out.write(first)
    await pipeline(Readable.from(texts(lines)), createGzip(), encrypting(keyOf(head, key, path), first), out)
    await rename(half, path)
  } catch (error) {
    await rm(half, { force: true })
    throw error
  }
}

async function* texts(lines: AsyncIterable<object>): AsyncGenerator<string> {
  for await (const line of lines) yield `${JSON.stringify(line)}\n`
}

/**
 * Reads an archive. Every line is authentic when it comes; that the file is whole is known when the last one has come.
 * @throws ServiceError `no-backup`, `wrong-secret` or `backup-damaged`
 */
export async function* readArchive(path: string, key: ArchiveKey): AsyncGenerator<unknown> {
  const { head, first } = await readHead(path)
  const source = createReadStream(path, { start: Buffer.byteLength(first) })
  const lines = new PassThrough()
  let failure: unknown
  const done = pipeline(source, decrypting(keyOf(head, key, path), first, path), createGunzip(), lines).catch(error => {
    failure = error
    lines.end()
  })
  try {
    for await (const text of createInterface({ input: lines, crlfDelay: Number.POSITIVE_INFINITY })) {
      // What was there before a piece that is damaged is handed out no more once that is known.
      if (failure !== undefined) break
      yield JSON.parse(text)
    }
  } finally {
    source.destroy()
    lines.destroy()
  }
  await done
  if (failure instanceof ServiceError) throw failure
  if (failure !== undefined) throw damaged(path)
}

async function readHead(path: string): Promise<{ head: Head; first: string }> {
  const file = await open(path).catch(() => {
    throw new ServiceError("no-backup", 404, `There is no backup ${path} that could be read.`)
  })
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MOST_HEAD), 0, MOST_HEAD, 0)
    const end = buffer.subarray(0, bytesRead).indexOf("\n")
    const first = buffer.subarray(0, end + 1).toString("utf8")
    const head = Head.safeParse(parse(first))
    if (head.success) return { head: head.data, first }
    throw new ServiceError("no-backup", 422, `${path} is no backup of this service, or one of a newer version.`)
  } finally {
    await file.close()
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function keyOf(head: Head, key: ArchiveKey, path: string): Buffer {
  const salt = Buffer.from(head.salt, "base64")
  if (head.key === "passphrase") {
    if ("passphrase" in key) return scryptSync(key.passphrase, salt, 32, COST)
    throw new ServiceError("wrong-secret", 403, `${path} was encrypted with a passphrase: give --passphrase-file.`)
  }
  const secret = "secrets" in key ? key.secrets.find(one => fingerprintOf(one) === head.fingerprint) : undefined
  if (secret === undefined) {
    throw new ServiceError(
      "wrong-secret",
      403,
      `${path} was encrypted with another FOOZOL_SECRET: set the one of then, or put it into FOOZOL_SECRET_PREVIOUS.`,
    )
  }
  return Buffer.from(hkdfSync("sha256", secret, salt, "foozol-cloud backup", 32))
}

function nonceOf(number: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeBigUInt64BE(BigInt(number), 3)
  nonce[11] = isLast ? 1 : 0
  return nonce
}

/** Cuts what comes into pieces of one size. */
function encrypting(key: Buffer, first: string): Transform {
  let kept = Buffer.alloc(0)
  let number = 0
  const seal = (piece: Buffer, isLast: boolean) => {
    const cipher = createCipheriv("aes-256-gcm", key, nonceOf(number++, isLast)).setAAD(Buffer.from(first))
    const body = Buffer.concat([cipher.update(piece), cipher.final(), cipher.getAuthTag()])
    const length = Buffer.alloc(4)
    length.writeUInt32BE(body.length)
    return Buffer.concat([length, body])
  }
  return new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      kept = Buffer.concat([kept, chunk])
      while (kept.length > PIECE) {
        this.push(seal(kept.subarray(0, PIECE), false))
        kept = kept.subarray(PIECE)
      }
      done()
    },
    flush(done) {
      this.push(seal(kept, true))
      done()
    },
  })
}

function decrypting(key: Buffer, first: string, path: string): Transform {
  let kept = Buffer.alloc(0)
  let number = 0
  let hasLast = false
  const unseal = (body: Buffer): Buffer => {
    for (const isLast of [false, true]) {
      const options = { authTagLength: TAG }
      const decipher = createDecipheriv("aes-256-gcm", key, nonceOf(number, isLast), options)
      decipher.setAAD(Buffer.from(first)).setAuthTag(body.subarray(-TAG))
      const text = decipher.update(body.subarray(0, -TAG))
      try {
        decipher.final()
      } catch {
        continue
      }
      if (hasLast) break
      hasLast = isLast
      number++
      return text
    }
    // A passphrase that is wrong shows nowhere else.
    throw number === 0
      ? new ServiceError("wrong-secret", 403, `${path} cannot be opened with this, or is damaged from its beginning.`)
      : damaged(path)
  }
  return new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      kept = Buffer.concat([kept, chunk])
      try {
        while (kept.length >= 4) {
          const length = kept.readUInt32BE(0)
          if (length < TAG || length > PIECE + TAG) throw damaged(path)
          if (kept.length < 4 + length) break
          this.push(unseal(kept.subarray(4, 4 + length)))
          kept = kept.subarray(4 + length)
        }
        done()
      } catch (error) {
        done(error as Error)
      }
    },
    flush(done) {
      done(hasLast && kept.length === 0 ? null : damaged(path))
    },
  })
}

/** Digest of lines, in order, so that none is missing, doubled or in another place. */
export function lineDigest(): { add(line: object): void; hex(): string } {
  const hash = createHash("sha256")
  return { add: line => void hash.update(`${JSON.stringify(line)}\n`), hex: () => hash.copy().digest("hex") }
}
