import { createHash } from "node:crypto"

/** The certificate authority that the service has named, and how to be known there. */
export interface Authority {
  /** Address of its directory (RFC 8555). */
  directory: string
  contact: string | null
  /** External account binding. */
  binding: { kid: string; key: string } | null
  /** Common name of an issuer in the chain that is preferred. */
  chain: string | null
  /** Certificates in PEM that the directory is trusted by, in the place of the public ones. */
  trust: string | null
}

/** Checks what came over the wire; null where none is named. @throws without repeating a value */
export function parseAuthority(given: unknown): Authority | null {
  if (given === undefined || given === null) return null
  if (typeof given !== "object") throw new Error("the certificate's settings are no object")
  const { directory, contact, binding, chain, trust } = given as Record<string, unknown>
  if (typeof directory !== "string" || !URL.canParse(directory) || !directory.startsWith("https://"))
    throw new Error("the certificate authority's directory is no https URL")
  return {
    directory,
    contact: text("contact", contact),
    binding: parseBinding(binding),
    chain: text("chain", chain),
    trust: text("trust", trust),
  }
}

function parseBinding(given: unknown): Authority["binding"] {
  if (given === undefined || given === null) return null
  const { kid, key } = given as Record<string, unknown>
  if (typeof kid !== "string" || typeof key !== "string") throw new Error("the account's binding has no kid or no key")
  return { kid, key }
}

function text(what: string, given: unknown): string | null {
  if (given === undefined || given === null || given === "") return null
  if (typeof given === "string") return given
  throw new Error(`the certificate authority's ${what} is no text`)
}

/** A name for settings: the same ones, the same name; it tells nothing of what is in them. */
export const digestOf = (authority: Authority): string =>
  createHash("sha256").update(JSON.stringify(authority)).digest("hex").slice(0, 32)
