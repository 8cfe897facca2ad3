import type { Market } from "../../infra/gcp-settings.ts"
import { heardTime } from "../../infra/heard-time.ts"
import type { ImageId } from "../../infra/image-id.ts"
import { thoseThatAnswer } from "../../infra/those-that-answer.ts"
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
export const PATIENCE_MS = 2_000
/** The same where nobody waits, as chores do. */
export const CHORES_PATIENCE_MS = 60_000

export const providerAway = () =>
  new ServiceError("provider-away", 502, "The provider does not answer at the moment: try again in a minute.", {
    next: "retry",
  })

/** The providers of projects that are away, as people call them. */
export const namesOf = (projects: readonly string[], providerOf: (project: string) => Provider): string[] => [
  ...new Set(projects.map(one => PROVIDER_LABELS[providerOf(one)])),
]

/**
 * What a page shows if it comes soon, and does without otherwise.
 * @throws ServiceError `provider-away` after the time, milliseconds; the request goes on
 */
export async function within<T>(asked: Promise<T>, patienceMs = PATIENCE_MS): Promise<T> {
  const timer = new AbortController()
  const late = heardTime(patienceMs, timer.signal).then(
    () => {
      throw providerAway()
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
  const found = await thoseThatAnswer(providers.map(ask), patienceMs)
  return {
    answers: found.flatMap(one => (one === null ? [] : [one.answer])),
    away: providers.filter((_, at) => found[at] === null),
  }
}
