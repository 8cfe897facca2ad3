import type { Command } from "commander"
import { z } from "zod"
import { openProjects } from "../../infra/cloud-config.ts"
import { thoseThatAnswer } from "../../infra/those-that-answer.ts"
import { Away, SizeSchema } from "../../service/routes/api/catalog.ts"
import { openApi } from "../api-client.ts"
import { printTable } from "../print-table.ts"
import { cloudConfig } from "../settings.ts"

/** How long one provider may take when another has answered, milliseconds. */
const PATIENCE_MS = 30_000

/** `foozol-cloud sizes`: machine types with live prices and where they can be had now. */
export function addSizes(program: Command): void {
  program
    .command("sizes")
    .description("list the providers' machine types with live prices and availability")
    .option("--offered", "what a service offers to you (FOOZOL_API_URL, FOOZOL_API_TOKEN)")
    .option("--json", "print JSON")
    .action(async ({ json, offered }: { json?: boolean; offered?: boolean }) => {
      if (offered) return showOffered(json === true)
      const projects = openProjects(cloudConfig())
      const asked = projects.providers.map(one => projects.in(projects.mainOf(one) as string).sizes())
      const found = await thoseThatAnswer(asked, PATIENCE_MS)
      const away = projects.providers.filter((_, at) => found[at] === null)
      if (away.length > 0) console.error(`${away.join(", ")} does not answer at the moment: what it has is missing.`)
      const sizes = found.flatMap(one => one?.answer ?? []).filter(size => size.orderable)
      if (json) return console.log(JSON.stringify(sizes, null, 2))
      const rows = sizes.map(size => {
        const offers = Object.entries(size.regions)
        const monthly = offers.map(([, offer]) => offer.price.monthly)
        const from = monthly.length > 0 ? `${Math.min(...monthly).toFixed(2)} ${offers[0]?.[1].price.currency}` : ""
        const places = offers.filter(([, offer]) => offer.available).map(([name]) => name)
        return [
          size.name,
          `${size.cores}`,
          `${size.memoryGb} GB`,
          `${size.diskGb} GB`,
          size.architecture,
          from,
          places.join(" ") || "sold out",
        ]
      })
      printTable(["size", "cores", "memory", "disk", "arch", "per month from", "available at"], rows)
    })
}

/** What somebody's token is offered, by the service that would make it. */
async function showOffered(json: boolean): Promise<void> {
  const Listed = z.object({ sizes: z.array(SizeSchema), away: Away })
  const { sizes, away } = await openApi({}).call("GET", "/sizes", Listed)
  if (away.length > 0) console.error(`${away.join(", ")} does not answer at the moment: what it has is missing.`)
  if (json) return console.log(JSON.stringify(sizes, null, 2))
  const rows = sizes.flatMap(one =>
    Object.entries(one.regions).map(([region, { monthly, currency, available }]) => [
      ...[one.provider, region, one.class, one.type, `${one.cores}`, `${one.memoryGb} GB`, `${one.diskGb} GB`],
      ...[`${monthly.toFixed(2)} ${currency}`, available ? "" : "sold out"],
    ]),
  )
  printTable(["provider", "region", "size", "type", "cores", "memory", "disk", "per month", ""], rows)
}
