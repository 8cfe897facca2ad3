import type { CreateOptions, Origin, WorkspaceView } from "../../pages/index.ts"
import type { Services } from "../../services.ts"
import { addressOf, PROFILES, type Workspace } from "../../workspaces/workspace.ts"
import { presentSize } from "../api/catalog.ts"
import { backupViews } from "./backup-view.ts"

/** Names of Hetzner's places, for people; a place that is not here is shown by its id. */
const REGION_LABELS: Record<string, string> = {
  fsn1: "Falkenstein, Germany",
  nbg1: "Nuremberg, Germany",
  hel1: "Helsinki, Finland",
  ash: "Ashburn, Virginia",
  hil: "Hillsboro, Oregon",
  sin: "Singapore",
}

export const regionLabel = (region: string) => REGION_LABELS[region] ?? region

const PROFILE_TEXTS = {
  browser: { label: "Browser and terminal", text: "Chromium and a terminal side by side, with coding agents at hand." },
  desktop: { label: "foozol desktop", text: "The foozol app, as on a machine of your own." },
} as const

/** A workspace with all that its card shows. */
export async function workspaceView(
  { store, sizes, config, idleness }: Services,
  workspace: Workspace,
): Promise<WorkspaceView> {
  const [operation, all, use] = await Promise.all([
    workspace.operation ? store.operation(workspace.operation) : null,
    // Where the provider is away, the card does without what only it knows.
    sizes.all().catch(() => []),
    idleness.activity(workspace.id),
  ])
  const { record, judgement } = use ?? {}
  const size = all.find(one => one.name === workspace.size)
  const price = size?.regions[workspace.region]?.price ?? workspace.price
  return {
    workspace,
    operation,
    address: addressOf(workspace.id, config),
    activity:
      record && judgement
        ? {
            ...{ judgement, plannedStop: record.plannedStop, keepOnUntil: record.keepOnUntil },
            autoStop: record.settings.autoStop ?? config.idle.autoStop,
          }
        : null,
    costPerMonth: price ? { amount: price.monthly, currency: price.currency } : null,
    stoppedCostNote:
      workspace.snapshot !== null
        ? "It sleeps: only its snapshot and its address are billed."
        : "Hetzner bills a machine that is switched off in full; putting it to sleep ends that.",
    sizeLabel: size ? `${size.cores} vCPU · ${size.memoryGb} GB · ${size.diskGb} GB disk` : workspace.size,
    regionLabel: regionLabel(workspace.region),
  }
}

/** What a new workspace can be made of now. */
export async function createOptions({ sizes, images, config }: Services): Promise<CreateOptions> {
  const [offered, regions, profiles] = await Promise.all([
    sizes.offered(),
    sizes.regions(),
    Promise.all(
      PROFILES.map(async id => {
        const available = (await images.find(id)) !== null
        const reason = available ? {} : { reason: "No golden image of it has been built here yet." }
        return { id, ...PROFILE_TEXTS[id], available, ...reason }
      }),
    ),
  ])
  return {
    profiles,
    sizes: offered.map(one => {
      const { regions: prices, ...size } = presentSize(one, config.regions)
      return { ...size, prices }
    }),
    regions: regions.map(id => ({ id, label: regionLabel(id) })),
    providers: [{ id: "hetzner", label: "Hetzner Cloud" }],
  }
}

/** The backup a new workspace is to be made from. @throws ServiceError `no-backup` */
export async function originOf(
  { backups, workspaces }: Services,
  user: string,
  snapshot: string,
): Promise<Origin & { diskGb: number }> {
  const facts = await backups.require(user, snapshot)
  const [view] = backupViews([facts], await workspaces.listOf(user))
  const { id, description: name, workspace, createdAt, profile, diskGb } = facts
  return { id, name, workspaceName: view?.workspaceName ?? workspace, createdAt, profile: profile || "browser", diskGb }
}

/** The sizes whose disk is large enough; the others say why they are none. Pure. */
export function fitting(options: CreateOptions, diskGb: number): CreateOptions {
  const reason = `The backup needs a disk of ${diskGb} GB`
  const none = (prices: CreateOptions["sizes"][number]["prices"]) =>
    Object.fromEntries(
      Object.entries(prices).map(([region, price]) => [region, { ...price, available: false, reason }]),
    )
  const sizes = options.sizes.map(one => (one.diskGb < diskGb ? { ...one, prices: none(one.prices) } : one))
  return { ...options, sizes }
}
