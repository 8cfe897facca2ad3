import type { Difference } from "../../infra/drift/difference.ts"

const MENDS: Record<Difference["mends"], string> = {
  repair: "a repair mends it",
  restore: "it needs a restore",
  operator: "it needs a person",
}

/** What the stack itself and the service both tell of a difference. */
export type ToldDifference = Pick<Difference, "id" | "words" | "mends" | "todo">

/** What was found, and what was accepted; times as milliseconds or in ISO 8601. */
interface Found {
  differences: readonly ToldDifference[]
  accepted: readonly { id: string; words: string; by: string; at: number | string; reason: string }[]
}

/** A line for each difference, with the id that `stack accept` takes, and what is accepted. */
export function driftText({ differences, accepted }: Found): string {
  const lines = differences.flatMap(({ id, words, mends, todo }) => [
    `${words}  (${MENDS[mends]}; ${id})`,
    ...(todo === null ? [] : [`  ${todo}`]),
  ])
  const kept = accepted.map(({ id, words, by, at, reason }) => {
    return `accepted by ${by} on ${new Date(at).toISOString().slice(0, 10)}: ${words}  (${reason}; ${id})`
  })
  return [...(lines.length > 0 ? lines : ["Everything is as it shall be."]), ...kept].join("\n")
}

/** What a repair would do about each, in one line. */
export function repairPlan(differences: readonly ToldDifference[]): string {
  const words = (some: readonly ToldDifference[]) => some.map(one => one.words).join(" ")
  const mended = differences.filter(one => one.mends === "repair")
  const left = differences.filter(one => one.mends !== "repair")
  if (differences.length === 0) return "would change nothing: everything is as it shall be"
  return [
    ...(mended.length > 0 ? [`would mend: ${words(mended)}`] : []),
    ...(left.length > 0 ? [`would leave: ${words(left)}`] : []),
  ].join(" ")
}

/** What a repair has left, in one line; "" where nothing is left. */
export const leftText = (differences: readonly ToldDifference[]): string =>
  differences.length === 0
    ? ""
    : `; left: ${differences.map(({ words, todo }) => `${words} ${todo ?? ""}`.trim()).join(" ")}`
