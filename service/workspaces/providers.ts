import { setTimeout as sleep } from "node:timers/promises"
import type { Market } from "../../infra/gcp-settings.ts"
import type { ImageId } from "../../infra/image-id.ts"
import { ServiceError } from "../errors.ts"
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

/** How long those that have not answered are waited for where it goes without them, milliseconds. */
const PATIENCE_MS = 2_000

/**
 * What a page shows if it comes soon, and does without otherwise.
 * @throws ServiceError `provider-away` after the time, milliseconds; the request goes on
 */
export async function within<T>(asked: Promise<T>, patienceMs = PATIENCE_MS): Promise<T> {
  const timer = new AbortController()
  const late = sleep(patienceMs, null, { signal: timer.signal }).then(
    () => {
      throw new ServiceError("provider-away", 502, "The provider does not answer at the moment: try again in a minute.")
    },
    () => asked,
  )
  return Promise.race([asked, late]).finally(() => timer.abort())
}

/** What providers say that were asked, and which of them are away. */
export interface Answers<T> {
  answers: T[]
  away: Provider[]
}

/**
 * Asks several providers: one that is away keeps nobody from the others, nor waiting for it long.
 * @throws what the first of them failed with, where none answers
 */
export async function askEach<T>(
  providers: readonly Provider[],
  ask: (provider: Provider) => Promise<T>,
  patienceMs = PATIENCE_MS,
): Promise<Answers<T>> {
  const timer = new AbortController()
  const asked = providers.map(ask)
  const late = Promise.any(asked).then(
    () => sleep(patienceMs, null, { signal: timer.signal }).catch(() => null),
    () => null,
  )
  const found = await Promise.allSettled(asked.map(one => Promise.race([one.then(answer => ({ answer })), late])))
  timer.abort()
  const failed = found.find(one => one.status === "rejected")
  const all = found.map(one => (one.status === "fulfilled" ? one.value : null))
  const answers = all.flatMap(one => (one === null ? [] : [one.answer]))
  if (failed && answers.length === 0) throw failed.reason
  return { answers, away: providers.filter((_, at) => all[at] === null) }
}
