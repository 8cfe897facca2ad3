import { PROVIDERS, type Provider, SIZE_CLASSES, type SizeClass } from "../workspaces/workspace.ts"

/** Places that somebody may take; null: any. */
export interface OfferedPlaces {
  provider: Provider | null
  region: string | null
  sizeClass: SizeClass | null
}

/** Who may take what: one rule of FOOZOL_OFFERS. */
export interface OfferRule {
  /** `everyone`, `user:NAME` or `org:NAME`, in lower case. */
  whom: string[]
  what: OfferedPlaces[]
}

/** Who asks, as rules know them: by names of GitHub's. */
export interface Known {
  login: string
  /** Those of the organisations that rules name in which they were when they signed in last, in lower case. */
  organisations?: readonly string[]
}

/** May these places be taken? What is left out may be any. */
export type Allows = (place: { provider: Provider; region?: string; sizeClass?: SizeClass }) => boolean

const WHOM = /^(everyone|(user|org):[a-z0-9-]{1,39})$/
const REGION = /^[a-z][a-z0-9-]{1,31}$/

/**
 * Reads rules such as `everyone=hetzner//small; org:acme,user:ann=hetzner,gcp`: between semicolons whom, and after `=`
 * PROVIDER/REGION/SIZE, of which `*`, nothing, or what is left out at the end, is any.
 * @throws Error whose message says what is wrong and what it must be
 */
export function parseOffers(text: string): OfferRule[] {
  const rules = text.split(/[;\n]/).map(rule => rule.trim())
  return rules.filter(rule => rule !== "").map(ruleOf)
}

const FORM = "must be WHOM=PROVIDER/REGION/SIZE, with semicolons between, such as `everyone=hetzner; org:acme=gcp`"

function ruleOf(rule: string): OfferRule {
  const [left = "", right, ...rest] = rule.split("=")
  if (right === undefined || rest.length > 0) throw new Error(`${FORM}; "${rule}" is not`)
  const whom = words(left.toLowerCase())
  const wrong = whom.find(one => !WHOM.test(one))
  if (wrong !== undefined || whom.length === 0)
    throw new Error(`must name everyone, user:NAME or org:NAME before each =, not "${wrong ?? ""}"`)
  const what = words(right).map(placesIn)
  if (what.length === 0) throw new Error(`says nothing of what ${left.trim()} may take: ${FORM}`)
  return { whom, what }
}

const words = (text: string) => text.split(/[\s,]+/).filter(part => part !== "")

function placesIn(text: string): OfferedPlaces {
  const [provider = "", region = "", size = "", ...rest] = text.split("/").map(part => (part === "*" ? "" : part))
  if (rest.length > 0) throw new Error(`${FORM}; "${text}" has too many parts`)
  const among = <T extends string>(what: string, part: string, all: readonly T[]): T | null => {
    const found = all.find(one => one === part)
    if (part === "" || found !== undefined) return found ?? null
    throw new Error(`knows no ${what} "${part}" (in "${text}"): there are ${all.join(", ")}, or * for any`)
  }
  if (region !== "" && !REGION.test(region))
    throw new Error(`must have a region such as fsn1 after the first /, or *, not "${region}" (in "${text}")`)
  return {
    provider: among("provider", provider, PROVIDERS),
    region: region || null,
    sizeClass: among("size", size, SIZE_CLASSES),
  }
}

/** The organisations whose members rules speak of, each once. */
export const organisationsIn = (rules: readonly OfferRule[] | null): string[] => [
  ...new Set((rules ?? []).flatMap(({ whom }) => whom.flatMap(one => (one.startsWith("org:") ? [one.slice(4)] : [])))),
]

/**
 * What somebody may take: all that rules which name them say, together. Pure.
 * @param rules null: everything is for everybody
 * @param who null: nobody is known by this id; only what is for everyone is for them
 */
export function offerOf(rules: readonly OfferRule[] | null, who: Known | null): Allows {
  if (rules === null) return () => true
  const names = [
    "everyone",
    ...(who
      ? [`user:${who.login.toLowerCase()}`, ...(who.organisations ?? []).map(one => `org:${one.toLowerCase()}`)]
      : []),
  ]
  const theirs = rules.filter(({ whom }) => whom.some(one => names.includes(one))).flatMap(({ what }) => what)
  return place =>
    theirs.some(
      one =>
        (one.provider ?? place.provider) === place.provider &&
        (place.region === undefined || (one.region ?? place.region) === place.region) &&
        (place.sizeClass === undefined || (one.sizeClass ?? place.sizeClass) === place.sizeClass),
    )
}
