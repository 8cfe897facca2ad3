import type { Command } from "commander"
import type { Drift } from "../../infra/drift/look.ts"
import { InfraError } from "../../infra/errors.ts"
import { openApi } from "../api-client.ts"
import { printTable } from "../print-table.ts"
import { allDrift, lookThrough } from "../stack/drift-service.ts"
import { driftText } from "../stack/drift-text.ts"
import { requireService, runOnce } from "../stack/engine.ts"
import { viaService, type WayOptions, withWay } from "../stack/verbs.ts"

interface DriftOptions extends WayOptions {
  power?: string
  json?: boolean
}

/** `foozol-cloud stack drift`: what somebody has changed at the provider, of one stack, or of all the service has looked at. */
export function addStackDrift(stack: Command): void {
  const about = "tell in words what is at the provider otherwise than the spec says; changes nothing"
  withWay(stack.command("drift [workspace]").description(`${about}; without a workspace, all that differ (service)`))
    .option(
      "--power <on|off>",
      "whether its machine shall be on, which the service knows; left out, it is not looked at",
    )
    .option("--json", "print JSON")
    .action(async (workspace: string | undefined, options: DriftOptions, command: Command) => {
      const { power = null, json } = options
      if (power !== null && power !== "on" && power !== "off") command.error("error: --power is `on` or `off`")
      const through = viaService(options)
      if (workspace === undefined) {
        if (!through) requireService("`stack drift` of all")
        return showAll(options)
      }
      if (through && power !== null)
        throw new InfraError("needs-direct", "fail", "The service knows whether it shall be on: leave --power out.")
      const drift = through
        ? await lookThrough(openApi(options), workspace)
        : await runOnce<Drift>({ action: "drift", workspace, power: power as "on" | "off" | null }, true)
      console.log(json ? JSON.stringify(drift, null, 2) : driftText(drift))
    })
}

async function showAll({ json, ...options }: DriftOptions): Promise<void> {
  const found = await allDrift(openApi(options))
  if (json) return console.log(JSON.stringify(found, null, 2))
  if (found.length === 0) return console.log("Everything is as it shall be, by the newest looks.")
  printTable(
    ["workspace", "looked at", "difference"],
    found.flatMap(({ workspace, lookedAt, differences, failure }) => [
      ...differences.map(one => [workspace, lookedAt ?? "", one.words]),
      ...(failure ? [[workspace, lookedAt ?? "", `The newest look failed: ${failure.message}`]] : []),
    ]),
  )
}
