import type { z } from "zod"
import { parseProjects } from "../../infra/projects.ts"
import type { OfferRule } from "../offers/rules.ts"
import type { Settings } from "../settings.ts"
import type { WarmSettings } from "../warm/settings.ts"
import type { ProviderSettings } from "../workspaces/providers.ts"
import { PROVIDERS, type Provider } from "../workspaces/workspace.ts"
import { ConfigError } from "./error.ts"

/** Where new workspaces can be. */
interface Offered {
  offered: Provider[]
  providers: Record<Provider, ProviderSettings>
}

/** @throws ConfigError where a provider is offered that is not set up, or two providers would have one domain */
export function offeredBy(s: z.output<typeof Settings>, given: NodeJS.ProcessEnv): Provider[] {
  const google = s.FOOZOL_GCP_PROJECTS
  const isSetUp: Record<Provider, boolean> = {
    // Whoever names no other provider means Hetzner, and is told what it lacks.
    hetzner: given.HCLOUD_TOKEN !== undefined || google.length === 0,
    gcp: google.length > 0,
  }
  const needs: Record<Provider, string> = { hetzner: "HCLOUD_TOKEN", gcp: "FOOZOL_GCP_PROJECTS" }
  const lacking = (s.FOOZOL_PROVIDERS ?? []).filter(one => !isSetUp[one]).map(one => `${one} needs ${needs[one]}`)
  if (lacking.length > 0) throw new ConfigError(`FOOZOL_PROVIDERS names what is not set up: ${lacking.join(", ")}`)
  const twice = google.find((one, at) => google.indexOf(one) !== at || one in parseProjects(s.FOOZOL_PROJECTS))
  if (twice !== undefined)
    throw new ConfigError(
      `FOOZOL_GCP_PROJECTS and FOOZOL_PROJECTS must name each project once: ${twice} is there twice`,
    )
  if (isSetUp.hetzner && isSetUp.gcp && (s.FOOZOL_GCP_DNS_ZONE ?? s.FOOZOL_ZONE) === s.FOOZOL_ZONE) {
    throw new ConfigError(
      "FOOZOL_GCP_DNS_ZONE must be another domain than FOOZOL_ZONE, which Hetzner's DNS answers for: a part of it that is delegated to Cloud DNS, such as gcp.desk.example.com",
    )
  }
  return s.FOOZOL_PROVIDERS?.length ? s.FOOZOL_PROVIDERS : PROVIDERS.filter(one => isSetUp[one])
}

/** @throws ConfigError for a rule of what new workspaces cannot have anyway: it was meant otherwise */
export function refuseEmptyOffers({ offers, offered, providers }: Offered & { offers: OfferRule[] | null }): void {
  for (const { provider, region } of (offers ?? []).flatMap(({ what }) => what)) {
    if (provider !== null && !offered.includes(provider))
      throw new ConfigError(
        `FOOZOL_OFFERS names ${provider}, where new workspaces are not: there is ${offered.join(", ")}`,
      )
    const at = provider === null ? offered : [provider]
    const has = (one: Provider) => providers[one].regions.length === 0 || providers[one].regions.includes(region ?? "")
    if (region !== null && !at.some(has))
      throw new ConfigError(
        `FOOZOL_OFFERS names the region ${region}, which is not offered: there is ${at.flatMap(one => providers[one].regions).join(", ")}`,
      )
  }
}

/** @throws ConfigError for spare machines where no new workspace can be */
export function refuseUselessSpares({ warm, offered, providers }: Offered & { warm: WarmSettings }): void {
  for (const { provider, region } of warm.kinds) {
    if (!offered.includes(provider))
      throw new ConfigError(
        `FOOZOL_WARM names ${provider}, where new workspaces are not: there is ${offered.join(", ")}`,
      )
    const { regions } = providers[provider]
    if (regions.length > 0 && !regions.includes(region))
      throw new ConfigError(
        `FOOZOL_WARM names the region ${region}, which is not offered: there is ${regions.join(", ")}`,
      )
  }
}
