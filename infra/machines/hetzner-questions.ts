import { InfraError } from "../errors.ts"
import type { LabelSelector } from "./contract.ts"

/** The answer, or null where the provider does not have what was asked for. */
export async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof InfraError && error.id === "provider-not-found") return null
    throw error
  }
}

/** Labels as a part of a query. Pure. */
export function selector(labels: LabelSelector): string {
  return encodeURIComponent(
    Object.entries(labels)
      .map(([key, value]) => `${key}==${value}`)
      .join(","),
  )
}
