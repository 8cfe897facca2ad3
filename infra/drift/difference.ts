import { z } from "zod"
import { AcceptedChange, RESOURCES } from "../accepted.ts"

/** What can differ: the resources that all providers have, and what Google has beside them. */
export const DIFFERING = [...RESOURCES, "disk", "schedule"] as const

/** Who can mend a difference. */
export const MENDERS = [
  /** The service, by one command; nobody at the desktop is disturbed. */
  "repair",
  /** It needs a backup: what is gone had data on it. */
  "restore",
  /** A person at the provider's console; `todo` says what to do. */
  "operator",
] as const

/** Something that is not at the provider as the workspace's spec says. */
export const Difference = z.object({
  /** Resource and property; the same as long as the difference lasts, and good for a URL. */
  id: z.string(),
  resource: z.enum(DIFFERING),
  kind: z.enum(["changed", "missing", "added", "off", "on"]),
  /** One sentence for people. */
  words: z.string(),
  mends: z.enum(MENDERS),
  /** What a person does about it; null where a repair is all it takes. */
  todo: z.string().nullable(),
  /** What to declare so that it stays; null: this cannot be accepted. */
  accept: AcceptedChange.nullable(),
})
export type Difference = z.output<typeof Difference>

/** A difference that a repair takes away. Pure, as all below. */
export function repairable(
  { resource, id, kind = "changed" }: Pick<Difference, "resource" | "id"> & { kind?: Difference["kind"] },
  words: string,
  accept: AcceptedChange | null = null,
): Difference {
  return { id: `${resource}.${id}`, resource, kind, words, mends: "repair", todo: null, accept }
}

/** The same, for somebody else to mend. */
export const leftTo = (mends: "restore" | "operator", todo: string, difference: Difference): Difference => ({
  ...difference,
  mends,
  todo,
})

/** A text as a part of an id: what a URL takes without being changed. */
export const idPart = (text: string): string => text.replaceAll(/[^A-Za-z0-9_.-]+/g, "-")
