import type { Recovery } from "./recover-stack.ts"

const MENDED: Record<Recovery["state"], string | null> = {
  whole: null,
  "put-back": "The state could not be read: its newest backup has taken its place.",
  lost: "The state could not be read, and there was no backup: the stack begins anew.",
}
const WOULD_MEND: Record<Recovery["state"], string | null> = {
  whole: null,
  "put-back": "The state cannot be read: its newest backup would take its place, and what that lacks would be mended.",
  lost: "The state cannot be read, and there is no backup: the stack would begin anew.",
}

/**
 * What was mended and what remains, a line each.
 * @param would nothing was done yet: what would be mended
 */
export function recoveryLines({ exists, state, refreshed, plan }: Recovery, would = false): string[] {
  if (!exists) return ["There is no such stack, and nothing carries the workspace's label."]
  const { forget, unsure, lookAgainAt, surplus } = plan
  const names = (some: { name: string }[]) => some.map(({ name }) => name).join(", ")
  const later = new Date(lookAgainAt ?? 0).toISOString()
  const lines = [
    (would ? WOULD_MEND : MENDED)[state],
    refreshed ? `The real resources ${would ? "would be" : "were"} read into the state.` : null,
    forget.length > 0
      ? `${would ? "Would be forgotten" : "Forgotten"}, since they have come to their end: ${names(forget)}.`
      : null,
    ...Object.entries(plan.adopt).map(([name, id]) => `The next run takes in ${name} (${id}).`),
    unsure.length > 0 ? `Nobody can tell yet what became of ${names(unsure)}: look again at ${later}.` : null,
    ...surplus.map(({ name, type, id }) => `Beside the one in the state there is another ${name}: ${type} ${id}.`),
  ].filter(line => line !== null)
  return lines.length > 0 ? lines : [`State and provider agree; there ${would ? "is" : "was"} nothing to mend.`]
}
