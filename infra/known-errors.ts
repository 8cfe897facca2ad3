import { InfraError, type NextAction } from "./errors.ts"

/** What is known by its words: how it is recognised, the error's id, what to do next, and what people are told. */
export type KnownError = [pattern: RegExp, id: string, next: NextAction, message: string]

/** The error behind what a provider or the engine said, by the first that fits; null for what is not known. */
export function knownError(known: readonly KnownError[], said: string): InfraError | null {
  const found = known.find(([pattern]) => pattern.test(said))
  if (found === undefined) return null
  const [, id, next, message] = found
  return new InfraError(id, next, message, errorDetail(said))
}

/** The end of what was said, for the operator's log. */
export const errorDetail = (said: string): string => said.trim().slice(-4_000)
