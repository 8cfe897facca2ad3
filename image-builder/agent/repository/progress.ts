/** What git says it is at, and which part of the whole that is, by how long it usually takes. */
const PHASES: Record<string, { from: number; to: number }> = {
  "Receiving objects": { from: 0, to: 85 },
  "Resolving deltas": { from: 85, to: 95 },
  "Updating files": { from: 95, to: 99 },
}

/** How far `git clone --progress` is, in percent, by the newest of what it has said; null where that does not tell. */
export function percentOf(said: string): number | null {
  const [, phase = "", percent] =
    [...said.matchAll(/(\w+ \w+): +(\d{1,3})%/g)].findLast(([, phase = ""]) => phase in PHASES) ?? []
  const part = PHASES[phase]
  return part === undefined ? null : Math.floor(part.from + ((part.to - part.from) * Number(percent)) / 100)
}
