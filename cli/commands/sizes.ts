import type { Command } from "commander"
import { openProjects } from "../../infra/cloud-config.ts"
import { printTable } from "../print-table.ts"
import { cloudConfig } from "../settings.ts"

/** `foozol-cloud sizes`: machine types with live prices and where they can be had now. */
export function addSizes(program: Command): void {
  program
    .command("sizes")
    .description("list the providers' machine types with live prices and availability")
    .option("--json", "print JSON")
    .action(async ({ json }: { json?: boolean }) => {
      const projects = openProjects(cloudConfig())
      const all = await Promise.all(projects.providers.map(one => projects.in(projects.mainOf(one) as string).sizes()))
      const sizes = all.flat().filter(size => size.orderable)
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
