import { z } from "zod"
import { isDevContainer } from "../../infra/repositories/dev-container.ts"

/** It is shown at shells too, for which control characters are orders. */
const text = (most: number) =>
  z
    .string()
    .max(most)
    .transform(said => said.replace(/\p{C}/gu, " "))

const lines = (most: number) =>
  z
    .string()
    .max(most)
    .transform(said => said.replace(/[^\P{C}\n]/gu, " "))

/** The repository's dev container, in which its terminals begin. */
const Container = z.object({
  state: z.enum(["starting", "building", "running", "failed", "ended", "stopped", "choose"]),
  /** Its devcontainer.json. */
  config: text(300).optional(),
  /** Why there is none. */
  reason: lines(600).optional(),
  /** What was said last while it is made. */
  line: text(300).optional(),
  /** While it is made, and of one that failed: the last lines that were said of it. */
  log: lines(4_000).optional(),
  /** Of several, or where the one that was named is not there: those that are. */
  choices: z.array(text(300)).max(50).optional(),
})

/** What a machine says of the repository it was to fetch. The user is root there: it is shown and decides nothing. */
export const Fetch = z.object({
  state: z.enum(["fetching", "fetched", "failed"]),
  percent: z.int().min(0).max(100).optional(),
  /** Name of the folder in the home that it is in. */
  folder: text(300).optional(),
  /** Why it failed, or is being tried again; in words, with what to do. */
  reason: text(500).optional(),
  container: Container.optional(),
})
export type Fetch = z.output<typeof Fetch>

/** The dev containers that can be chosen from, as its machine tells them. */
export function choicesOf({ state, choices, reason = "" }: NonNullable<Fetch["container"]>): string[] {
  // Machines of earlier images tell them in words.
  const told = choices ?? (state === "choose" ? reason.split("\n") : [])
  return told.filter(isDevContainer)
}
