import type { Redis } from "ioredis"
import type { Places } from "../../infra/cloud-config.ts"
import { toErrorValue } from "../../infra/errors.ts"
import { type ImageId, imageIdOf } from "../../infra/image-id.ts"
import type { Machines } from "../../infra/machines/contract.ts"
import { IMAGE_LABELS } from "../../infra/machines/images.ts"
import { IMAGES, LABELS, MANAGER } from "../../infra/workspace-spec.ts"
import type { Config } from "../config.ts"
import { ServiceError } from "../errors.ts"
import { PREFIX } from "../redis/connect.ts"
import { newestReady, sameImageIn } from "./images-at.ts"
import { askEach, providerAway } from "./providers.ts"
import { PROFILES, PROVIDERS, type Profile, type Provider } from "./workspace.ts"

/** What operators have chosen: the image of a profile at a provider (see `fieldOf`), and images that are used no more. */
const PROMOTED = `${PREFIX}images-promoted`
const DEMOTED = `${PREFIX}images-demoted`
/** Milliseconds for which a look at the provider's images counts: each costs an API request. */
const FRESH_MS = 60_000

/** The golden images that machines are made from, of each provider. */
export interface Images {
  /**
   * Id of a profile's image in a project of a provider; null while there is none. In a further project it is the image of
   * the main one's content.
   */
  find(profile: Profile, project: string): Promise<ImageId | null>
  /** @throws ServiceError `no-image` */
  require(profile: Profile, project: string): Promise<ImageId>
  /**
   * Those the providers have, newest first, and which of them are used.
   * @param away hears of providers that do not answer: what they have is missing. Left out, the list fails then
   */
  list(away?: (provider: Provider) => void): Promise<GoldenImage[]>
  /**
   * Makes an image the one that new workspaces of its profile are made from, whatever is newer or set, until `demote`.
   * @param as what it is for, of an image that does not say
   * @throws ServiceError `no-such-image`, `not-verified`, or `provider-away` where nobody can tell
   */
  promote(id: string, as?: Profile): Promise<GoldenImage>
  /** The image that `promote` would choose, as it is now. @throws as `promote` does */
  promotable(id: string, as?: Profile): Promise<GoldenImage>
  /** Makes no new workspace from an image any more. @throws ServiceError `no-such-image` */
  demote(id: string): Promise<GoldenImage>
  /** An image as it is now. @throws ServiceError `no-such-image`, or `provider-away` where nobody can tell */
  known(id: string, profile?: Profile): Promise<GoldenImage>
}

/** A golden image at the provider, as operators see it. */
export interface GoldenImage {
  id: string
  provider: Provider
  profile: Profile
  createdAt: number
  /** Has it passed its checks? */
  ready: boolean
  /** `promoted` and `demoted`: by an operator; `set`: by the settings. */
  standing: "promoted" | "demoted" | "set" | null
  /** Are new workspaces made from it now? */
  used: boolean
}

/** @param now clock in ms */
export function createImages(
  { providers: settings }: Pick<Config, "providers">,
  machines: Machines,
  redis: Redis,
  now: () => number,
  places: Places,
): Images {
  const mains = PROVIDERS.flatMap(provider => {
    const project = places.mainOf(provider)
    return project === null ? [] : { provider, project }
  })
  const mainOf = (project: string) => {
    const provider = places.providerOf(project)
    return { provider, main: places.mainOf(provider) as string }
  }
  const seen = new Map<string, { at: number; id: Promise<ImageId | null> }>()

  /**
   * In the main project the newest that has passed its checks, and that no operator has demoted; in another one that of the
   * content of the main one's.
   */
  async function look(profile: Profile, project: string): Promise<ImageId | null> {
    const { main } = mainOf(project)
    if (project === main) {
      return newestReady(machines, profile, project, { without: await redis.smembers(DEMOTED) })
    }
    const there = await find(profile, main)
    return there === null ? null : sameImageIn(machines, profile, there, project, main)
  }

  async function find(profile: Profile, project: string): Promise<ImageId | null> {
    const { provider, main } = mainOf(project)
    if (project === main) {
      const chosen = await redis.hget(PROMOTED, fieldOf(provider, profile))
      if (chosen !== null) return imageIdOf(chosen)
      const configured = settings[provider].images[profile]
      if (configured !== undefined && (await redis.sismember(DEMOTED, configured)) === 0) return configured
    }
    const key = `${project} ${profile}`
    const known = seen.get(key)
    if (known && now() - known.at < FRESH_MS) return known.id
    const asked = { at: now(), id: look(profile, project) }
    seen.set(key, asked)
    asked.id.catch(() => seen.delete(key))
    return asked.id
  }

  async function list(heardAway?: (provider: Provider) => void): Promise<GoldenImage[]> {
    const chosen = await Promise.all([redis.hgetall(PROMOTED), redis.smembers(DEMOTED)])
    const ask = (one: (typeof mains)[number]) => listAt(one, ...chosen)
    if (!heardAway) return newestFirst((await Promise.all(mains.map(ask))).flat())
    const { answers, away } = await askEach(
      mains.map(one => one.provider),
      provider => ask(mains.find(one => one.provider === provider) as (typeof mains)[number]),
    )
    for (const provider of away) heardAway(provider)
    return newestFirst(answers.flat())
  }

  function newestFirst(all: GoldenImage[]): GoldenImage[] {
    return all.sort((a, b) => a.profile.localeCompare(b.profile) || b.createdAt - a.createdAt)
  }

  async function listAt(
    { provider, project }: { provider: Provider; project: string },
    promoted: Record<string, string>,
    demoted: string[],
  ): Promise<GoldenImage[]> {
    const { images } = settings[provider]
    const [found, used] = await Promise.all([
      machines.listSnapshots({ [LABELS.managedBy]: MANAGER }, { project }),
      Promise.all(PROFILES.map(async profile => [profile, await find(profile, project)] as const)),
    ])
    const standingOf = (profile: Profile, id: string): GoldenImage["standing"] => {
      if (promoted[fieldOf(provider, profile)] === id) return "promoted"
      if (demoted.includes(id)) return "demoted"
      return String(images[profile]) === id ? "set" : null
    }
    const isUsed = (profile: Profile, id: string) => used.some(([one, at]) => one === profile && String(at) === id)
    const all = found.flatMap(({ id, labels, state, createdAt }) => {
      const profile = PROFILES.find(one => one === labels[IMAGE_LABELS.profile])
      // A snapshot of a workspace names its profile too, and is no golden image.
      if (!profile || labels[IMAGE_LABELS.state] === undefined) return []
      const ready = labels[IMAGE_LABELS.state] === "ready" && state === "available"
      return { id, profile, createdAt: createdAt.getTime(), ready }
    })
    // One that the settings name, or that was chosen, may be any image of the provider's.
    const named = PROFILES.flatMap(profile =>
      [images[profile], promoted[fieldOf(provider, profile)]].flatMap(id =>
        id === undefined ? [] : { id: String(id), profile },
      ),
    )
    for (const { id, profile } of named) {
      if (!all.some(one => one.id === id && one.profile === profile))
        all.push({ id, profile, createdAt: 0, ready: true })
    }
    return all.map(one => ({
      ...{ ...one, provider, standing: standingOf(one.profile, one.id), used: isUsed(one.profile, one.id) },
    }))
  }

  async function known(id: string, given?: Profile): Promise<GoldenImage> {
    const away: Provider[] = []
    const found = (await list(one => away.push(one))).find(
      one => one.id === id && (given === undefined || one.profile === given),
    )
    if (found) return found
    throw away.length > 0 ? providerAway() : noSuchImage(id)
  }

  /** The provider that has an image which bears none of our labels. @throws ServiceError `no-such-image` */
  async function holderOf(id: string): Promise<Provider> {
    const likely = mains.find(({ provider }) => IMAGES[provider].safeParse(imageIdOf(id)).success)
    if (!likely) throw noSuchImage(id)
    const { provider, project } = likely
    const offers = (await machines.sizes({ project })).flatMap(({ name, regions }) =>
      Object.keys(regions).map(region => ({ size: name, region, available: regions[region]?.available === true })),
    )
    const offer = offers.find(one => one.available)
    if (!offer) throw new ServiceError("sold-out", 409, "The provider has no machine now: try again later.")
    const { zone } = settings[provider]
    await machines.check({ ...offer, image: imageIdOf(id), zone }, { project }).catch(error => {
      throw toErrorValue(error).id === "unknown-image" ? noSuchImage(id) : error
    })
    return provider
  }

  async function promotable(id: string, as?: Profile): Promise<GoldenImage> {
    const listed = (await list(() => {})).some(one => one.id === id)
    const found =
      listed || as === undefined
        ? await known(id)
        : { id, provider: await holderOf(id), profile: as, createdAt: 0, ready: true, standing: null, used: false }
    if (found.ready) return found
    throw new ServiceError("not-verified", 409, `Image ${id} has not passed its checks: nothing is made from it.`)
  }

  return {
    find,
    list,
    known,
    promotable,
    async promote(id, as) {
      const { provider, profile } = await promotable(id, as)
      await redis.multi().hset(PROMOTED, fieldOf(provider, profile), id).srem(DEMOTED, id).exec()
      seen.clear()
      return known(id, profile)
    },
    async demote(id) {
      const before = await known(id)
      const { provider, profile } = before
      const field = fieldOf(provider, profile)
      if ((await redis.hget(PROMOTED, field)) === id) await redis.hdel(PROMOTED, field)
      await redis.sadd(DEMOTED, id)
      seen.clear()
      // Not looked up again: one that was known only because it had been chosen is in no list any more.
      return { ...before, standing: "demoted", used: false }
    },
    async require(profile, project) {
      const id = await find(profile, project)
      if (id !== null) return id
      throw new ServiceError(
        "no-image",
        503,
        `There is no golden image for the profile ${profile} yet: the operator has to build one.`,
        { next: "investigate" },
      )
    },
  }
}

/** Where the choice for a profile stands. Hetzner's, which was the only one first, bears no name. */
const fieldOf = (provider: Provider, profile: Profile) => (provider === "hetzner" ? profile : `${provider} ${profile}`)

const noSuchImage = (id: string) =>
  new ServiceError("no-such-image", 404, `There is no golden image ${id} at the provider.`)
