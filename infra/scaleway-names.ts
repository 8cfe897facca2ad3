import { InfraError } from "./errors.ts"

/** What Scaleway calls things, where that differs from what a spec says. Pure. */

/** Of a machine's disk, GB, unless a spec says another: machine types at Scaleway bring no disk that outlives a move. */
export const SCALEWAY_DISK_GB = 64

/** What every disk of ours is: block storage of 5,000 operations a second, the cheapest there is. */
export const VOLUME_CLASS = { type: "sbs_5k", iops: 5_000 } as const

/** A resource within a zone, as Pulumi has it: `fr-par-1/UUID`. */
export const zonedId = (zone: string, id: string): string => `${zone}/${id}`

/** Zone and UUID of such an id. Ids without a zone are of nobody. */
export function placed(id: string): { zone: string; id: string } {
  const [zone, own] = id.split("/")
  return own ? { zone: zone as string, id: own } : { zone: "none", id }
}

/**
 * Labels as Scaleway has them: it knows tags, which are text, and filters by lists of them with commas between.
 * @throws InfraError `invalid-spec` for a label that would be read as another one
 */
export function toTags(labels: Readonly<Record<string, string>>): string[] {
  return Object.entries(labels).map(([key, value]) => {
    if (!/[=,]/.test(key) && !value.includes(",") && key !== "") return `${key}=${value}`
    throw new InfraError(
      "invalid-spec",
      "fail",
      `Scaleway cannot keep the label "${key.slice(0, 80)}": names of labels have no "=", and neither they nor values a ",".`,
    )
  })
}

/** The labels that were meant. Tags of others that say no value are none. */
export function fromTags(tags: readonly string[]): Record<string, string> {
  const pairs = tags.map(tag => [tag.slice(0, tag.indexOf("=")), tag.slice(tag.indexOf("=") + 1)] as const)
  return Object.fromEntries(pairs.filter(([key], at) => key !== "" && tags[at]?.includes("=")))
}

/** Does something with these tags bear all these labels? */
export function bears(tags: readonly string[], labels: Readonly<Record<string, string>>): boolean {
  return toTags(labels).every(tag => tags.includes(tag))
}

/** On a volume that a machine starts from, or did: the machine's UUID. It finds what a step that was cut off has left. */
export const BOOT_OF = "foozol-boot-of"
/** On a new volume until it has taken the place of the old one. */
export const FRESH = "foozol-fresh"
