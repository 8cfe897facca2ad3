import { createPrivateKey, X509Certificate } from "node:crypto"
import { readFile, rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import acme from "acme-client"
import { answerFor, newKey, requestFor } from "./openssl.ts"
import { createProblemReader, type Problem } from "./problem.ts"
import { startResponder } from "./responder.ts"
import { begin, end } from "./transport.ts"

/** What to ask for, and of whom. */
export interface Order {
  /** Host name of this machine. */
  name: string
  authority: {
    /** Its directory (RFC 8555). */
    directory: string
    /** Mail address that it may write to. */
    contact: string | null
    /** External account binding: by it the authority knows whose account this becomes. */
    binding: { kid: string; key: string } | null
    /** Common name of an issuer: of several chains, the one that has it is taken. */
    chain: string | null
    /** Certificates in PEM that its directory is trusted by, in the place of the public ones. */
    trust: string | null
  }
  /** Folder of key, certificate and the account's key. */
  folder: string
  /** Where NGINX passes the authority's own connections on to, and the group of NGINX. */
  socket: string
  socketGid?: number
}

export type Answer = { ok: true } | ({ ok: false } & Problem)

/**
 * Between two looks at what the authority is still busy with, in ms. Their own usual 5 s would be most of the wait of a
 * new workspace's owner.
 */
const LOOK_MS = { first: 100, most: 5_000 }
const LOOKS = 16

/** Obtains a certificate for the machine's own key and puts it in the place of the one before; never throws. */
export async function obtain(order: Order): Promise<Answer> {
  const { authority, folder, name } = order
  const { heard, problem } = createProblemReader()
  begin(authority.trust, heard)
  try {
    const keyPath = join(folder, "key.pem")
    // Made while the authority is asked.
    const request = requestFor(name, keyPath)
    request.catch(() => {})
    const account = await accountKey(folder)
    const client = new acme.Client({
      directoryUrl: authority.directory,
      accountKey: account.key,
      ...(authority.binding === null
        ? {}
        : { externalAccountBinding: { kid: authority.binding.kid, hmacKey: authority.binding.key } }),
      backoffAttempts: LOOKS,
      backoffMin: LOOK_MS.first,
      backoffMax: LOOK_MS.most,
    })
    await signIn(client, authority.contact, account.known)
    const placed = await client.createOrder({ identifiers: [{ type: "dns", value: name }] })
    for (const authorization of await client.getAuthorizations(placed))
      if (authorization.status !== "valid") await prove(client, authorization, order)
    const ready = await client.finalizeOrder(placed, await request)
    const chain = await client.getCertificate(ready, authority.chain ?? undefined)
    await putInPlace(folder, chain, await readFile(keyPath), name)
    return { ok: true }
  } catch (error) {
    return { ok: false, ...problem(error) }
  } finally {
    end()
  }
}

/** Shows the authority that this machine is the one that has the name. */
async function prove(client: acme.Client, authorization: acme.Authorization, order: Order): Promise<void> {
  // Its types do not know of this one.
  const challenge = authorization.challenges.find(one => (one.type as string) === "tls-alpn-01")
  if (challenge === undefined)
    throw new Error("the authority does not offer the challenge tls-alpn-01, the only one a machine can meet")
  const keyPath = join(order.folder, "answer.key")
  const key = newKey()
  await writeWhole(keyPath, key)
  const cert = await answerFor(order.name, await client.getChallengeKeyAuthorization(challenge), keyPath)
  const responder = await startResponder({ key, cert, socket: order.socket, gid: order.socketGid })
  try {
    await client.completeChallenge(challenge)
    await client.waitForValidStatus(authorization)
  } finally {
    await responder.close()
    await rm(keyPath, { force: true })
  }
}

/** The key of this machine's own account at its authority: born here, like the TLS key. Was it there before? */
async function accountKey(folder: string): Promise<{ key: string; known: boolean }> {
  const path = join(folder, "account.pem")
  const known = await readFile(path, "utf8").catch(() => null)
  if (known !== null) return { key: known, known: true }
  const key = newKey()
  await writeWhole(path, key)
  return { key, known: false }
}

/**
 * Looks the account up, or registers it. Where the client finds one only when it registers it, it goes on with an update
 * that changes nothing, which authorities may refuse.
 */
async function signIn(client: acme.Client, contact: string | null, known: boolean): Promise<void> {
  if (known) await client.createAccount({ onlyReturnExisting: true }).catch(() => {})
  if (isSignedIn(client)) return
  // Whoever names an authority in the service's settings agrees to its terms.
  const more = contact === null ? {} : { contact: [`mailto:${contact}`] }
  await client.createAccount({ termsOfServiceAgreed: true, ...more })
}

function isSignedIn(client: acme.Client): boolean {
  try {
    return client.getAccountUrl() !== ""
  } catch {
    return false
  }
}

/** A certificate with which NGINX would not start, or that is another name's, must never lie there. */
async function putInPlace(folder: string, chain: string, key: Buffer, name: string): Promise<void> {
  const leaf = new X509Certificate(chain)
  if (!leaf.checkPrivateKey(createPrivateKey(key)) || leaf.checkHost(name) === undefined) {
    throw new Error("the authority's certificate is not for this machine's key and name")
  }
  await writeWhole(join(folder, "cert.pem"), chain)
}

async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600, flush: true })
  await rename(`${path}.new`, path)
}
