import { InfraError } from "../errors.ts"

/** What was asked for, or null where the provider does not have it. */
export async function orNull<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof InfraError && error.id === "provider-not-found") return null
    throw error
  }
}
