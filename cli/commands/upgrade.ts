import { type Command, InvalidArgumentError } from "commander"
import type { z } from "zod"
import { InfraError } from "../../infra/errors.ts"
import { RollOutPlanSchema, RollOutSchema } from "../../service/routes/api/roll-outs.ts"
import { type Api, openApi } from "../api-client.ts"
import { confirmTyped } from "../confirm.ts"
import { printTable } from "../print-table.ts"
import { type ApiWorkspace, finish, type OutputOptions, printJson, Started } from "../workspace-output.ts"

interface UpgradeOptions extends OutputOptions {
  all?: boolean
  wave: number
  stopAt: number
  inUse?: boolean
  status?: boolean
  halt?: boolean
  dryRun?: boolean
  yes?: boolean
}

/** `10%` or `10`. */
function percent(text: string): number {
  const [, number] = /^(\d{1,3}(?:\.\d+)?)%?$/.exec(text) ?? []
  if (number === undefined || Number(number) > 100) throw new InvalidArgumentError("It must be a part, such as 10%.")
  return Number(number)
}

/**
 * `foozol-cloud workspace upgrade`: one workspace of the user's, or, for operators, all there are in waves.
 * @param find null for `image rollout`, which is for operators alone
 */
export function addUpgrade(command: Command, find: ((api: Api, given: string) => Promise<ApiWorkspace>) | null): void {
  if (find) command.argument("[workspace]", "which one of yours")
  command
    .option("--all", "everybody's, wave by wave (operators)")
    .option("--wave <part>", "with --all: part of them that a wave has", percent, 10)
    .option("--stop-at <part>", "with --all: stop when more than this part of a wave has failed", percent, 20)
    .option("--in-use", "with --all: also those that somebody is using; otherwise they are waited for")
    .option("--status", "how the newest roll-out stands (operators)")
    .option("--halt", "begin no new wave (operators)")
    .option("--dry-run", "with --all and --halt: only say what would be done")
    .option("--yes", "with --all: do not ask")
    .option("--no-wait", "return as soon as it is begun")
    .action(async (...args: unknown[]) => {
      const given = find ? (args[0] as string | undefined) : undefined
      const options = args[find ? 1 : 0] as UpgradeOptions
      const api = openApi(options)
      const asked = [given !== undefined, options.all, options.status, options.halt].filter(Boolean).length
      if (asked !== 1) {
        throw new InfraError(
          "what-to-upgrade",
          "fail",
          `${find ? "Name one workspace, or give" : "Give"} one of --all, --status and --halt.`,
        )
      }
      if (options.dryRun && given !== undefined) {
        throw new InfraError("what-to-upgrade", "fail", "--dry-run goes with --all and --halt: nothing was done.")
      }
      if (find && given !== undefined) {
        const { id } = await find(api, given)
        return finish(api, await api.call("POST", `/workspaces/${id}/upgrade`, Started), options)
      }
      if (options.all) return rollOut(api, options)
      const found = await api.call(options.halt && !options.dryRun ? "DELETE" : "GET", "/roll-out", RollOutSchema)
      if (options.halt && options.dryRun) return showHalt(found, options)
      if (options.json) printJson(found)
      else show(found)
    })
}

/** Everybody's: says what that is, and asks, before it is begun. */
async function rollOut(api: Api, { wave, stopAt, inUse = false, ...options }: UpgradeOptions): Promise<void> {
  const sent = { body: { wave, stopAt, inUse } }
  const isAsked = options.dryRun || !options.yes
  const plan = isAsked ? await api.call("POST", "/roll-out?dryRun=true", RollOutPlanSchema, sent) : null
  if (plan && options.dryRun) {
    if (options.json) printJson({ would: "roll-out", ...plan })
    else console.log(`would begin: ${planText(plan)}`)
    return
  }
  const count = plan ? plan.total - plan.left : 0
  if (plan && count > 0) {
    const what = `This ends programs in ${count} workspaces and makes them anew from newer images (${planText(plan)}).`
    await confirmTyped(what, String(count), options)
  }
  const begun = await api.call("POST", "/roll-out", RollOutSchema, sent)
  if (options.json) printJson(begun)
  else show(begun)
}

function planText({ total, first, waiting, left }: z.output<typeof RollOutPlanSchema>): string {
  const names = first.length === 0 ? "" : `: ${first.join(", ")}`
  return `${total} outdated; ${first.length} in the first wave${names}; ${waiting} in use or busy, waited for; ${left} asleep or failed, left alone`
}

function showHalt(found: z.output<typeof RollOutSchema>, { json }: UpgradeOptions): void {
  const would = found.state === "running" ? "halt" : null
  if (json) printJson({ would, rollOut: found })
  else if (would === null) console.log(`would do nothing: it is ${found.state}`)
  else console.log(`would begin no wave after the ${found.waves.length} that have begun`)
}

function show({ state, why, total, by, begunAt, settings, waves }: z.output<typeof RollOutSchema>): void {
  console.log(`${state}${why ? `: ${why}` : ""}`)
  console.log(`${total} outdated when ${by} began it at ${begunAt}, in waves of ${settings.wave} %`)
  if (waves.length === 0) return
  printTable(
    ["wave", "begun", "workspaces", "under way", "done", "failed", "skipped"],
    waves.map((one, index) => [
      ...[String(index + 1), one.begunAt, String(one.workspaces)],
      ...[String(one.running), String(one.succeeded), String(one.failed), String(one.skipped)],
    ]),
  )
}
