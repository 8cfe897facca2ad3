import { imageIdOf } from "../../infra/image-id.ts"
import type { Size } from "../../infra/machines/contract.ts"
import type { SnapshotFacts } from "../../infra/machines/snapshots.ts"
import { inProject, projectOf } from "../../infra/projects.ts"
import { type Repository, readRepository } from "../../infra/repositories/repository.ts"
import type { Config } from "../config.ts"
import { readEntered, ServiceError } from "../errors.ts"
import type { HomeBackups } from "../home-backups/home-backups.ts"
import type { Keys } from "../keys.ts"
import type { Destination, Projects } from "../projects/projects.ts"
import type { FirstOnes, Secrets } from "../secrets/secrets.ts"
import type { Budgets } from "../usage/budgets.ts"
import type { Spares } from "../warm/spares.ts"
import type { Beginnings } from "./begin.ts"
import { newWorkspaceId } from "./names.ts"
import { PROVIDER_LABELS } from "./providers.ts"
import { type Offer, type SizeCatalog, USUAL_CLASS } from "./sizes.ts"
import type { WorkspaceStore } from "./store.ts"
import type { CreateWorkspace } from "./wishes.ts"
import { PROFILES, type Profile, type Provider, type SizeClass, type WorkspaceInfo } from "./workspace.ts"

export interface Created {
  /** False where an earlier wish is answered. */
  created: boolean
  workspace: string
  operation: string
}

/** @see Workspaces.create */
export function createCreation({
  config,
  keys,
  store,
  secrets,
  sizes,
  projects,
  budgets,
  homeBackups,
  now,
  asked,
  hint,
  usableBackup,
  spares,
}: {
  config: Pick<Config, "projectWorkspaces" | "quota" | "repositoryHosts" | "offered" | "providers">
  keys: Keys
  store: WorkspaceStore
  secrets: Secrets
  sizes: Pick<SizeCatalog, "offerTo">
  projects: Pick<Projects, "place" | "providerOf">
  budgets: Pick<Budgets, "refuse">
  homeBackups: Pick<HomeBackups, "requireSource" | "restore">
  now: () => number
  spares: Spares
  /** A backup of theirs. @throws ServiceError `no-backup` */
  usableBackup(user: string, snapshot: string): Promise<SnapshotFacts>
} & Pick<Beginnings, "asked" | "hint">) {
  /** Does something in the project that has room; in the next one where another creation was faster. */
  async function inRoom<T>(
    profile: Profile,
    wish: Parameters<Projects["place"]>[1],
    work: (place: Destination) => Promise<T>,
  ): Promise<T> {
    const place = await projects.place(profile, wish)
    try {
      return await work(place)
    } catch (error) {
      if (!(error instanceof ServiceError) || error.id !== "project-full") throw error
      return inRoom(profile, wish, work)
    }
  }

  /**
   * Takes a spare machine for the workspace, whose id it is then. What a new machine is told of its owner, this one hears
   * as every other does that is on. Null: there is none that would do.
   */
  async function takeSpare(
    about: Omit<WorkspaceInfo, "image" | "project">,
    name: string | undefined,
    given: FirstOnes,
    options: Omit<Parameters<WorkspaceStore["create"]>[2], "spare">,
  ): Promise<Created | null> {
    for await (const { id, image, epoch, project } of spares.fitting(about)) {
      const info = { ...about, id, name: name ?? id, image, ...(project ? { project } : {}) }
      const operation = await asked(info, "create", { wish: { spare: true } })
      const sealed = secrets.sealForWorkspace(id, given, info.createdAt)
      const spare = { epoch, reportedSince: spares.heardSince(), secrets: sealed }
      const answer = await store.create(info, operation, { ...options, spare }).catch(error => {
        if (error instanceof ServiceError && error.id === "spare-gone") return null
        throw error
      })
      if (!answer) continue
      await hint(answer.operation)
      if (answer.created) await spares.count("taken", about)
      return answer
    }
    await spares.count("missed", about)
    return null
  }

  /** @throws ServiceError `unknown-provider` or `not-offered-to-you` */
  async function offeredProvider(offer: Offer, { provider, region }: CreateWorkspace): Promise<Provider> {
    const { offered } = config
    const [first] = offer.providers
    if (provider === undefined) {
      if (first === undefined) offer.require(offered[0] as Provider)
      if (region === undefined || offer.providers.length === 1) return first as Provider
      // Regions of one provider are none of another. One that does not answer has none for now.
      for (const one of offer.providers) {
        const places = await offer.regions(one).catch((): string[] => [])
        if (places.includes(region)) return one
      }
      return first as Provider
    }
    if (offered.includes(provider)) {
      offer.require(provider)
      return provider
    }
    const there = offer.providers.map(one => `${one} (${PROVIDER_LABELS[one]})`).join(", ")
    throw new ServiceError(
      "unknown-provider",
      422,
      `New workspaces cannot be at "${provider}" here; there are ${there}.`,
    )
  }

  /** What is taken where nothing is said: the usual class, or the largest that is for them, where they may have it. */
  async function placeIn(offer: Offer, provider: Provider, wish: CreateWorkspace) {
    const sizes = await offer.sizes(provider)
    const offers = (name: SizeClass) => sizes.find(one => one.class === name)
    const usual = USUAL_CLASS[provider]
    const sizeClass = wish.sizeClass ?? (offers(usual) ? usual : (sizes.at(-1)?.class ?? usual))
    const regions = await offer.regions(provider)
    const region = wish.region ?? regions.find(one => offers(sizeClass)?.size.regions[one]) ?? regions[0] ?? ""
    return { provider, sizeClass, region }
  }

  return async (
    user: string,
    wish: CreateWorkspace,
    idempotencyKey: string | null,
    { orAlike = false }: { orAlike?: boolean } = {},
  ): Promise<Created> => {
    const repository = repositoryOf(wish, config.repositoryHosts)
    refuseTwoHomes(wish)
    if (wish.home) await homeBackups.requireSource(user, wish.home)
    const source = wish.from === undefined ? null : await usableBackup(user, wish.from)
    const profile = PROFILES.find(one => one === source?.profile) ?? wish.profile
    const digests = keys.macs("idempotency", JSON.stringify(wish))
    const request = { key: idempotencyKey, orAlike, digest: digests[0] as string }
    // Before the provider is asked: the first wish may have taken the last machine, and a repeated one is no new one.
    const known = await store.find(user, { key: idempotencyKey, orAlike, digests, profile, repository })
    if (known) {
      await hint(known.operation)
      return { created: false, ...known }
    }
    await budgets.refuse(user)
    // What a backup is in, machines can be made of there alone.
    const offer = await sizes.offerTo(user)
    const provider = source ? projects.providerOf(projectOf(source)) : await offeredProvider(offer, wish)
    offer.require(provider)
    const { sizeClass, region } = await placeIn(offer, provider, wish)
    const size = await offer.choose({ provider, sizeClass, region })
    if (source) requireRoom(source, size)
    const id = newWorkspaceId()
    const { market } = config.providers[provider]
    const about = {
      ...{ id, owner: user, name: wish.name ?? id, profile, provider, region, size: size.name, sizeClass },
      price: size.regions[region]?.price ?? null,
      ...(market === undefined ? {} : { market }),
      createdAt: now(),
    }
    const given = { proxy: wish.proxy ?? null, secrets: wish.secrets }
    const options = {
      ...{ ...request, most: config.projectWorkspaces, repository },
      quota: {
        profile: profile === "desktop" ? config.quota.desktop : config.quota.total,
        total: config.quota.total,
      },
    }
    // A home comes to a machine of its own.
    if (!source && !wish.home) {
      const taken = await takeSpare(about, wish.name, given, options)
      if (taken) return taken
    }
    await secrets.putForWorkspace(id, given, about.createdAt)
    // Its machine is told when it is there. What comes to nothing goes with the next look at home backups.
    if (wish.home) await homeBackups.restore({ id, owner: user }, wish.home)
    const start = await asked(about, "create", source ? { wish: { snapshot: source.id } } : {})
    const room = source
      ? { provider, among: [projectOf(source)], image: source.madeOf ? imageIdOf(source.madeOf) : null }
      : { provider }
    const answer = await inRoom(profile, room, ({ project, image }) => {
      const info = { ...about, ...inProject(project), image }
      return store.create(info, start, options)
    })
    await hint(answer.operation)
    if (!answer.created) await secrets.forgetWorkspace(id)
    return answer
  }
}

/** @throws ServiceError `repository-and-backup`, or what `readRepository` says */
export function repositoryOf(
  { repository, from }: Pick<CreateWorkspace, "repository" | "from">,
  hosts: readonly string[],
): Repository | null {
  if (repository === undefined) return null
  if (from !== undefined) {
    throw new ServiceError(
      "repository-and-backup",
      422,
      "A backup brings its files along: leave the repository out, or make the workspace without the backup.",
    )
  }
  const { url, branch = "", folder = "", devcontainer = "" } = repository
  return readEntered(() => readRepository({ url, branch, folder, devcontainer }, hosts))
}

/** @throws ServiceError `two-homes` */
function refuseTwoHomes({ home, from, repository }: CreateWorkspace): void {
  if (home === undefined || (from === undefined && repository === undefined)) return
  throw new ServiceError(
    "two-homes",
    422,
    "A home backup brings its files along: leave the other backup and the repository out.",
  )
}

/** @throws ServiceError `disk-too-small` */
function requireRoom(source: SnapshotFacts, size: Size): void {
  if (size.diskGb >= source.diskGb) return
  throw new ServiceError(
    "disk-too-small",
    422,
    `This backup is of a disk of ${source.diskGb} GB, and a machine of this size has ${size.diskGb} GB: choose a larger size.`,
  )
}
