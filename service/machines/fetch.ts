import { z } from "zod"

/** What a machine says of the repository it was to fetch. The user is root there: it is shown and decides nothing. */
export const Fetch = z.object({
  state: z.enum(["fetching", "fetched", "failed"]),
  percent: z.int().min(0).max(100).optional(),
  /** Name of the folder in the home that it is in. */
  folder: z.string().max(300).optional(),
  /** Why it failed, or is being tried again; in words, with what to do. */
  reason: z.string().max(500).optional(),
})
export type Fetch = z.output<typeof Fetch>
