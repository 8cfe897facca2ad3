import { execFile } from "node:child_process"
import { createHash, generateKeyPairSync } from "node:crypto"
import { promisify } from "node:util"

const run = promisify(execFile)

/** id-pe-acmeIdentifier (RFC 8737). */
const ACME_IDENTIFIER = "1.3.6.1.5.5.7.1.31"

/** A new key of P-256 in PEM. */
export const newKey = (): string =>
  generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }) as string

/** A request for a certificate of a name, in PEM. @param keyPath file of the key, which goes nowhere */
export async function requestFor(name: string, keyPath: string): Promise<string> {
  const { stdout } = await run("openssl", ["req", "-new", "-key", keyPath, "-subj", "/", ...names(name)])
  return stdout
}

/** The certificate by which the authority sees who holds the name (RFC 8737). */
export async function answerFor(name: string, keyAuthorization: string, keyPath: string): Promise<string> {
  const digest = createHash("sha256").update(keyAuthorization).digest("hex")
  const proof = `${ACME_IDENTIFIER}=critical,DER:0420${digest}`
  const own = ["req", "-x509", "-key", keyPath, "-days", "2", "-subj", "/", ...names(name), "-addext", proof]
  const { stdout } = await run("openssl", own)
  return stdout
}

/** Critical, as it must be where there is no other name. */
const names = (name: string) => ["-addext", `subjectAltName=critical,DNS:${name}`]
