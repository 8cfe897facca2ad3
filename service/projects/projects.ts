import type { Redis } from "ioredis"
import type { Logger } from "pino"
import type { Places } from "../../infra/cloud-config.ts"
import type { ImageId } from "../../infra/image-id.ts"
import { ServiceError } from "../errors.ts"
import { PREFIX } from "../redis/connect.ts"
import { askForRoom } from "../warm/waits.ts"
import type { Weathers } from "../weather/weathers.ts"
import type { Images } from "../workspaces/images.ts"
import { PROVIDER_LABELS } from "../workspaces/providers.ts"
import type { WorkspaceStore } from "../workspaces/store.ts"
import { PROFILES, type Profile, type Provider } from "../workspaces/workspace.ts"
import { choosePlace, closedBecause, type ProjectFacts, roomIn } from "./placement.ts"

/** When a project's limit was met; forgotten by itself. */
const limitKey = (project: string) => `${PREFIX}project-limit:${project}`
const REMEMBERED_MS = 3_600_000
/** Whoever only shows whether images are there asks the provider so often. */
const SHOWN_MS = 10 * 60_000

/** Where a new workspace goes, with the image there. */
export interface Destination {
  project: string
  image: ImageId
}

/** A provider's main project. @throws ServiceError `unknown-provider` where the provider is not set up */
export function mainProject({ mainOf }: Pick<Places, "mainOf">, provider: Provider): string {
  const found = mainOf(provider)
  if (found !== null) return found
  throw new ServiceError("unknown-provider", 422, `Machines cannot be had at ${PROVIDER_LABELS[provider]} here.`)
}

/** The providers' projects, as places for workspaces. */
export interface Projects {
  names: string[]
  /** A provider's, in the order in which they are filled. */
  at(provider: Provider): string[]
  providerOf(project: string): Provider
  /**
   * Where a new workspace goes.
   * @param wish.among those that come into question; all of the provider's where nothing is said
   * @param wish.image what it is made of, where that is not the profile's golden image
   * @throws ServiceError `no-room`, or `no-image` where no project has the image
   */
  place(profile: Profile, wish: PlaceWish): Promise<Destination>
  /** Takes note that the provider refused something in it for a limit of the project's. */
  limitMet(project: string): Promise<void>
  /** Takes note that something of it was removed. */
  roomMade(project: string): Promise<void>
  /** Each with the share of it that is free. */
  shown(): Promise<{ name: string; room: number }[]>
}

export interface PlaceWish {
  provider: Provider
  among?: string[]
  image?: ImageId | null
  /** For a spare machine, which nobody waits for. */
  isSpare?: boolean
}

export interface ProjectsMeans {
  redis: Redis
  places: Places
  /** Workspaces that may be in each; 0: no such number. */
  most: number
  store: Pick<WorkspaceStore, "countByProject">
  images: Images
  weathers: Weathers
  log: Logger
  now: () => number
}

export function createProjects(means: ProjectsMeans): Projects {
  const { redis, places, most, store, images, weathers, log, now } = means
  const { names } = places
  const at = (provider: Provider) => names.filter(name => places.providerOf(name) === provider)
  const { providerOf } = places
  const isMain = (project: string) => places.mainOf(providerOf(project)) === project
  const lacking = new Set<string>()
  let looked: { at: number; has: Promise<boolean[]> } | null = null

  async function facts(among: string[], has: (project: string) => Promise<boolean>): Promise<ProjectFacts[]> {
    const counts = await store.countByProject()
    return Promise.all(
      among.map(async name => {
        const [met, hasImage, weather] = await Promise.all([
          redis.get(limitKey(name)),
          has(name),
          weathers.of(name).now(),
        ])
        const limitMetAt = met === null ? null : Number(met)
        return { name, workspaces: counts.get(name) ?? 0, most, limitMetAt, hasImage, weather }
      }),
    )
  }

  async function place(
    profile: Profile,
    { provider, among, image: given = null, isSpare = false }: PlaceWish,
  ): Promise<Destination> {
    const main = mainProject(places, provider)
    const found = new Map<string, ImageId | null>()
    const all = await facts(among ?? at(provider), async project => {
      const image = given ?? (await imageIn(project, profile))
      found.set(project, image)
      return image !== null
    })
    const project = choosePlace(all, now())
    if (project !== null) return { project, image: found.get(project) as ImageId }
    const because = Object.fromEntries(all.map(one => [one.name, closedBecause(one, now())]))
    if (among === undefined && all.every(one => !one.hasImage)) await images.require(profile, main)
    log.error({ profile, projects: because }, "no project of the provider has room for another workspace")
    if (!isSpare) await askForRoom(redis, provider)
    throw noRoom()
  }

  /** A further project that does not answer is none for now: what happens there is not to keep the others back. */
  async function imageIn(project: string, profile: Profile): Promise<ImageId | null> {
    if (isMain(project)) return images.find(profile, project)
    try {
      const image = await images.find(profile, project)
      sayOnce(`${project} ${profile}`, image === null)
      return image
    } catch (error) {
      log.warn({ err: error, project }, "this project could not be asked for its golden images")
      return null
    }
  }

  function sayOnce(what: string, isLacking: boolean): void {
    if (!isLacking) return void lacking.delete(what)
    if (lacking.has(what)) return
    lacking.add(what)
    const [project, profile] = what.split(" ")
    log.warn({ project, profile }, "this project has no golden image that is the main one's: nothing is put there")
  }

  return {
    names,
    at,
    providerOf,
    place,
    limitMet: async project => void (await redis.set(limitKey(project), now(), "PX", REMEMBERED_MS)),
    roomMade: async project => void (await redis.del(limitKey(project))),
    async shown() {
      if (!looked || now() - looked.at > SHOWN_MS) {
        const hasAll = async (project: string) =>
          isMain(project) ||
          (await Promise.all(PROFILES.map(profile => images.find(profile, project)))).some(image => image !== null)
        // What cannot be asked now is taken for there: another alert tells of that.
        looked = { at: now(), has: Promise.all(names.map(name => hasAll(name).catch(() => true))) }
      }
      const has = await looked.has
      const all = await facts(names, async name => has[names.indexOf(name)] ?? true)
      return all.map(one => ({ name: one.name, room: roomIn(one, now()) }))
    },
  }
}

export const noRoom = () =>
  new ServiceError(
    "no-room",
    503,
    "There is no room for another workspace at the moment: try again later, or ask the operator to make room.",
    { next: "retry", retryAfter: 300 },
  )
