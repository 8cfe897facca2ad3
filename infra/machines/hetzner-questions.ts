import type { LabelSelector } from "./contract.ts"

/** Labels as a part of a query. Pure. */
export function selector(labels: LabelSelector): string {
  return encodeURIComponent(
    Object.entries(labels)
      .map(([key, value]) => `${key}==${value}`)
      .join(","),
  )
}
