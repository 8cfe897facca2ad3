import {
  PROFILES,
  PROVIDERS,
  type Profile,
  type Provider,
  SIZE_CLASSES,
  type SizeClass,
} from "../workspaces/workspace.ts"

/** Spare machines of one kind that are kept ready: one part of FOOZOL_WARM. */
export interface WarmKind {
  provider: Provider
  region: string
  sizeClass: SizeClass
  profile: Profile
  /** How many there always are. */
  count: number
  /** How many there are at most, where more are asked for (demand.ts); the same where demand does not matter. */
  most: number
}

export interface WarmSettings {
  /** None: no spare machines are kept. */
  kinds: WarmKind[]
  /** What all of them may cost a month, in each currency of the prices by itself; 0: none are kept. */
  monthly: number
  /** Those that are older, in ms, are thrown away. */
  maxAgeMs: number
}

/** Most spare machines of one kind. */
const MOST = 1_000
const FORM =
  "must be PROVIDER/REGION/SIZE/PROFILE=COUNT, or =LEAST-MOST, with semicolons between, such as `hetzner/fsn1/large/browser=2`"
const REGION = /^[a-z][a-z0-9-]{1,31}$/

/**
 * Reads kinds such as `hetzner/fsn1/large/browser=2; hetzner/nbg1/large/browser=1`.
 * @throws Error whose message says what is wrong and what it must be
 */
export function parseWarm(text: string): WarmKind[] {
  const kinds = text.split(/[;\n]/).flatMap(part => (part.trim() === "" ? [] : [kindOf(part.trim())]))
  const twice = kinds.find((one, at) => kinds.findIndex(other => keyOfKind(other) === keyOfKind(one)) !== at)
  if (twice) throw new Error(`names ${keyOfKind(twice)} twice`)
  return kinds
}

function kindOf(part: string): WarmKind {
  const [place = "", count = "", ...rest] = part.split("=").map(one => one.trim())
  const [provider, region = "", size, profile, ...more] = place.split("/")
  const [, least = "", most = least] = /^(\d+)(?:\s*-\s*(\d+))?$/.exec(count) ?? []
  if (rest.length + more.length > 0 || profile === undefined || least === "")
    throw new Error(`${FORM}; "${part}" is not`)
  const among = <T extends string>(what: string, given: string | undefined, all: readonly T[]): T => {
    const found = all.find(one => one === given)
    if (found !== undefined) return found
    throw new Error(`knows no ${what} "${given}" (in "${part}"): there are ${all.join(", ")}`)
  }
  if (!REGION.test(region)) throw new Error(`must have a region such as fsn1 after the first /, not "${region}"`)
  if (Number(most) > MOST) throw new Error(`may name ${MOST} spare machines of a kind at most, not ${most}`)
  if (Number(most) < Number(least)) throw new Error(`must name the smaller number first, not ${count} (in "${part}")`)
  return {
    provider: among("provider", provider, PROVIDERS),
    region,
    sizeClass: among("size", size, SIZE_CLASSES),
    profile: among("profile", profile, PROFILES),
    count: Number(least),
    most: Number(most),
  }
}

/** Names a kind in words and in Redis. */
export const keyOfKind = ({ provider, region, sizeClass, profile }: Omit<WarmKind, "count" | "most">): string =>
  `${provider}/${region}/${sizeClass}/${profile}`
