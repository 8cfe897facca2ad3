import { X509Certificate } from "node:crypto"
import { readFileSync } from "node:fs"
import type { z } from "zod"
import { type NamedAuthority, named } from "../certificates/settings.ts"
import type { Settings } from "../settings.ts"
import { ConfigError } from "./error.ts"

/** The certificate authorities of machines; what belongs to one makes no sense without it. */
export function authoritiesFrom(s: z.output<typeof Settings>): NamedAuthority[] {
  const first = authorityFrom("FOOZOL_ACME_", {
    ...{ directory: s.FOOZOL_ACME_DIRECTORY, contact: s.FOOZOL_ACME_CONTACT, most: s.FOOZOL_ACME_WEEK },
    ...{ kid: s.FOOZOL_ACME_EAB_KID, key: s.FOOZOL_ACME_EAB_KEY },
    ...{ chain: s.FOOZOL_ACME_CHAIN, trust: s.FOOZOL_ACME_TRUST },
  })
  const second = authorityFrom("FOOZOL_ACME_2_", {
    ...{ directory: s.FOOZOL_ACME_2_DIRECTORY, most: s.FOOZOL_ACME_2_WEEK },
    ...{ kid: s.FOOZOL_ACME_2_EAB_KID, key: s.FOOZOL_ACME_2_EAB_KEY },
    ...{ chain: s.FOOZOL_ACME_2_CHAIN, trust: s.FOOZOL_ACME_2_TRUST },
  })
  if (second === null) return first === null ? [] : [first]
  if (first === null) {
    throw new ConfigError("FOOZOL_ACME_2_DIRECTORY is a second authority: name the first one in FOOZOL_ACME_DIRECTORY")
  }
  if (first.id === second.id)
    throw new ConfigError("FOOZOL_ACME_2_DIRECTORY must be another than FOOZOL_ACME_DIRECTORY")
  const { contact } = first.authority
  return [first, { ...second, authority: { ...second.authority, contact } }]
}

interface AuthorityGiven {
  directory: string | undefined
  most: number
  kid: string | undefined
  key: string | undefined
  chain: string | undefined
  trust: string | undefined
  contact?: string | undefined
}

function authorityFrom(prefix: string, given: AuthorityGiven): NamedAuthority | null {
  const { directory, most, kid, key, chain, trust, contact } = given
  if (directory === undefined) {
    if ([kid, key, contact, chain, trust].every(one => one === undefined)) return null
    throw new ConfigError(`${prefix}DIRECTORY is missing: the other settings of ${prefix} belong to it`)
  }
  if ((kid === undefined) !== (key === undefined)) {
    throw new ConfigError(`${prefix}EAB_KID and ${prefix}EAB_KEY belong together: set both, or neither`)
  }
  const binding = kid === undefined || key === undefined ? null : { kid, key }
  const more = { chain: chain ?? null, trust: trustIn(`${prefix}TRUST`, trust) }
  return named({ directory, contact: contact ?? null, binding, ...more }, most)
}

function trustIn(setting: string, file: string | undefined): string | null {
  if (file === undefined) return null
  try {
    const text = readFileSync(file, "utf8")
    new X509Certificate(text)
    return text
  } catch {
    throw new ConfigError(`${setting} names ${file}, in which no certificate could be read`)
  }
}
