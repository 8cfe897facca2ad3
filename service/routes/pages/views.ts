import { projectOf } from "../../../infra/projects.ts"
import { type CreateOptions, factsIn, type Origin, type WorkspaceView } from "../../pages/index.ts"
import type { Services } from "../../services.ts"
import { askEach, PROVIDER_LABELS, within } from "../../workspaces/providers.ts"
import type { Offer } from "../../workspaces/sizes.ts"
import type { HomeSource } from "../../workspaces/wishes.ts"
import {
  addressOf,
  PROFILES,
  type Provider,
  SIZE_CLASSES,
  type SizeClass,
  type Workspace,
} from "../../workspaces/workspace.ts"
import { presentSize } from "../api/catalog.ts"
import { backupViews } from "./backup-view.ts"

/** Names of providers' places, for people; a place that is not here is shown by its id. */
const REGION_LABELS: Record<string, string> = {
  fsn1: "Falkenstein, Germany",
  nbg1: "Nuremberg, Germany",
  hel1: "Helsinki, Finland",
  ash: "Ashburn, Virginia",
  hil: "Hillsboro, Oregon",
  sin: "Singapore",
  "us-central1": "Iowa",
  "us-east1": "South Carolina",
  "us-east4": "Northern Virginia",
  "us-west1": "Oregon",
  "europe-west1": "Belgium",
  "europe-west3": "Frankfurt, Germany",
  "europe-west4": "Netherlands",
  "europe-north1": "Finland",
  "asia-southeast1": "Singapore",
  "asia-northeast1": "Tokyo, Japan",
}

/** A place in words. Of a zone of Google's its region is known, and several of one must be told apart. */
export function regionLabel(region: string): string {
  const zoned = REGION_LABELS[region.replace(/-[a-z]$/, "")]
  return REGION_LABELS[region] ?? (zoned === undefined ? region : `${zoned} (${region})`)
}

/** What goes on while a machine is switched off. */
const STOPPED_NOTES: Record<Provider, string> = {
  hetzner: "Hetzner bills a machine that is switched off in full; putting it to sleep ends that.",
  gcp: "Google bills the disk and the address of a machine that is switched off; putting it to sleep ends the disk's part.",
}

const PROFILE_TEXTS = {
  browser: { label: "Browser and terminal", text: "Chromium and a terminal side by side, with coding agents at hand." },
  desktop: { label: "foozol desktop", text: "The foozol app, as on a machine of your own." },
} as const

/** A workspace with all that its card shows. */
export async function workspaceView(
  { store, sizes, config, idleness, conversations }: Services,
  workspace: Workspace,
): Promise<WorkspaceView> {
  const [operation, all, use, agents] = await Promise.all([
    workspace.operation ? store.operation(workspace.operation) : null,
    // Where the provider is away, the card does without what only it knows, and does not wait for it.
    within(sizes.all(workspace.provider)).catch(() => []),
    idleness.activity(workspace.id),
    conversations.of(workspace),
  ])
  const { record, judgement } = use ?? {}
  const size = all.find(one => one.name === workspace.size)
  const price = size?.regions[workspace.region]?.price ?? workspace.price
  return {
    workspace,
    operation,
    agents,
    address: addressOf(workspace, config),
    activity:
      record && judgement
        ? {
            ...{ judgement, plannedStop: record.plannedStop, keepOnUntil: record.keepOnUntil },
            autoStop: record.settings.autoStop ?? config.idle.autoStop,
            programsGoOn: config.stopMode === "hibernate" && workspace.keepsMemory,
          }
        : null,
    costPerMonth: price ? { amount: price.monthly, currency: price.currency } : null,
    stoppedCostNote:
      workspace.snapshot !== null
        ? "It sleeps: only its snapshot and its address are billed."
        : STOPPED_NOTES[workspace.provider],
    sizeLabel: size ? `${size.cores} vCPU · ${size.memoryGb} GB · ${size.diskGb} GB disk` : workspace.size,
    regionLabel: regionLabel(workspace.region),
  }
}

/**
 * What somebody can make a new workspace of now. A provider that does not answer is left out, where another one does.
 * @param user by their id
 * @param only the provider that comes into question; all that are offered to them where nothing is said
 */
export async function createOptions(services: Services, user: string, only?: Provider): Promise<CreateOptions> {
  const { images, config, projects, sizes } = services
  const offer = await sizes.offerTo(user)
  const asked = offer.providers.filter(one => only === undefined || one === only)
  const { answers: markets, away } = await askEach(asked, one => marketOf(offer, one))
  const mains = markets.flatMap(({ provider }) => projects.at(provider)[0] ?? [])
  const profiles = await Promise.all(
    PROFILES.map(async id => {
      const found = await Promise.allSettled(mains.map(main => within(images.find(id, main))))
      const available = found.some(one => one.status === "fulfilled" && one.value !== null)
      const why = found.some(one => one.status === "rejected")
        ? "The provider does not say at the moment: load the page again in a minute."
        : "No golden image of it has been built here yet."
      const reason = available ? {} : { reason: why }
      return { id, ...PROFILE_TEXTS[id], available, ...reason }
    }),
  )
  return {
    profiles,
    sizes: SIZE_CLASSES.flatMap(name => sizeOf(name, markets) ?? []),
    regions: markets.flatMap(({ provider, regions }) =>
      regions.map(id => ({
        ...{ id, label: regionLabel(id), ...probeOf(id, config.probes) },
        ...(markets.length > 1 ? { provider } : {}),
      })),
    ),
    providers: markets.map(({ provider }) => ({ id: provider, label: PROVIDER_LABELS[provider] })),
    away: away.map(provider => PROVIDER_LABELS[provider]),
  }
}

/** What is near a place: of a zone of Google's, what is near its region. */
function probeOf(region: string, probes: Record<string, string>): { probe?: string } {
  const probe = probes[region] ?? probes[region.replace(/-[a-z]$/, "")]
  return probe === undefined ? {} : { probe }
}

interface Market {
  provider: Provider
  regions: string[]
  sizes: ReturnType<typeof presentSize>[]
}

async function marketOf(offer: Offer, provider: Provider): Promise<Market> {
  const [sizes, regions] = await Promise.all([offer.sizes(provider), offer.regions(provider)])
  return { provider, regions, sizes: sizes.map(presentSize) }
}

/** A class at all providers: what it is at the first one that has it, and what it is elsewhere. */
function sizeOf(name: SizeClass, markets: Market[]): CreateOptions["sizes"][number] | null {
  const [first, ...others] = markets.flatMap(({ sizes }) => sizes.filter(one => one.class === name))
  if (!first) return null
  const { regions: prices, ...facts } = first
  const elsewhere = others.flatMap(({ regions, class: _, ...its }) =>
    Object.keys(regions).map(region => [region, its] as const),
  )
  return {
    ...facts,
    ...(elsewhere.length > 0 ? { elsewhere: Object.fromEntries(elsewhere) } : {}),
    prices: Object.assign({ ...prices }, ...others.map(one => one.regions)),
  }
}

/** The backup a new workspace is to be made from. @throws ServiceError `no-backup` */
export async function originOf(
  { backups, workspaces, projects }: Services,
  user: string,
  snapshot: string,
): Promise<Origin & { diskGb: number; provider: Provider }> {
  const facts = await backups.require(user, snapshot)
  const [view] = backupViews([facts], await workspaces.listOf(user))
  const { id, description: name, workspace, createdAt, profile, diskGb } = facts
  const provider = projects.providerOf(projectOf(facts))
  const its = { id, name, workspaceName: view?.workspaceName ?? workspace, createdAt }
  return { ...its, profile: profile || "browser", diskGb, provider }
}

/** The home backup that a new workspace begins with. @throws ServiceError `no-home-backup` */
export async function homeOf({ homeBackups, workspaces }: Services, user: string, source: HomeSource) {
  const { from: workspace, backup } = await homeBackups.requireSource(user, source)
  const record = await homeBackups.records.get(user, workspace)
  const living = (await workspaces.listOf(user)).find(one => one.id === workspace)
  const at = record?.backups.find(one => one.id === backup)?.at ?? 0
  return { workspace, backup, name: living?.name ?? record?.deletedName ?? workspace, at }
}

/** The sizes whose disk is large enough; the others say why they are none. Pure. */
export function fitting(options: CreateOptions, diskGb: number): CreateOptions {
  const reason = `The backup needs a disk of ${diskGb} GB`
  const sizes = options.sizes.map(one => ({
    ...one,
    prices: Object.fromEntries(
      Object.entries(one.prices).map(([region, price]) => [
        region,
        factsIn(one, region).diskGb < diskGb ? { ...price, available: false, reason } : price,
      ]),
    ),
  }))
  return { ...options, sizes }
}
