import type { Machines, SidePrices, Size } from "../../infra/machines/contract.ts"
import { ServiceError } from "../errors.ts"
import { PROVIDER_LABELS, type ProviderSettings } from "./providers.ts"
import { type Provider, SIZE_CLASSES, type SizeClass } from "./workspace.ts"

/**
 * Least cores and memory (GB) of each class. What the requirements name for a desktop (A4) is `large` at Hetzner, and
 * `medium` at Google (`e2-highmem-2`), where a core costs several times as much.
 */
const LEAST: Record<Provider, Record<SizeClass, { cores: number; memoryGb: number }>> = {
  hetzner: {
    small: { cores: 2, memoryGb: 4 },
    medium: { cores: 4, memoryGb: 8 },
    large: { cores: 8, memoryGb: 16 },
  },
  gcp: {
    small: { cores: 2, memoryGb: 8 },
    medium: { cores: 2, memoryGb: 16 },
    large: { cores: 4, memoryGb: 16 },
  },
}

/** What a workspace is unless somebody says another. */
export const USUAL_CLASS: Record<Provider, SizeClass> = { hetzner: "large", gcp: "medium" }

/** The largest class that a machine type is enough for; the smallest for what is below all. Pure. */
export function classOf(
  { cores, memoryGb }: Pick<Size, "cores" | "memoryGb">,
  provider: Provider = "hetzner",
): SizeClass {
  const least = LEAST[provider]
  const fits = SIZE_CLASSES.filter(name => cores >= least[name].cores && memoryGb >= least[name].memoryGb)
  return fits.at(-1) ?? "small"
}

/** Milliseconds for which sizes, prices and availability are taken for true: each look costs an API request. */
const FRESH_MS = 60_000

/** A class with the provider's type that stands for it now. */
export interface OfferedSize {
  class: SizeClass
  size: Size
}

/**
 * The cheapest orderable x86 type for each class, preferring those that can be had somewhere now. Pure.
 * @param regions those that count; empty: all
 */
export function offeredSizes(sizes: Size[], regions: string[], provider: Provider = "hetzner"): OfferedSize[] {
  return SIZE_CLASSES.flatMap(name => {
    const least = LEAST[provider][name]
    const offers = sizes
      .filter(size => size.orderable && size.architecture === "x86")
      .filter(size => size.cores >= least.cores && size.memoryGb >= least.memoryGb)
      .map(size => ({ size, places: placesOf(size, regions) }))
      .filter(({ places }) => places.length > 0)
      .map(({ size, places }) => ({
        size,
        available: places.some(([, place]) => place.available),
        price: Math.min(...places.map(([, place]) => place.price.monthly)),
      }))
      .sort((a, b) => Number(b.available) - Number(a.available) || a.price - b.price)
    return offers[0] ? [{ class: name, size: offers[0].size }] : []
  })
}

function placesOf(size: Size, regions: string[]) {
  return Object.entries(size.regions).filter(([region]) => regions.length === 0 || regions.includes(region))
}

/** What each provider sells; types and regions of one are none of another. */
export interface SizeCatalog {
  all(provider: Provider): Promise<Size[]>
  /** What is paid beside machines: snapshots and addresses. */
  sidePrices(provider: Provider): Promise<SidePrices>
  offered(provider: Provider): Promise<OfferedSize[]>
  /** Regions in which something is sold, of those that are offered. */
  regions(provider: Provider): Promise<string[]>
  /**
   * The type for a wish, where it can be had.
   * @throws ServiceError `unknown-size`, `unknown-region` or `sold-out`, which names what there is instead
   */
  choose(wish: { provider: Provider; sizeClass: SizeClass; region: string }): Promise<Size>
  /** @throws ServiceError `sold-out` when a machine of just this type cannot be had there; it names what there is */
  requireAvailable(place: { provider: Provider; size: string; sizeClass: SizeClass; region: string }): Promise<void>
}

/**
 * @param machinesAt those of a provider's main project
 * @param settings regions that count, of each provider
 * @param now clock in ms
 */
export function createSizeCatalog(
  machinesAt: (provider: Provider) => Pick<Machines, "sizes" | "sidePrices">,
  settings: Record<Provider, Pick<ProviderSettings, "regions">>,
  now: () => number,
): SizeCatalog {
  const asked = new Map<Provider, { all(): Promise<Size[]>; sidePrices(): Promise<SidePrices> }>()
  function of(provider: Provider) {
    const known = asked.get(provider)
    if (known) return known
    const machines = machinesAt(provider)
    const made = {
      all: remembered(() => machines.sizes(), now),
      sidePrices: remembered(() => machines.sidePrices(), now),
    }
    asked.set(provider, made)
    return made
  }
  const all = async (provider: Provider) => of(provider).all()
  const offered = async (provider: Provider) => offeredSizes(await all(provider), settings[provider].regions, provider)
  async function regions(provider: Provider): Promise<string[]> {
    const allowed = settings[provider].regions
    const places = (await offered(provider)).flatMap(({ size }) => placesOf(size, allowed).map(([region]) => region))
    return [...new Set(places)].sort()
  }
  return {
    all,
    sidePrices: async provider => of(provider).sidePrices(),
    offered,
    regions,
    async requireAvailable({ provider, size, sizeClass, region }) {
      const type = (await all(provider)).find(one => one.name === size)
      if (type?.orderable && type.regions[region]?.available) return
      throw soldOut(sizeClass, region, await offered(provider), await regions(provider))
    },
    async choose({ provider, sizeClass, region }) {
      const places = await regions(provider)
      if (!places.includes(region)) {
        throw new ServiceError(
          "unknown-region",
          422,
          `There is no region "${region}" at ${PROVIDER_LABELS[provider]} here; there are ${places.join(", ")}.`,
        )
      }
      const offers = await offered(provider)
      const offer = offers.find(one => one.class === sizeClass)
      if (!offer) throw new ServiceError("unknown-size", 422, `The provider sells no machine of size ${sizeClass} now.`)
      if (offer.size.regions[region]?.available) return offer.size
      throw soldOut(sizeClass, region, offers, places)
    },
  }
}

/** Asks once for all who ask while an answer is fresh; a failure is not kept. */
function remembered<T>(ask: () => Promise<T>, now: () => number): () => Promise<T> {
  let known: { at: number; answer: Promise<T> } | null = null
  return () => {
    if (known && now() - known.at < FRESH_MS) return known.answer
    const asked = { at: now(), answer: ask() }
    known = asked
    asked.answer.catch(() => {
      if (known === asked) known = null
    })
    return asked.answer
  }
}

/** Names what there is instead. */
function soldOut(sizeClass: SizeClass, region: string, offers: OfferedSize[], places: string[]): ServiceError {
  const offer = offers.find(one => one.class === sizeClass)
  const elsewhere = Object.entries(offer?.size.regions ?? {}).flatMap(([place, { available }]) =>
    available && places.includes(place) ? [place] : [],
  )
  const others = offers.filter(one => one.size.regions[region]?.available).map(one => one.class)
  const instead = [
    elsewhere.length > 0 ? `the regions ${elsewhere.join(", ")} have it` : "",
    others.length > 0 ? `${region} has ${others.join(", ")}` : "",
  ].filter(text => text !== "")
  return new ServiceError(
    "sold-out",
    409,
    `Size ${sizeClass} is sold out in ${region} at the moment: ${instead.join("; ") || "try again later"}.`,
    { next: "retry" },
  )
}
