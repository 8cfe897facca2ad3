import type { Recovery } from "../infra/recover-stack.ts"

const STATES: Record<Recovery["state"], string | null> = {
  whole: null,
  "put-back": "The state could not be read: its newest backup has taken its place.",
  lost: "The state could not be read, and there was no backup: the stack begins anew.",
}

/** What was mended and what remains, a line each. */
export function recoveryText({ exists, state, refreshed, plan }: Recovery): string {
  if (!exists) return "There is no such stack, and nothing carries the workspace's label."
  const { forget, unsure, lookAgainAt, surplus } = plan
  const names = (some: { name: string }[]) => some.map(({ name }) => name).join(", ")
  const later = new Date(lookAgainAt ?? 0).toISOString()
  const lines = [
    STATES[state],
    refreshed ? "The real resources were read into the state." : null,
    forget.length > 0 ? `Forgotten, since they have come to their end: ${names(forget)}.` : null,
    ...Object.entries(plan.adopt).map(([name, id]) => `The next run takes in ${name} (${id}).`),
    unsure.length > 0 ? `Nobody can tell yet what became of ${names(unsure)}: look again at ${later}.` : null,
    ...surplus.map(({ name, type, id }) => `Beside the one in the state there is another ${name}: ${type} ${id}.`),
  ].filter(line => line !== null)
  return lines.join("\n") || "State and provider agree; there was nothing to mend."
}
