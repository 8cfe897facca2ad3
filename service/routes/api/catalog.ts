import { z } from "zod"
import type { Services } from "../../services.ts"
import type { OfferedSize } from "../../workspaces/sizes.ts"
import { SIZE_CLASSES } from "../../workspaces/workspace.ts"
import { type ApiRoute, route } from "./define.ts"

const SizeSchema = z
  .object({
    class: z.enum(SIZE_CLASSES),
    type: z.string(),
    cores: z.number(),
    memoryGb: z.number(),
    diskGb: z.number(),
    regions: z.record(
      z.string(),
      z.object({ currency: z.string(), hourly: z.number(), monthly: z.number(), available: z.boolean() }),
    ),
  })
  .meta({ id: "Size" })
const RegionSchema = z.object({ id: z.string(), provider: z.string() }).meta({ id: "Region" })

/** `/sizes` and `/regions`: what there is, live from the provider. */
export function catalogRoutes({ sizes, config }: Services): ApiRoute[] {
  return [
    route({
      id: "listSizes",
      method: "get",
      path: "/sizes",
      tag: "Sizes and regions",
      summary: "List sizes with live prices and availability",
      scope: "read",
      replies: { 200: { description: "The sizes", schema: z.object({ sizes: z.array(SizeSchema) }) } },
      errors: [502],
      async handle() {
        const offered = await sizes.offered()
        return { status: 200, body: { sizes: offered.map(one => presentSize(one, config.regions)) } }
      },
    }),
    route({
      id: "listRegions",
      method: "get",
      path: "/regions",
      tag: "Sizes and regions",
      summary: "List regions",
      scope: "read",
      replies: { 200: { description: "The regions", schema: z.object({ regions: z.array(RegionSchema) }) } },
      errors: [502],
      async handle() {
        const regions = (await sizes.regions()).map(id => ({ id, provider: "hetzner" }))
        return { status: 200, body: { regions } }
      },
    }),
  ]
}

/** A size with its price in each region that is offered. @param allowed empty: all */
export function presentSize({ class: name, size }: OfferedSize, allowed: string[]): z.input<typeof SizeSchema> {
  const places = Object.entries(size.regions).filter(([region]) => allowed.length === 0 || allowed.includes(region))
  return {
    ...{ class: name, type: size.name, cores: size.cores, memoryGb: size.memoryGb, diskGb: size.diskGb },
    regions: Object.fromEntries(places.map(([region, { price, available }]) => [region, { ...price, available }])),
  }
}
