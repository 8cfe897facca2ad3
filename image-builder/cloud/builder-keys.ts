import { generateKeyPairSync, randomBytes } from "node:crypto"

/** A key pair as OpenSSH writes it. */
export interface SshKeyPair {
  /** One line: kind and key. */
  publicKey: string
  /** PEM. */
  privateKey: string
}

/** Keys of one build: ours, and the builder's own, so that neither side can be taken for another. */
export interface BuilderKeys {
  client: SshKeyPair
  host: SshKeyPair
}

/** New keys, in memory only. */
export function makeBuilderKeys(): BuilderKeys {
  return { client: makeSshKeyPair(), host: makeSshKeyPair() }
}

const KIND = "ssh-ed25519"

/** A new ed25519 key pair. The private half has OpenSSH's own form, the only one that every sshd takes for its key. */
export function makeSshKeyPair(): SshKeyPair {
  const { x = "", d = "" } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" })
  const [key, seed] = [Buffer.from(x, "base64url"), Buffer.from(d, "base64url")]
  const publicPart = Buffer.concat([field(KIND), field(key)])
  const check = randomBytes(4)
  const secret = Buffer.concat([check, check, publicPart, field(Buffer.concat([seed, key])), field("")])
  const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7]).subarray(0, (8 - (secret.length % 8)) % 8)
  const count = Buffer.from([0, 0, 0, 1])
  const file = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    ...[field("none"), field("none"), field("")],
    ...[count, field(publicPart), field(Buffer.concat([secret, padding]))],
  ])
  const lines = file.toString("base64").match(/.{1,70}/g) ?? []
  return {
    publicKey: `${KIND} ${publicPart.toString("base64")}`,
    privateKey: `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join("\n")}\n-----END OPENSSH PRIVATE KEY-----\n`,
  }
}

/** Text or bytes with their length before them, as SSH packs everything. */
function field(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
