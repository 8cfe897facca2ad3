import type { WantedRecord } from "../wanted.ts"
import { type Difference, repairable } from "./difference.ts"
import { labelsOf } from "./labels.ts"
import type { RealRecord } from "./real.ts"
import { sentence, THE } from "./words.ts"

/** @param own the workspace's address; null where that is gone */
export function recordDifferences(
  resource: "record-A" | "record-AAAA",
  wanted: WantedRecord,
  real: RealRecord,
  own: string | null,
): Difference[] {
  const it = sentence(THE[resource])
  const found: Difference[] = []
  const shall = wanted.values ?? (own === null ? null : [own])
  const is = real.records.map(one => one.value)
  if (shall !== null && shall.toSorted().join() !== is.toSorted().join())
    found.push(
      repairable(
        { resource, id: "records" },
        `${it} points to ${is.join(", ") || "nothing"} instead of ${shall.join(", ")}.`,
        { what: "records", resource, values: is },
      ),
    )
  if (real.ttl !== wanted.ttl)
    found.push(
      repairable(
        { resource, id: "ttl" },
        `${it} may be kept for ${seconds(real.ttl)} instead of ${seconds(wanted.ttl)}.`,
        {
          ...{ what: "ttl", resource, ttl: real.ttl },
        },
      ),
    )
  if (real.changeProtection)
    found.push(
      repairable(
        { resource, id: "protection", kind: "added" },
        `${it} was protected against changes by hand: the workspace could not move or be deleted.`,
      ),
    )
  return [...found, ...labelsOf(resource, wanted.labels, real.labels)]
}

const seconds = (ttl: number | null) => (ttl === null ? "as long as the zone says" : `${ttl} s`)
