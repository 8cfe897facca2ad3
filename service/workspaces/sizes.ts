import type { Machines, SidePrices, Size } from "../../infra/machines/contract.ts"
import { ServiceError } from "../errors.ts"
import type { Allows } from "../offers/rules.ts"
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

/** A class with the provider's type that stands for it now; the type's regions are those where it is offered so. */
export interface OfferedSize {
  class: SizeClass
  size: Size
}

const EVERYTHING: Allows = () => true

/**
 * The cheapest orderable x86 type for each class, preferring those that can be had somewhere now. Pure.
 * @param regions those that count; empty: all
 * @param allows what of it may be taken
 */
export function offeredSizes(
  sizes: Size[],
  regions: string[],
  provider: Provider = "hetzner",
  allows: Allows = EVERYTHING,
): OfferedSize[] {
  return SIZE_CLASSES.flatMap(sizeClass => {
    const least = LEAST[provider][sizeClass]
    const isOffered = (region: string) =>
      (regions.length === 0 || regions.includes(region)) && allows({ provider, region, sizeClass })
    const offers = sizes
      .filter(size => size.orderable && size.architecture === "x86")
      .filter(size => size.cores >= least.cores && size.memoryGb >= least.memoryGb)
      .map(size => ({ size, places: Object.entries(size.regions).filter(([region]) => isOffered(region)) }))
      .filter(({ places }) => places.length > 0)
      .map(({ size, places }) => ({
        size: { ...size, regions: Object.fromEntries(places) },
        available: places.some(([, place]) => place.available),
        price: Math.min(...places.map(([, place]) => place.price.monthly)),
      }))
      .sort((a, b) => Number(b.available) - Number(a.available) || a.price - b.price)
    return offers[0] ? [{ class: sizeClass, size: offers[0].size }] : []
  })
}

const regionsOf = (offered: OfferedSize[]) => [
  ...new Set(offered.flatMap(({ size }) => Object.keys(size.regions)).sort()),
]

/** What one person may take of what is sold. */
export interface Offer {
  /** At which there is something for them, in the order of the settings. */
  providers: Provider[]
  sizes(provider: Provider): Promise<OfferedSize[]>
  /** Regions in which something is sold to them. */
  regions(provider: Provider): Promise<string[]>
  /**
   * The type for a wish, where it can be had.
   * @throws ServiceError `unknown-size`, `unknown-region`, `not-offered-to-you` or `sold-out`, which names what there is
   *   instead
   */
  choose(wish: { provider: Provider; sizeClass: SizeClass; region: string }): Promise<Size>
  /** @throws ServiceError `not-offered-to-you` where there is nothing for them at a provider */
  require(provider: Provider): void
  /**
   * Where a workspace is already, offered still or not.
   * @throws ServiceError `sold-out` when a machine of just this type cannot be had there; it names what there is
   */
  requireAvailable(place: { provider: Provider; size: string; sizeClass: SizeClass; region: string }): Promise<void>
}

/** What each provider sells; types and regions of one are none of another. */
export interface SizeCatalog {
  all(provider: Provider): Promise<Size[]>
  /** What is paid beside machines: snapshots and addresses. */
  sidePrices(provider: Provider): Promise<SidePrices>
  /** @param user by their id */
  offerTo(user: string): Promise<Offer>
}

/**
 * @param machinesAt those of a provider's main project
 * @param settings the providers that are offered, and regions that count of each
 * @param now clock in ms
 * @param allowed what may be taken by whom
 */
export function createSizeCatalog(
  machinesAt: (provider: Provider) => Pick<Machines, "sizes" | "sidePrices">,
  settings: { offered: Provider[]; providers: Record<Provider, Pick<ProviderSettings, "regions">> },
  now: () => number,
  allowed: (user: string) => Promise<Allows> = async () => EVERYTHING,
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
  const offered = async (provider: Provider, allows: Allows) =>
    offeredSizes(await all(provider), settings.providers[provider].regions, provider, allows)

  async function offerTo(user: string): Promise<Offer> {
    const allows = await allowed(user)
    const providers = settings.offered.filter(provider => allows({ provider }))
    const sizes = (provider: Provider) => offered(provider, allows)

    function require(provider: Provider): void {
      if (allows({ provider })) return
      const there = providers.map(one => PROVIDER_LABELS[one]).join(" and ")
      throw notForThem(`Machines at ${PROVIDER_LABELS[provider]} are`, there)
    }
    return {
      providers,
      sizes,
      regions: async provider => regionsOf(await sizes(provider)),
      require,
      async requireAvailable({ provider, size, sizeClass, region }) {
        const type = (await all(provider)).find(one => one.name === size)
        if (type?.orderable && type.regions[region]?.available) return
        const offers = await sizes(provider)
        throw soldOut(sizeClass, region, offers, regionsOf(offers))
      },
      async choose({ provider, sizeClass, region }) {
        require(provider)
        const [offers, everything] = await Promise.all([sizes(provider), offered(provider, EVERYTHING)])
        const places = regionsOf(offers)
        const offer = offers.find(one => one.class === sizeClass)
        const isHere = places.includes(region)
        if (!isHere && !regionsOf(everything).includes(region)) {
          throw new ServiceError(
            "unknown-region",
            422,
            `There is no region "${region}" at ${PROVIDER_LABELS[provider]} here; there are ${places.join(", ")}.`,
          )
        }
        if (!isHere || !allows({ provider, region, sizeClass })) {
          const here = offers.filter(one => one.size.regions[region]).map(one => one.class)
          const elsewhere = Object.keys(offer?.size.regions ?? {})
          const there = [
            here.length > 0 ? `${here.join(", ")} in ${region}` : "",
            elsewhere.length > 0 ? `${sizeClass} in ${elsewhere.join(", ")}` : "",
          ].filter(text => text !== "")
          throw notForThem(`Machines of size ${sizeClass} in ${region} are`, there.join("; ") || places.join(", "))
        }
        if (!offer)
          throw new ServiceError("unknown-size", 422, `The provider sells no machine of size ${sizeClass} now.`)
        if (offer.size.regions[region]?.available) return offer.size
        throw soldOut(sizeClass, region, offers, places)
      },
    }
  }
  return { all, sidePrices: async provider => of(provider).sidePrices(), offerTo }
}

/** @param there what is offered to them instead */
const notForThem = (what: string, there: string) =>
  new ServiceError(
    "not-offered-to-you",
    403,
    `${what} not offered to you; ${there ? `what is: ${there}` : "nothing is at the moment"}. Ask the operator; if you have joined an organisation at GitHub since you signed in, sign in again.`,
  )

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
