import { type Command, InvalidArgumentError } from "commander"
import type { z } from "zod"
import { InfraError } from "../../infra/errors.ts"
import { RollOutSchema } from "../../service/routes/api/roll-outs.ts"
import { type Api, openApi } from "../api-client.ts"
import { printTable } from "../print-table.ts"
import { type ApiWorkspace, finish, type OutputOptions, printJson, Started } from "../workspace-output.ts"

interface UpgradeOptions extends OutputOptions {
  all?: boolean
  wave: number
  stopAt: number
  inUse?: boolean
  status?: boolean
  halt?: boolean
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
      if (find && given !== undefined) {
        const { id } = await find(api, given)
        return finish(api, await api.call("POST", `/workspaces/${id}/upgrade`, Started), options)
      }
      const { wave, stopAt, inUse = false } = options
      const method = options.all ? "POST" : options.halt ? "DELETE" : "GET"
      const sent = options.all ? { body: { wave, stopAt, inUse } } : {}
      const found = await api.call(method, "/roll-out", RollOutSchema, sent)
      if (options.json) printJson(found)
      else show(found)
    })
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
