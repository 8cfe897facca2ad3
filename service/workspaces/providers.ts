import type { Market } from "../../infra/gcp-settings.ts"
import type { ImageId } from "../../infra/image-id.ts"
import type { Profile, Provider } from "./workspace.ts"

/** What the settings say of a provider. */
export interface ProviderSettings {
  /** DNS zone at it, in which its workspaces get their names. */
  zone: string
  /** Regions that are offered; empty: all. */
  regions: string[]
  /** How machines of new workspaces are bought, where that can be chosen; left out: on demand. */
  market?: Market
  /** Images that new workspaces are made from, where none is promoted. */
  images: Partial<Record<Profile, ImageId>>
}

export type ByProvider = Record<Provider, ProviderSettings>

/** What providers are called. */
export const PROVIDER_LABELS: Record<Provider, string> = { hetzner: "Hetzner Cloud", gcp: "Google Cloud" }

/** The zones that workspaces have names in, each once. */
export const zonesOf = ({ providers }: { providers: ByProvider }): string[] => [
  ...new Set(Object.values(providers).map(one => one.zone)),
]
