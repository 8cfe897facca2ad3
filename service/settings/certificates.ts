import { isAbsolute } from "node:path"
import { z } from "zod"
import { whole } from "./shapes.ts"

/** Certificate authorities that machines' certificates come from. */
export const certificates = {
  FOOZOL_ACME_DIRECTORY: z
    .url({ protocol: /^https$/, error: "must be an https URL, such as https://acme-v02.api.letsencrypt.org/directory" })
    .optional()
    .describe(
      "directory of the certificate authority machines get their certificates from (RFC 8555, challenge tls-alpn-01), to whose terms you agree by this; if unset they sign their own",
    ),
  FOOZOL_ACME_CONTACT: z
    .email("must be a mail address")
    .optional()
    .describe("mail address that authority may write to"),
  FOOZOL_ACME_EAB_KID: z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/, "must be the id that the authority has given you")
    .optional()
    .describe("id of the key that binds new accounts to yours, where the authority wants that"),
  FOOZOL_ACME_EAB_KEY: z
    .string()
    .regex(/^[A-Za-z0-9_-]{16,}={0,2}$/, "must be a key in Base64 for URLs")
    .optional()
    .describe("that key; every machine is given it, and its user is root there: use one that is good for nothing else"),
  FOOZOL_ACME_CHAIN: z
    .string()
    .max(200)
    .optional()
    .describe("common name of an issuer: of several chains the authority offers, the one that has it is taken"),
  FOOZOL_ACME_TRUST: z
    .string()
    .refine(path => isAbsolute(path), "must be an absolute path")
    .optional()
    .describe(
      "file with certificates (PEM) by which machines trust the directory in the place of the public ones, for an authority of your own",
    ),
  FOOZOL_ACME_WEEK: whole(0, 10_000_000)
    .default(50)
    .describe("new names it gives certificates to in 7 days; more wait for theirs; 0: no such number"),
  FOOZOL_ACME_2_DIRECTORY: z
    .url({ protocol: /^https$/, error: "must be an https URL" })
    .optional()
    .describe("directory of a second authority, which is asked where the first one refuses, is down or has no room"),
  FOOZOL_ACME_2_EAB_KID: z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/, "must be the id that the authority has given you")
    .optional()
    .describe("as FOOZOL_ACME_EAB_KID, for the second one"),
  FOOZOL_ACME_2_EAB_KEY: z
    .string()
    .regex(/^[A-Za-z0-9_-]{16,}={0,2}$/, "must be a key in Base64 for URLs")
    .optional()
    .describe("as FOOZOL_ACME_EAB_KEY, for the second one"),
  FOOZOL_ACME_2_CHAIN: z.string().max(200).optional().describe("as FOOZOL_ACME_CHAIN, for the second one"),
  FOOZOL_ACME_2_TRUST: z
    .string()
    .refine(path => isAbsolute(path), "must be an absolute path")
    .optional()
    .describe("as FOOZOL_ACME_TRUST, for the second one"),
  FOOZOL_ACME_2_WEEK: whole(0, 10_000_000).default(0).describe("as FOOZOL_ACME_WEEK, for the second one"),
}
