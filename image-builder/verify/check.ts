import type { Run } from "./run.ts"

/** `quick` is the cheap part: nothing is killed, no proxy, no reboot. */
export type Level = "quick" | "full"
export const LEVELS: Level[] = ["quick", "full"]

/** One promise of the image, as a program. */
export interface Check {
  /** Group and what is promised, such as `door: only port 443 answers`. */
  name: string
  /** The lowest level it belongs to. */
  level: Level
  /** Names of checks without which this one could not tell anything. */
  needs: string[]
  /** Returns what was seen, in a few words; throws one sentence when the promise is not kept. */
  run(run: Run): Promise<string>
}

export interface Result {
  name: string
  state: "ok" | "failed" | "skipped"
  seconds: number
  /** What was seen; for a failure one sentence, for a skipped check the reason. */
  detail: string
  /** Picture of the screen when the check failed. */
  screenshot?: string
}

/** A promise that was not kept: what was seen, in one sentence. */
export class CheckFailure extends Error {
  override name = "CheckFailure"
}

/** Fails the check with a sentence unless something holds. */
export function expect(holds: boolean, sentence: string): asserts holds {
  if (!holds) throw new CheckFailure(sentence)
}
