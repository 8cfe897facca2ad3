import { createHash, X509Certificate } from "node:crypto"

/** What is known of the certificate that lies in its place. Times are milliseconds since 1970. */
export interface Facts {
  /** Common name of who issued it, or its organisation. */
  issuer: string
  isSelfSigned: boolean
  notBefore: number
  notAfter: number
  /** Is it this machine's name that it is for? */
  fits: boolean
  /** From 0 to 1, another one for every certificate: by it, machines do not all renew in the same hour. */
  spread: number
}

/** Reads a chain in PEM, of which the first certificate is the machine's; null for what is none. */
export function readFacts(pem: string, name: string): Facts | null {
  try {
    const certificate = new X509Certificate(pem)
    const digest = createHash("sha256").update(certificate.raw).digest()
    return {
      issuer: issuerOf(certificate),
      isSelfSigned: certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey),
      notBefore: Date.parse(certificate.validFrom),
      notAfter: Date.parse(certificate.validTo),
      fits: certificate.checkHost(name) !== undefined,
      spread: digest.readUInt32BE() / 2 ** 32,
    }
  } catch {
    return null
  }
}

function issuerOf({ issuer }: X509Certificate): string {
  const parts = new Map(
    issuer.split("\n").map(line => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  )
  return (parts.get("CN") ?? parts.get("O") ?? "").slice(0, 100)
}
