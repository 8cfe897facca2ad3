import type { Redis } from "ioredis"
import { KEY } from "../workspaces/store.ts"
import type { State } from "../workspaces/transitions.ts"
import type { Profile, WorkspaceSettings } from "../workspaces/workspace.ts"
import { type JudgeSettings, judge, type Observed } from "./judge.ts"
import type { IdlenessSettings } from "./settings.ts"
import { type Seen, SIGNALS } from "./signals.ts"

/** A workspace as far as its use is concerned. Times are milliseconds of the service's clock. */
export interface IdleRecord extends Observed {
  id: string
  state: State
  epoch: string
  profile: Profile
  settings: WorkspaceSettings
  /** For when its stop was announced; null: it was not. */
  plannedStop: number | null
  /** What must not have changed between a judgement and a stop: fields of the hash with their values. */
  basis: Record<string, string>
}

/** What a stop rests on. An epoch changes with every operation. */
const BASIS = ["state", "epoch", "reportedAt", "seen:visit", "settings", "plannedStop"] as const
const OTHERS = ["profile", "since", "rousedAt", ...SIGNALS.map(signal => `seen:${signal}` as const)] as const
const FIELDS = [...new Set<string>([...BASIS, ...OTHERS])]

/** The record of one; null when there is none. */
export async function readRecord(redis: Redis, id: string): Promise<IdleRecord | null> {
  const values = await redis.hmget(KEY.workspace(id), ...FIELDS)
  const hash = Object.fromEntries(FIELDS.map((field, index) => [field, values[index] ?? ""])) as Record<string, string>
  const number = (field: string) => (hash[field] ? Number(hash[field]) : null)
  if (!hash.state) return null
  const settings = (hash.settings ? JSON.parse(hash.settings) : {}) as WorkspaceSettings
  const seen: Seen = {}
  for (const signal of SIGNALS) {
    const at = number(`seen:${signal}`)
    if (at !== null) seen[signal] = at
  }
  // Since it is RUNNING its machine has been started, unless it only was IDLE before.
  if (hash.state === "RUNNING" && hash.since !== hash.rousedAt) seen.start = number("since") ?? 0
  return {
    ...{ id, state: hash.state as State, epoch: hash.epoch ?? "", profile: hash.profile as Profile, settings, seen },
    reportedAt: number("reportedAt"),
    keepOnUntil: settings.keepOnUntil ?? null,
    // Such a plan belongs to the idle time it was made in.
    plannedStop: hash.state === "IDLE" ? number("plannedStop") : null,
    basis: Object.fromEntries(BASIS.map(field => [field, hash[field] ?? ""])),
  }
}

/** The settings a workspace is judged by: the service's, with its owner's word on stopping. */
export function settingsFor({ profile, settings }: IdleRecord, given: IdlenessSettings): JudgeSettings {
  const { stopMs, silentMs } = given
  return { windows: given.windows[profile], stopMs, silentMs, autoStop: settings.autoStop ?? given.autoStop }
}

export const judgeRecord = (record: IdleRecord, given: IdlenessSettings, now: number) =>
  judge(record, settingsFor(record, given), now)
