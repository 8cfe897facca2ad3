import { z } from "zod"

/** It is shown at shells too, for which control characters are orders. */
const text = (most: number) =>
  z
    .string()
    .max(most)
    .transform(said => said.replace(/\p{C}/gu, " "))

/** What a machine says of the repository it was to fetch. The user is root there: it is shown and decides nothing. */
export const Fetch = z.object({
  state: z.enum(["fetching", "fetched", "failed"]),
  percent: z.int().min(0).max(100).optional(),
  /** Name of the folder in the home that it is in. */
  folder: text(300).optional(),
  /** Why it failed, or is being tried again; in words, with what to do. */
  reason: text(500).optional(),
})
export type Fetch = z.output<typeof Fetch>
