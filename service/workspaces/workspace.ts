import type { Accepted } from "../../infra/accepted.ts"
import type { ErrorValue, NextAction } from "../../infra/errors.ts"
import type { Market } from "../../infra/gcp-settings.ts"
import { type ImageId, imageIdOf } from "../../infra/image-id.ts"
import type { Repository } from "../../infra/repositories/repository.ts"
import type { ProviderName } from "../../infra/workspace-spec.ts"
import type { Standing } from "../certificates/decide.ts"
import type { MachineCertificate } from "../machines/certificate.ts"
import type { Fetch } from "../machines/fetch.ts"
import type { ByProvider } from "./providers.ts"
import type { State } from "./transitions.ts"

export const PROFILES = ["browser", "desktop"] as const
export type Profile = (typeof PROFILES)[number]

/** Those that the service can work with; there may be programs for more. */
export const PROVIDERS = ["hetzner", "gcp"] as const satisfies readonly ProviderName[]
export type Provider = (typeof PROVIDERS)[number]

/** Where a workspace's machine is, or will be when it wakes: changed by resizing and moving. */
export interface Place {
  region: string
  /** Machine type at the provider. */
  size: string
  /** What the type was chosen by. */
  sizeClass: SizeClass
  /** Cost in the provider's currency before tax, as it was when the machine was made. */
  price: { currency: string; hourly: number; monthly: number; offHourly?: number } | null
}

/** What a workspace is, as it was created. */
export interface WorkspaceInfo extends Place {
  /** Names stack, machine and host; never used again for another. */
  id: string
  /** User id. */
  owner: string
  /** What its owner calls it. */
  name: string
  profile: Profile
  provider: Provider
  /** The provider's project it is in; left out: the main one. */
  project?: string
  /** How its machine is bought, for ever; left out: on demand. */
  market?: Market
  /** Image at the provider it was made from. */
  image: ImageId
  createdAt: number
}

export const SIZE_CLASSES = ["small", "medium", "large"] as const
export type SizeClass = (typeof SIZE_CLASSES)[number]

/** What went wrong, for its owner: no detail of the inside. */
export type Failure = Pick<ErrorValue, "id" | "message"> & { next: NextAction }

/** What its owner can change. */
export interface WorkspaceSettings {
  name?: string
  /** Is it stopped by itself when idle? As the service's settings say if left out. */
  autoStop?: boolean
  /** It is kept on until then, used or not; ms since 1970. */
  keepOnUntil?: number
}

/** A workspace as it is now. Times are milliseconds since 1970. */
export interface Workspace extends WorkspaceInfo {
  state: State
  /** Since when it is in this state. */
  since: number
  /** Fencing number: whoever acts with an older one cannot write. */
  epoch: number
  /** The newest operation on it. */
  operation: string | null
  machineId: string | null
  ipv4: string | null
  /** Why it is FAILED, else null. */
  failure: Failure | null
  /** When its machine was last heard of. */
  reportedAt: number | null
  /** The snapshot it sleeps in; null while it has a machine. */
  snapshot: string | null
  /** The snapshot it sleeps in has all that ran: its programs go on when it wakes. */
  memory: boolean
  /** Its provider can keep what runs on it while it sleeps, as its machine reported last. */
  keepsMemory: boolean
  /** How it was stopped last. */
  stopMode: StopMode | null
  /** Since when its disk may differ from its newest backup; null: it does not. */
  unsavedSince: number | null
  /** Its backups as they were when they were looked at last; null: they have not been. */
  backups: BackupSummary | null
  /** The certificate of its machine as that reported it last; null: it has not. */
  certificate: MachineCertificate | null
  /** Which certificate authority its machine is told to ask; null: that has not been decided. */
  authority: Standing | null
  /** Since when it waits for a certificate until an authority grants another new name, and until when about; ms. */
  certificateWait: { since: number; about: number } | null
  /** What its machine fetches once, when it is new; null: nothing. */
  repository: Repository | null
  /** How far its machine is with that, as it reported it last; null: it has not. */
  fetch: Fetch | null
  settings: WorkspaceSettings
  /** What operators have changed at the provider on purpose: it stays. */
  accepted: Accepted[]
}

/** When a workspace was backed up last, when it will be next, and when a backup was last proven; null: not (yet). */
export interface BackupSummary {
  last: number | null
  next: number | null
  lastProven: number | null
}

/**
 * `power-off` switches the machine off and keeps it: it wakes fast and costs as much as a running one where the
 * provider bills machines that are off. `hibernate` puts it away into a snapshot: storage is all it costs. Where the
 * provider can keep a machine's memory, its programs go on when it wakes.
 */
export const STOP_MODES = ["power-off", "hibernate"] as const
export type StopMode = (typeof STOP_MODES)[number]

/** Host name of a workspace's machine. */
export const hostOf = (id: string, zone: string) => `${id}.${zone}`

/** Address of a workspace's machine in a browser. */
export const addressOf = (
  { id, provider }: Pick<WorkspaceInfo, "id" | "provider">,
  { providers, desktopPort }: { providers: ByProvider; desktopPort: number },
) => `https://${hostOf(id, providers[provider].zone)}${desktopPort === 443 ? "" : `:${desktopPort}`}`

/** A workspace out of the hash it is stored as; null for an empty one. */
export function parseWorkspace(hash: Record<string, string>): Workspace | null {
  if (hash.info === undefined) return null
  const info = JSON.parse(hash.info) as WorkspaceInfo
  // That of a creation that met a limit where it was begun.
  const project = hash.project ?? info.project
  const settings = (hash.settings ? JSON.parse(hash.settings) : {}) as WorkspaceSettings
  const { project: _, ...about } = info
  return {
    ...about,
    ...(project ? { project } : {}),
    ...(hash.place ? (JSON.parse(hash.place) as Place) : {}),
    name: settings.name ?? info.name,
    // That of an upgrade, if there was one.
    image: hash.image ? imageIdOf(hash.image) : info.image,
    state: hash.state as State,
    since: Number(hash.since),
    epoch: Number(hash.epoch),
    operation: hash.operation || null,
    machineId: hash.machineId || null,
    ipv4: hash.ipv4 || null,
    failure: hash.failure ? (JSON.parse(hash.failure) as Failure) : null,
    reportedAt: hash.reportedAt ? Number(hash.reportedAt) : null,
    snapshot: hash.snapshot || null,
    // The id of the snapshot that was made so; the next one may be otherwise.
    memory: Boolean(hash.memory) && hash.memory === hash.snapshot,
    keepsMemory: hash.keepsMemory === "1",
    stopMode: (hash.stopMode as StopMode | undefined) || null,
    settings,
    accepted: Object.entries(hash).flatMap(([field, value]) =>
      field.startsWith("accepted:") ? [JSON.parse(value) as Accepted] : [],
    ),
    // A record of before this was kept has no such field.
    unsavedSince: hash.unsavedSince === undefined ? info.createdAt : Number(hash.unsavedSince) || null,
    backups: hash.backups ? (JSON.parse(hash.backups) as BackupSummary) : null,
    certificate: hash.certificate ? (JSON.parse(hash.certificate) as MachineCertificate) : null,
    authority: hash.authority ? (JSON.parse(hash.authority) as Standing) : null,
    certificateWait: hash.certificateWait ? JSON.parse(hash.certificateWait) : null,
    repository: hash.repository ? parseStored(hash.repository) : null,
    fetch: hash.fetch ? (JSON.parse(hash.fetch) as Fetch) : null,
  }
}

/** A record of before dev containers could be chosen names none. */
function parseStored(text: string): Repository {
  const stored = JSON.parse(text) as Repository
  return { ...stored, devcontainer: stored.devcontainer ?? null }
}
