import type { ResourceName } from "../accepted.ts"
import { LABELS } from "../workspace-spec.ts"
import { type Difference, idPart, repairable } from "./difference.ts"
import { THE } from "./words.ts"

/** Everything of ours is found by these. */
const OURS: string[] = Object.values(LABELS)

/** Labels that somebody has added, changed or taken away. */
export function labelsOf(
  resource: ResourceName,
  wanted: Record<string, string>,
  real: Record<string, string>,
): Difference[] {
  const keys = [...new Set([...Object.keys(wanted), ...Object.keys(real)])].sort()
  return keys.flatMap(key => {
    const [shall, is] = [wanted[key], real[key]]
    if (shall === is) return []
    const accept = OURS.includes(key) ? null : ({ what: "label", resource, key, value: is ?? null } as const)
    const id = `labels.${idPart(key)}`
    if (shall === undefined) {
      return [
        repairable(
          { resource, id, kind: "added" },
          `A label was added to ${THE[resource]} by hand: ${key}=${is}.`,
          accept,
        ),
      ]
    }
    const words =
      is === undefined
        ? `The label ${key}=${shall} of ${THE[resource]} was taken away by hand.`
        : `The label ${key} of ${THE[resource]} was changed by hand from "${shall}" to "${is}".`
    return [repairable({ resource, id, kind: is === undefined ? "missing" : "changed" }, words, accept)]
  })
}
