import { type Check, CheckFailure, LEVELS, type Level, type Result } from "./check.ts"

export interface Progress<Run> {
  /** A check begins. */
  begin?(check: Check): void
  /** A check has ended, or was left out. */
  end?(result: Result): void
  /** Keeps a picture of a failure; returns its file, or undefined when there is nothing to see. */
  picture?(run: Run, name: string): Promise<string | undefined>
}

/** The checks of a level, in their order. Pure. */
export const checksOf = (checks: Check[], level: Level) =>
  checks.filter(check => LEVELS.indexOf(check.level) <= LEVELS.indexOf(level))

/**
 * Runs checks one after the other. One that needs another which did not pass is skipped with that reason; one that
 * needs what is not in this list is run.
 */
export async function runChecks<Run extends Parameters<Check["run"]>[0]>(
  checks: Check[],
  run: Run,
  { begin, end, picture }: Progress<Run> = {},
): Promise<Result[]> {
  const results = new Map<string, Result>()
  for (const check of checks) {
    const missing = check.needs.find(name => (results.get(name)?.state ?? "ok") !== "ok")
    let result: Result
    if (missing !== undefined) {
      const state = results.get(missing)?.state
      result = {
        name: check.name,
        state: "skipped",
        seconds: 0,
        detail: `"${missing}" ${state === "failed" ? "failed" : "was skipped"}`,
      }
    } else {
      begin?.(check)
      result = await runOne(check, run, picture)
    }
    results.set(check.name, result)
    end?.(result)
    run.signal?.throwIfAborted()
  }
  return [...results.values()]
}

async function runOne<Run extends Parameters<Check["run"]>[0]>(
  check: Check,
  run: Run,
  picture: Progress<Run>["picture"],
): Promise<Result> {
  const began = performance.now()
  const seconds = () => Math.round((performance.now() - began) / 100) / 10
  try {
    const detail = await check.run(run)
    return { name: check.name, state: "ok", seconds: seconds(), detail }
  } catch (error) {
    run.signal?.throwIfAborted()
    // What is no sentence of a check is a defect on one side or the other: its place helps to find it.
    const detail = error instanceof CheckFailure ? error.message : String((error as Error).stack ?? error)
    const failed: Result = {
      name: check.name,
      state: "failed",
      seconds: seconds(),
      detail: detail.replace(/\s*\n\s*/g, " / "),
    }
    const screenshot = await picture?.(run, check.name).catch(() => undefined)
    return screenshot === undefined ? failed : { ...failed, screenshot }
  }
}
