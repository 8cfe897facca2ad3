import type { HomeRecord } from "../../home-backups/records.ts"
import type { OpenPort } from "../../machines/reports.ts"
import type { Operation } from "../../operations/operation.ts"
import type { Share } from "../../shares/shares.ts"
import type { SizeClass, StopMode } from "../../workspaces/workspace.ts"
import type { Money, Notice, SecretView, SignedIn, WorkspaceView } from "../models.ts"

/** One way of stopping. */
export interface StopChoice {
  mode: StopMode
  /** What it then costs a day, before tax; null where that is not known. */
  perDay: Money | null
  /** It costs that much or less. */
  atMost: boolean
  /** Seconds it took to be back from it the last time; null: it was not done yet. */
  wokeIn: number | null
  /** Seconds that others like it usually take; null: not known. */
  usual: number | null
}

/** A snapshot that can be restored. Times are milliseconds since 1970. */
export interface BackupView {
  id: string
  workspace: string
  /** What its workspace is called; null where that is gone and nobody knows any more. */
  workspaceName: string | null
  /** Is its workspace still there? */
  isLiving: boolean
  kind: "backup" | "safety" | "final"
  /** Made by the schedule. */
  scheduled: boolean
  name: string
  available: boolean
  bytes: number | null
  createdAt: number
  /** When it is removed by itself; null: never. */
  keepUntil: number | null
  /** When a machine was last made of it to see that it works; null: not yet. */
  provenAt: number | null
  proof: "passed" | "failed" | null
}

/** A size, as another one for a workspace. */
export interface SizeOffer {
  sizeClass: SizeClass
  /** Machine type at the provider. */
  type: string
  cores: number
  memoryGb: number
  diskGb: number
  /** A month, before tax, in the workspace's region. */
  price: Money | null
  isCurrent: boolean
  /** Why it cannot be taken; null: it can. */
  reason: string | null
}

/** A region, as another one for a workspace. */
export interface RegionOffer {
  region: string
  label: string
  price: Money | null
  isCurrent: boolean
  reason: string | null
}

/** Where a workspace can be started that is sold out where it was. */
export interface PlaceOffer {
  sizeClass: SizeClass
  region: string
  regionLabel: string
  price: Money | null
}

export interface WorkspaceModel extends SignedIn {
  view: WorkspaceView
  /** The ways to stop it; those to choose from now are for the page to say. */
  stop: StopChoice[]
  /** Newest first; null: the provider does not answer. */
  backups: BackupView[] | null
  /** Left out where the service keeps none; null: there is none yet. */
  home?: HomeRecord | null
  /** Null: the provider does not answer. */
  sizes: SizeOffer[] | null
  regions: RegionOffer[] | null
  /** Newest first. */
  operations: Operation[]
  /** Is it stopped by itself when idle, and until when is it kept on? */
  autoStop: boolean
  keepOnUntil: number | null
  secrets: {
    own: SecretView[]
    /** Names of those that all workspaces of its owner have. */
    ofAccount: string[]
  }
  /** Servers that listen, as its machine told last, and links by which others see them. */
  ports: { open: OpenPort[]; shares: Share[] }
  /** A share that has just been made, with its link. */
  shared?: { port: number; url: string; endsAt: number }
  /** It sleeps, and is sold out where it was: where else it can be had. Null: it is not. */
  soldOut: PlaceOffer[] | null
  notice?: Notice
  /** What the form for a prompt begins with: for whom, and what. */
  prompt?: { to: string; text: string }
  errors?: { name?: string; backup?: string; prompt?: string }
}
