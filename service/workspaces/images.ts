import type { Redis } from "ioredis"
import { toErrorValue } from "../../infra/errors.ts"
import { type ImageId, imageIdOf } from "../../infra/image-id.ts"
import type { Machines } from "../../infra/machines/contract.ts"
import { IMAGE_LABELS } from "../../infra/machines/images.ts"
import { MAIN_PROJECT } from "../../infra/projects.ts"
import { LABELS, MANAGER } from "../../infra/workspace-spec.ts"
import type { Config } from "../config.ts"
import { ServiceError } from "../errors.ts"
import { PREFIX } from "../redis/connect.ts"
import { newestReady, sameImageIn } from "./images-at.ts"
import { PROFILES, type Profile } from "./workspace.ts"

/** What operators have chosen: the image of a profile, and images that are used no more. */
const PROMOTED = `${PREFIX}images-promoted`
const DEMOTED = `${PREFIX}images-demoted`
/** Milliseconds for which a look at the provider's images counts: each costs an API request. */
const FRESH_MS = 60_000

/** The golden images that machines are made from. */
export interface Images {
  /**
   * Id of a profile's image in a project of the provider; null while there is none. In a further project it is the image of
   * the main one's content.
   */
  find(profile: Profile, project?: string): Promise<ImageId | null>
  /** @throws ServiceError `no-image` */
  require(profile: Profile, project?: string): Promise<ImageId>
  /** Those the provider has, newest first, and which of them is used. */
  list(): Promise<GoldenImage[]>
  /**
   * Makes an image the one that new workspaces of its profile are made from, whatever is newer or set, until `demote`.
   * @param as what it is for, of an image that does not say
   * @throws ServiceError `no-such-image` or `not-verified`
   */
  promote(id: string, as?: Profile): Promise<GoldenImage>
  /** Makes no new workspace from an image any more. @throws ServiceError `no-such-image` */
  demote(id: string): Promise<GoldenImage>
}

/** A golden image at the provider, as operators see it. */
export interface GoldenImage {
  id: string
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
  { images, zone }: Pick<Config, "images" | "zone">,
  machines: Machines,
  redis: Redis,
  now: () => number,
): Images {
  const seen = new Map<string, { at: number; id: Promise<ImageId | null> }>()

  /**
   * In the main project the newest that has passed its checks, and that no operator has demoted; in another one that of the
   * content of the main one's.
   */
  async function look(profile: Profile, project: string): Promise<ImageId | null> {
    if (project === MAIN_PROJECT) {
      return newestReady(machines, profile, project, { without: await redis.smembers(DEMOTED) })
    }
    const main = await find(profile)
    return main === null ? null : sameImageIn(machines, profile, main, project)
  }

  async function find(profile: Profile, project: string = MAIN_PROJECT): Promise<ImageId | null> {
    if (project === MAIN_PROJECT) {
      const chosen = await redis.hget(PROMOTED, profile)
      if (chosen !== null) return imageIdOf(chosen)
      const configured = images[profile]
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

  async function list(): Promise<GoldenImage[]> {
    const [found, promoted, demoted, used] = await Promise.all([
      machines.listSnapshots({ [LABELS.managedBy]: MANAGER }, { project: MAIN_PROJECT }),
      redis.hgetall(PROMOTED),
      redis.smembers(DEMOTED),
      Promise.all(PROFILES.map(async profile => [profile, await find(profile)] as const)),
    ])
    const standingOf = (profile: Profile, id: string): GoldenImage["standing"] => {
      if (promoted[profile] === id) return "promoted"
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
      [images[profile], promoted[profile]].flatMap(id => (id === undefined ? [] : { id: String(id), profile })),
    )
    for (const { id, profile } of named) {
      if (!all.some(one => one.id === id && one.profile === profile))
        all.push({ id, profile, createdAt: 0, ready: true })
    }
    return all
      .map(one => ({ ...one, standing: standingOf(one.profile, one.id), used: isUsed(one.profile, one.id) }))
      .sort((a, b) => a.profile.localeCompare(b.profile) || b.createdAt - a.createdAt)
  }

  async function known(id: string, given?: Profile): Promise<GoldenImage> {
    const found = (await list()).filter(one => one.id === id && (given === undefined || one.profile === given))[0]
    if (found) return found
    throw new ServiceError("no-such-image", 404, `There is no golden image ${id} at the provider.`)
  }

  return {
    find,
    list,
    async promote(id, as) {
      const listed = (await list()).some(one => one.id === id)
      if (!listed && as !== undefined) await requireImage(machines, id, zone)
      const { profile, ready } = listed || as === undefined ? await known(id) : { profile: as, ready: true }
      if (!ready) {
        throw new ServiceError("not-verified", 409, `Image ${id} has not passed its checks: nothing is made from it.`)
      }
      await redis.multi().hset(PROMOTED, profile, id).srem(DEMOTED, id).exec()
      seen.clear()
      return known(id, profile)
    },
    async demote(id) {
      const { profile } = await known(id)
      if ((await redis.hget(PROMOTED, profile)) === id) await redis.hdel(PROMOTED, profile)
      await redis.sadd(DEMOTED, id)
      seen.clear()
      return known(id, profile)
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

/** @throws ServiceError `no-such-image` where no machine could be made from it */
async function requireImage(machines: Machines, id: string, zone: string): Promise<void> {
  const offers = (await machines.sizes()).flatMap(({ name, regions }) =>
    Object.keys(regions).map(region => ({ size: name, region, available: regions[region]?.available === true })),
  )
  const offer = offers.find(one => one.available)
  if (!offer) throw new ServiceError("sold-out", 409, "The provider has no machine now: try again later.")
  await machines.check({ ...offer, image: imageIdOf(id), zone }, { project: MAIN_PROJECT }).catch(error => {
    if (toErrorValue(error).id === "unknown-image") {
      throw new ServiceError("no-such-image", 404, `There is no image ${id} at the provider.`)
    }
    throw error
  })
}
