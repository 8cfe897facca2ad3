import { type Command, InvalidArgumentError } from "commander"
import { toErrorValue } from "../infra/errors.ts"
import { printTable } from "./print-table.ts"

/** What came of one of many. */
export interface Outcome {
  workspace: string
  ok: boolean
  /** In a few words, such as "stopped" or why it was not. */
  result: string
  /** For programs. */
  detail?: object
  error?: string
}

/** Options of a command that may be meant for many workspaces. */
export interface ManyOptions {
  all?: boolean
  state?: string
  search?: string
  parallel: number
  dryRun?: boolean
  yes?: boolean
  json?: boolean
}

/** Most that is done at once: the provider counts requests. */
const MOST_PARALLEL = 32

const parallel = (text: string): number => {
  const number = Number(text)
  if (Number.isInteger(number) && number >= 1 && number <= MOST_PARALLEL) return number
  throw new InvalidArgumentError(`It must be a number from 1 to ${MOST_PARALLEL}.`)
}

export const withMany = (command: Command): Command =>
  command
    .option("--all", "all there are, or all that --state and --search select")
    .option("--state <state>", "those in this state, such as FAILED")
    .option("--search <text>", "those with this part in id, name, owner, size or region")
    .option("--parallel <number>", "so many at once", parallel, 4)
    .option("--dry-run", "only say what would be done")
    .option("--json", "print JSON, and nothing else")

/** Does something with each, so many at once, in their order. What fails stops none of the others. */
export async function onMany(
  workspaces: readonly string[],
  { parallel: atOnce }: Pick<ManyOptions, "parallel">,
  work: (workspace: string) => Promise<Outcome>,
  say: (text: string) => void = () => {},
): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  let [next, done] = [0, 0]
  async function worker(): Promise<void> {
    for (let at = next++; at < workspaces.length; at = next++) {
      const workspace = workspaces[at] as string
      const outcome = await work(workspace).catch(error => {
        const { id, message } = toErrorValue(error)
        return { workspace, ok: false, result: message, error: id }
      })
      outcomes[at] = outcome
      done++
      say(`${done}/${workspaces.length}  ${workspace}  ${outcome.ok ? "" : "FAILED: "}${outcome.result}`)
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, workspaces.length) }, worker))
  return outcomes
}

/** Prints what came of many, those that failed last; whoever fails makes the command fail. */
export function reportMany(outcomes: Outcome[], { json }: { json?: boolean | undefined }): void {
  const failed = outcomes.filter(one => !one.ok)
  if (failed.length > 0) process.exitCode = 1
  if (json) {
    console.log(JSON.stringify(outcomes, null, 2))
    return
  }
  const rows = [...outcomes.filter(one => one.ok), ...failed]
  printTable(
    ["workspace", "", "result"],
    rows.map(one => [one.workspace, one.ok ? "ok" : "FAILED", one.result]),
  )
  console.log(failed.length === 0 ? `all ${outcomes.length} done` : `${failed.length} of ${outcomes.length} failed`)
}
