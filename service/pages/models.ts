import type { Conversations } from "../conversations/follow.ts"
import type { Judgement } from "../idleness/judge.ts"
import type { Operation } from "../operations/operation.ts"
import type { SizeClass, Workspace } from "../workspaces/workspace.ts"

/** Who is signed in, as pages show them. */
export interface User {
  /** Their name at GitHub. */
  login: string
  name: string | null
  avatarUrl: string | null
  /** May see and end what others have. */
  operator?: true
}

/** What every page of somebody signed in needs. */
export interface SignedIn {
  user: User
  /** Goes into every form as the field `csrf`. */
  csrf: string
  /** Milliseconds since 1970; the present if left out. */
  now?: number
}

/** A secret as pages show it: never its value. `updatedAt` in ms since 1970. */
export interface SecretView {
  name: string
  updatedAt: number
}

/** Something to say at the head of a page after an action. */
export interface Notice {
  tone: "ok" | "error"
  text: string
}

export interface Money {
  amount: number
  /** ISO 4217, such as "EUR". */
  currency: string
}

/** How a workspace that runs is used. */
export interface ActivityView {
  judgement: Judgement
  /** For when its stop was announced, in ms; null: it was not. */
  plannedStop: number | null
  /** Its owner wants it on until then, in ms. */
  keepOnUntil: number | null
  /** Is it stopped by itself when idle? */
  autoStop: boolean
  /** Would its programs go on afterwards? */
  programsGoOn: boolean
}

/** The conversations with coding agents in a workspace, newest first. */
export type AgentsView = Pick<Conversations, "tools" | "conversations">

/** A workspace as its card shows it. */
export interface WorkspaceView {
  workspace: Workspace
  /** The newest operation on it. */
  operation: Operation | null
  /** Address of its machine, as `addressOf` makes it. */
  address: string
  /** How it is used; null where its machine does not run. */
  activity: ActivityView | null
  /** Null: its machine has not told of any. */
  agents: AgentsView | null
  /** Before tax, running all month. */
  costPerMonth: Money | null
  /** What stopping it changes about the cost, in a sentence. */
  stoppedCostNote: string | null
  /** Such as "8 vCPU · 16 GB · 160 GB disk". */
  sizeLabel: string
  /** The region's name in words; its id is shown if left out. */
  regionLabel?: string
}

/** A machine type. */
export interface SizeFacts {
  /** What it is called at the provider. */
  type: string
  cores: number
  memoryGb: number
  diskGb: number
}

/** What a workspace can be created from. */
export interface CreateOptions {
  profiles: { id: string; label: string; text: string; available: boolean; reason?: string }[]
  sizes: (SizeFacts & {
    class: SizeClass
    /** What the class is in regions of other providers than the first one. */
    elsewhere?: Record<string, SizeFacts>
    /** By region; a region that is missing does not have the type. Prices are before tax. `reason` if not sold out. */
    prices: Record<string, { monthly: number; hourly: number; currency: string; available: boolean; reason?: string }>
  })[]
  regions: {
    id: string
    label: string
    provider?: string
    /** Address near it that browsers may measure their distance by. */
    probe?: string
  }[]
  providers: { id: string; label: string }[]
  /** What those are called that do not answer at the moment: what they have is missing. */
  away?: string[]
}
