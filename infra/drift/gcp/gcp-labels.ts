import { fromGcpLabels } from "../../gcp-names.ts"
import { type Difference, leftTo } from "../difference.ts"
import { labelsOf } from "../labels.ts"

/** What Google itself puts on resources says nothing of anybody's hand. */
const ofPeople = (labels: Record<string, string> | null | undefined) =>
  fromGcpLabels(Object.fromEntries(Object.entries(labels ?? {}).filter(([key]) => !key.startsWith("goog-"))))

/** Labels that are not declared are none of the engine's: it sets those that are, and leaves others. */
export function gcpLabels(
  resource: "ipv4" | "ipv6" | "machine",
  wanted: Record<string, string>,
  real: Record<string, string> | null | undefined,
): Difference[] {
  return labelsOf(resource, wanted, ofPeople(real)).map(one =>
    one.kind === "added" ? leftTo("operator", "Take it off at Google, or accept it.", one) : one,
  )
}
