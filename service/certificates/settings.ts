import { createHash } from "node:crypto"
import type { CertificateAuthority } from "../machines/certificate.ts"
import { type Allowance, WEEK_MS } from "./budget.ts"

/** An authority that the settings name, and how many new names it gives certificates to. */
export interface NamedAuthority {
  /** By its directory, so that what is used stays with it whatever place it has in the settings. */
  id: string
  /** How people call it: the host of its directory. */
  name: string
  authority: CertificateAuthority
  allowance: Allowance
}

/** @param most new names a week; 0: no such number */
export const named = (authority: CertificateAuthority, most: number): NamedAuthority => ({
  id: createHash("sha256").update(authority.directory).digest("hex").slice(0, 12),
  name: new URL(authority.directory).host,
  authority,
  allowance: { most, periodMs: WEEK_MS },
})
