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

/**
 * What those say that answer: one that is away keeps nobody from the others.
 * @throws what the first of them failed with, where none answers
 */
export async function ofThoseThatAnswer<T>(asked: Promise<T>[]): Promise<T[]> {
  const found = await Promise.allSettled(asked)
  const answered = found.flatMap(one => (one.status === "fulfilled" ? [one.value] : []))
  const failed = found.find(one => one.status === "rejected")
  if (failed && answered.length === 0) throw failed.reason
  return answered
}
