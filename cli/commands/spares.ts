import type { Command } from "commander"
import type { z } from "zod"
import { SparesSchema } from "../../service/routes/api/operator/spares.ts"
import { type ApiOptions, openApi, withUrl } from "../api-client.ts"
import { printTable } from "../print-table.ts"

/** `foozol-cloud spares`: the machines that wait for new workspaces. */
export function addSpares(program: Command): void {
  withUrl(
    program
      .command("spares")
      .description("spare machines kept for new workspaces: how many, what they cost, their use"),
  )
    .addHelpText("after", "\nFor operators: FOOZOL_API_URL, and in FOOZOL_API_TOKEN a token of the scope operate.")
    .option("--json", "print JSON, and nothing else")
    .action(async ({ json, ...options }: ApiOptions & { json?: boolean }) => {
      const found = await openApi(options).call("GET", "/operator/spares", SparesSchema)
      if (json) console.log(JSON.stringify(found, null, 2))
      else print(found)
    })
}

const wanted = ({ count, least, most }: z.output<typeof SparesSchema>["kinds"][number]) =>
  most > least ? `${count} (${least}-${most})` : count

function print({ monthly, kinds }: z.output<typeof SparesSchema>): void {
  if (kinds.length === 0 || monthly === 0)
    console.log("No spare machines are kept: FOOZOL_WARM and FOOZOL_WARM_MONTHLY say which, and what they may cost.")
  else console.log(`They may cost ${monthly} a month, all together.`)
  if (kinds.length === 0) return
  printTable(
    ["kind", "ready", "wanted", "being made", "leaving", "a month", "oldest", "taken", "missed", ""],
    kinds.map(one => [
      ...[one.kind, one.ready, wanted(one), one.coming, one.leaving].map(String),
      one.costs.map(({ currency, monthly: cost }) => `${cost.toFixed(2)} ${currency}`).join(", "),
      ...[one.oldest?.slice(0, 16) ?? "", String(one.taken), String(one.missed)],
      one.isWaiting ? "cannot be made at the moment" : "",
    ]),
  )
}
