import { type SnapshotFacts, snapshotFacts } from "../../../infra/machines/snapshots.ts"
import { projectOf } from "../../../infra/projects.ts"
import { LABELS, MANAGER } from "../../../infra/workspace-spec.ts"
import type { Operation } from "../../operations/operation.ts"
import {
  type PlaceOffer,
  type RegionOffer,
  type SizeOffer,
  type StopChoice,
  type WorkspaceModel,
  workspacePage,
} from "../../pages/index.ts"
import type { Services } from "../../services.ts"
import { diskOf } from "../../workspaces/disk.ts"
import { within } from "../../workspaces/providers.ts"
import type { Offer, OfferedSize } from "../../workspaces/sizes.ts"
import { stopCosts } from "../../workspaces/stop-costs.ts"
import { type Place, STOP_MODES, type Workspace } from "../../workspaces/workspace.ts"
import { backupViews } from "./backup-view.ts"
import { csrfToken, type PageContext, type SignedInCaller, show } from "./forms.ts"
import { regionLabel, workspaceView } from "./views.ts"

/** Operations of a workspace that its page lists. */
const LISTED = 30
/** Among so many the last waking is looked for. */
const LOOKED_THROUGH = 100

/** Shows a workspace's page. @param more what has just happened on it */
export async function showWorkspace(
  services: Services,
  ctx: PageContext,
  caller: SignedInCaller,
  workspace: Workspace,
  more: Pick<WorkspaceModel, "notice" | "errors" | "prompt" | "shared"> = {},
): Promise<void> {
  const { user } = caller
  const model = await workspaceModel(services, workspace)
  const isWrong = more.notice?.tone === "error" || more.errors !== undefined
  show(ctx, workspacePage({ user, csrf: csrfToken(services.keys, caller), ...model, ...more }), isWrong ? 422 : 200)
}

/** All that a workspace's page shows. Where the provider is away, it does without what only that knows. */
async function workspaceModel(
  services: Services,
  workspace: Workspace,
): Promise<Omit<WorkspaceModel, "user" | "csrf">> {
  const { store, sizes, machines, secrets, reports, shares, config } = services
  const labels = { [LABELS.managedBy]: MANAGER, [LABELS.workspace]: workspace.id }
  const offer = await sizes.offerTo(workspace.owner)
  const [view, operations, side, snapshots, diskGb, offered, regions, own, ofAccount, last, shared] = await Promise.all(
    [
      workspaceView(services, workspace),
      store.operationsOf(workspace.id, LOOKED_THROUGH),
      within(sizes.sidePrices(workspace.provider)).catch(() => null),
      within(machines.listSnapshots(labels, { project: projectOf(workspace) }))
        .then(found => found.flatMap(one => snapshotFacts(one) ?? []))
        .catch(() => null),
      within(diskOf(machines, workspace)).catch(() => null),
      within(offer.sizes(workspace.provider)).catch(() => null),
      within(offer.regions(workspace.provider)).catch(() => null),
      secrets.ofWorkspace(workspace).list(),
      secrets.ofUser(workspace.owner).list(),
      reports.last(workspace.id),
      shares.of(workspace.id),
    ],
  )
  const newestFirst = snapshots?.toSorted((a, b) => b.createdAt - a.createdAt) ?? null
  const price = view.costPerMonth
  const machine = price && { monthly: price.amount, currency: price.currency, ...offMonthly(workspace) }
  const costs = stopCosts({
    ...{ machine, side, region: workspace.region, diskGb },
    snapshotBytes: newestBytes(newestFirst ?? [], workspace),
  })
  const fits = { disk: diskGb, offered: offered ?? [], regions: regions ?? [] }
  return {
    view,
    stop: await Promise.all(
      STOP_MODES.map(mode => stopChoice(services, { workspace, past: operations, mode, ...costs[mode] })),
    ),
    backups:
      newestFirst &&
      backupViews(
        newestFirst.filter(one => one.kind !== "sleep"),
        [workspace],
      ),
    ...(services.homeBackups.isOn ? { home: await services.homeBackups.of(workspace) } : {}),
    sizes: offered?.map(one => sizeOffer(one, workspace, diskGb)) ?? null,
    regions: offered ? (regions?.map(region => regionOffer(region, fits, workspace)) ?? null) : null,
    operations: operations.slice(0, LISTED),
    secrets: { own, ofAccount: ofAccount.map(({ name }) => name) },
    ports: { open: last.report?.ports ?? [], shares: shared },
    autoStop: workspace.settings.autoStop ?? config.idle.autoStop,
    keepOnUntil: workspace.settings.keepOnUntil ?? null,
    soldOut:
      workspace.snapshot !== null && offered && regions && !(await canBeHad(offer, workspace))
        ? placesFor(fits, workspace, workspace)
        : null,
  }
}

/** Of a price by the hour, as the provider counts months; left out where a machine that is off costs all of it. */
const offMonthly = ({ price }: Workspace): { offMonthly?: number } =>
  price?.offHourly === undefined ? {} : { offMonthly: (price.offHourly / price.hourly) * price.monthly }

/** What it is asleep in, else its newest backup, says how large its next snapshot will be. */
function newestBytes(newestFirst: SnapshotFacts[], { snapshot }: Workspace): number | null {
  const chosen = newestFirst.find(one => one.id === snapshot) ?? newestFirst.find(one => one.bytes !== null)
  return chosen?.bytes ?? null
}

async function stopChoice(
  { estimates }: Services,
  about: Pick<StopChoice, "mode" | "perDay" | "atMost"> & { workspace: Workspace; past: Operation[] },
): Promise<StopChoice> {
  const { workspace, past, mode, perDay, atMost } = about
  const kind = mode === "power-off" ? "start" : "wake"
  const last = past.find(one => one.kind === kind && one.state === "succeeded")
  const took = last?.startedAt && last.finishedAt ? (last.finishedAt - last.startedAt) / 1000 : null
  const { seconds } = await estimates.estimate(kind, workspace)
  return { mode, perDay, atMost, wokeIn: took, usual: seconds }
}

const monthly = (price: { monthly: number; currency: string } | undefined) =>
  price ? { amount: price.monthly, currency: price.currency } : null

const tooSmall = (diskGb: number, disk: number) => `Its disk has ${disk} GB, and this one only ${diskGb} GB`

function sizeOffer({ class: sizeClass, size }: OfferedSize, workspace: Workspace, disk: number | null): SizeOffer {
  const here = size.regions[workspace.region]
  const { name: type, cores, memoryGb, diskGb } = size
  return {
    ...{ sizeClass, type, cores, memoryGb, diskGb, price: monthly(here?.price) },
    isCurrent: sizeClass === workspace.sizeClass && type === workspace.size,
    reason:
      disk !== null && diskGb < disk
        ? tooSmall(diskGb, disk)
        : here === undefined
          ? "Not offered in its region"
          : here.available
            ? null
            : "Sold out in its region at the moment",
  }
}

interface Market {
  /** GB of the workspace's disk; null: not known. */
  disk: number | null
  offered: OfferedSize[]
  regions: string[]
}

function regionOffer(region: string, { disk, offered }: Market, workspace: Workspace): RegionOffer {
  const size = offered.find(one => one.class === workspace.sizeClass)?.size
  const there = size?.regions[region]
  return {
    ...{ region, label: regionLabel(region), price: monthly(there?.price), isCurrent: region === workspace.region },
    reason:
      size === undefined || there === undefined
        ? "Its size is not offered there"
        : disk !== null && size.diskGb < disk
          ? tooSmall(size.diskGb, disk)
          : there.available
            ? null
            : "Its size is sold out there at the moment",
  }
}

const canBeHad = (offer: Offer, workspace: Workspace) =>
  offer.requireAvailable(workspace).then(
    () => true,
    () => false,
  )

/** Places other than one that was refused, in which a sleeping workspace can be made again now. */
export async function otherPlaces(
  { sizes, machines }: Services,
  workspace: Workspace,
  refused: Pick<Place, "size" | "region">,
): Promise<PlaceOffer[]> {
  const offer = await sizes.offerTo(workspace.owner)
  const [disk, offered, regions] = await Promise.all([
    diskOf(machines, workspace),
    offer.sizes(workspace.provider),
    offer.regions(workspace.provider),
  ])
  return placesFor({ disk, offered, regions }, workspace, refused)
}

/** The nearest first: another size where it was, then its own size elsewhere, then the rest. */
function placesFor(
  { disk, offered, regions }: Market,
  workspace: Workspace,
  refused: Pick<Place, "size" | "region">,
): PlaceOffer[] {
  const distance = ({ sizeClass, region }: PlaceOffer) =>
    (region === workspace.region ? 0 : 1) + (sizeClass === workspace.sizeClass || region === workspace.region ? 0 : 1)
  return offered
    .flatMap(({ class: sizeClass, size }) =>
      regions.flatMap((region): (PlaceOffer & { type: string })[] => {
        const there = size.regions[region]
        if (!there?.available || (disk !== null && size.diskGb < disk)) return []
        const price = monthly(there.price)
        return [{ sizeClass, region, regionLabel: regionLabel(region), price, type: size.name }]
      }),
    )
    .filter(one => one.type !== refused.size || one.region !== refused.region)
    .map(({ type: _, ...offer }) => offer)
    .sort((a, b) => distance(a) - distance(b) || (a.price?.amount ?? 0) - (b.price?.amount ?? 0))
}
