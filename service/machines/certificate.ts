import { z } from "zod"

/** What a machine says of its certificate. The user is root there: it is shown to its owner and decides nothing. */
export const MachineCertificate = z.object({
  state: z.enum(["self-signed", "issued", "expired"]),
  issuer: z.string().max(200),
  expiresAt: z.iso.datetime(),
  /** Since when it is good; images from before this was told leave it out. */
  issuedAt: z.iso.datetime().optional(),
  /** Directory of the authority that it came from; left out for the machine's own. */
  authority: z.string().max(500).optional(),
  /** Is one being asked for now? */
  asking: z.boolean(),
  /** When one is asked for next; null: none is. */
  nextAt: z.iso.datetime().nullable(),
  /** Why the last try failed, in the words of the authority. */
  problem: z
    .object({
      kind: z.string().max(100),
      reason: z.string().max(500),
      failures: z.int().min(0),
      /** Directory of the authority that was asked. */
      authority: z.string().max(500).optional(),
    })
    .nullable(),
})
export type MachineCertificate = z.output<typeof MachineCertificate>

/** The certificate authority machines ask, as it goes to them; the agent's `certificate/authority.ts` reads it. */
export interface CertificateAuthority {
  directory: string
  contact: string | null
  /** External account binding; the key is a secret. */
  binding: { kid: string; key: string } | null
  /** Common name of an issuer in the chain that is preferred. */
  chain: string | null
  /** Certificates in PEM that its directory is trusted by, in the place of the public ones. */
  trust: string | null
}
