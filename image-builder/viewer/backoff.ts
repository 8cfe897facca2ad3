const FIRST = 500
const LONGEST = 15_000

/**
 * Milliseconds before try number `attempt` (from 0): 0.5 s, doubling up to 15 s. Up to a third is taken off at random,
 * so that the viewers of a service that was away do not all come back in the same instant.
 */
export function retryDelay(attempt: number, random: () => number): number {
  const ceiling = Math.min(LONGEST, FIRST * 2 ** Math.min(attempt, 10))
  return Math.round(ceiling * (1 - random() / 3))
}
