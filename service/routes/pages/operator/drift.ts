import type { DriftSummary } from "../../../pages/operator/drift.ts"
import type { Services } from "../../../services.ts"

/** What the fleet page says of drift; null while nothing was ever looked at, and then the page has no such section. */
export async function driftSummary({ drift }: Pick<Services, "drift">): Promise<DriftSummary | null> {
  const [{ lookedAt }, views] = await Promise.all([drift.counts(), drift.all()])
  if (lookedAt === null && views.length === 0) return null
  const drifted = views.map(({ workspace, name, differences, failure }) => ({
    ...{ workspace, name },
    text: [
      ...differences.map(one => one.words),
      ...(failure ? [`The newest look failed: ${failure.message}`] : []),
    ].join(" "),
  }))
  return { lookedAt, drifted }
}
