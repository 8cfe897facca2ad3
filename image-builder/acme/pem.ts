import { createPublicKey, X509Certificate } from "node:crypto"

/**
 * What acme-client needs of its own cryptography, by Node's: that one brings ten packages along, which every start would
 * read. The names are acme-client's.
 */

/** @returns the public half of a key in PEM, its members sorted, as its thumbprint wants them */
export function getJwk(pem: string | Buffer): Record<string, unknown> {
  const jwk = createPublicKey(pem).export({ format: "jwk" })
  return Object.fromEntries(Object.entries(jwk).sort(([one], [other]) => (one < other ? -1 : 1)))
}

/** @returns each object of a chain in PEM */
export const splitPemChain = (chain: string | Buffer): string[] =>
  chain.toString().match(/-----BEGIN ([A-Z0-9 ]+)-----[\s\S]+?-----END \1-----/g) ?? []

/** @returns the first object's bytes in Base64 for URLs */
export function getPemBodyAsB64u(pem: string | Buffer): string {
  const [first] = splitPemChain(pem)
  if (first === undefined) throw new Error("there is nothing in PEM")
  return Buffer.from(first.replace(/-----.*-----/g, ""), "base64").toString("base64url")
}

/** @returns what the choice between several chains looks at */
export function readCertificateInfo(pem: string | Buffer): { issuer: { commonName: string } } {
  const { issuer } = new X509Certificate(pem)
  return { issuer: { commonName: /^CN=(.*)$/m.exec(issuer)?.[1] ?? "" } }
}
