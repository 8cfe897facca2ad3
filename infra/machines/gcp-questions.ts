import { InfraError } from "../errors.ts"
import { toGcpLabels } from "../gcp-names.ts"
import type { LabelSelector } from "./contract.ts"

/** A filter for what bears all these labels; null: of any. */
export function labelled(labels: LabelSelector): { filter: string } | Record<string, never> {
  const parts = Object.entries(toGcpLabels(labels)).map(([key, value]) => `(labels.${key} = "${value}")`)
  return parts.length > 0 ? { filter: parts.join(" AND ") } : {}
}

/** That the library hands out pages as they come; it keeps notes of its own in what it is given, hence a new one each time. */
export const eachPage = () => ({ autoPaginate: false })

/** One zone's or region's part of a list over all. */
type Scoped = { warning?: { code?: unknown; message?: string | null } | null }

/**
 * What all zones or regions have. Fails where one did not answer: whoever concludes from what is not there must have seen
 * all.
 */
export async function everywhere<S extends Scoped, T>(
  pages: AsyncIterable<[string, S]>,
  items: (scope: S) => T[] | null | undefined,
): Promise<[T[]]> {
  const all: T[] = []
  for await (const [place, scope] of pages) {
    if (scope.warning?.code === "UNREACHABLE") {
      throw new InfraError(
        "provider-failed",
        "retry",
        `Google does not answer for ${place} now: try again in a few minutes.`,
        scope.warning.message ?? undefined,
      )
    }
    all.push(...(items(scope) ?? []))
  }
  return [all]
}
