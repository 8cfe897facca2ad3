import { accessSync, constants } from "node:fs"
import { isAbsolute } from "node:path"
import { z } from "zod"
import { GCP_ZONES, GcpEndpoint, GcpProjectId, GcpZone, MARKETS } from "../../infra/gcp-settings.ts"
import { type OfferRule, parseOffers } from "../offers/rules.ts"
import { PROVIDERS } from "../workspaces/workspace.ts"
import { list } from "./shapes.ts"

const isReadable = (path: string): boolean => {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}

/** Where workspaces are, and what is offered to whom. */
export const providers = {
  FOOZOL_ZONE: z
    .string({ error: "is missing: the DNS zone workspaces get their names in, such as desk.example.com" })
    .regex(/^([a-z0-9-]+\.)+[a-z0-9-]+$/, "must be a domain, such as desk.example.com")
    .describe("DNS zone at the provider in which workspaces get their names"),
  FOOZOL_PROVIDERS: z
    .string()
    .transform(list)
    .pipe(z.array(z.enum(PROVIDERS, `must name providers: ${PROVIDERS.join(", ")}`)))
    .optional()
    .describe(
      `providers that new workspaces may be at (${PROVIDERS.join(", ")}), the first one unless asked otherwise; those that are set up if unset`,
    ),
  FOOZOL_OFFERS: z
    .string()
    .transform((text, context): OfferRule[] => {
      try {
        return parseOffers(text)
      } catch (error) {
        context.addIssue({ code: "custom", message: (error as Error).message })
        return z.NEVER
      }
    })
    .optional()
    .describe(
      "what is offered to whom: `everyone`, `user:NAME`, `org:NAME` (of GitHub) and after `=` PROVIDER/REGION/SIZE, `*` or left out for any; semicolons between, such as `everyone=hetzner/*/small; org:acme=hetzner gcp`; everything to everybody if unset",
    ),
  FOOZOL_GCP_PROJECTS: z
    .string()
    .transform(list)
    .pipe(z.array(GcpProjectId))
    .default([])
    .describe(
      "ids of Google Cloud projects; the first one has the DNS zone, and new workspaces go into the others when it is full; Google is not used if unset",
    ),
  FOOZOL_GCP_ZONES: z
    .string()
    .transform(list)
    .pipe(z.array(GcpZone))
    .default(GCP_ZONES)
    .describe("zones of Google that are offered as regions"),
  FOOZOL_GCP_MARKET: z
    .enum(MARKETS)
    .default("on-demand")
    .describe(
      "how machines at Google are bought: on-demand, or spot, which is cheaper and may be switched off by Google at any moment; of new workspaces",
    ),
  FOOZOL_GCP_CREDENTIALS: z
    .string()
    .refine(path => isAbsolute(path), "must be an absolute path")
    .refine(path => isReadable(path), "must be a file that this process may read")
    .optional()
    .describe(
      "file with Google's credentials for machines (the key of a service account, or a workload identity); GOOGLE_APPLICATION_CREDENTIALS if unset, else what Google's libraries find",
    ),
  FOOZOL_GCP_DNS_ZONE: z
    .string()
    .regex(/^([a-z0-9-]+\.)+[a-z0-9-]+$/, "must be a domain, such as gcp.desk.example.com")
    .optional()
    .describe(
      "DNS zone in Cloud DNS in which workspaces at Google get their names; FOOZOL_ZONE if unset, where Google is the only provider",
    ),
  FOOZOL_GCP_ENDPOINT: GcpEndpoint.optional().describe(
    "address of a stand-in for Google's API on this machine, for tests; Google's own if unset",
  ),
}
