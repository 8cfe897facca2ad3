import { z } from "zod"
import type { Services } from "../../services.ts"
import { ofThoseThatAnswer } from "../../workspaces/providers.ts"
import type { OfferedSize } from "../../workspaces/sizes.ts"
import { PROVIDERS, type Provider, SIZE_CLASSES } from "../../workspaces/workspace.ts"
import { type ApiRoute, route } from "./define.ts"
import { PriceSchema } from "./schemas.ts"

const SizeSchema = z
  .object({
    provider: z.enum(PROVIDERS),
    class: z.enum(SIZE_CLASSES),
    type: z.string(),
    cores: z.number(),
    memoryGb: z.number(),
    diskGb: z.number(),
    regions: z.record(z.string(), PriceSchema.extend({ available: z.boolean() })),
  })
  .meta({ id: "Size" })
const RegionSchema = z.object({ id: z.string(), provider: z.enum(PROVIDERS) }).meta({ id: "Region" })

/** `/sizes` and `/regions`: what there is, live from the providers that are offered. */
export function catalogRoutes({ sizes, config }: Services): ApiRoute[] {
  const presentSizes = (offered: OfferedSize[], provider: Provider) =>
    offered.map(one => ({ provider, ...presentSize(one, config.providers[provider].regions) }))
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
        const found = await ofThoseThatAnswer(
          config.offered.map(async one => presentSizes(await sizes.offered(one), one)),
        )
        return { status: 200, body: { sizes: found.flat() } }
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
        const found = await ofThoseThatAnswer(
          config.offered.map(async provider => (await sizes.regions(provider)).map(id => ({ id, provider }))),
        )
        return { status: 200, body: { regions: found.flat() } }
      },
    }),
  ]
}

/** A size with its price in each region that is offered. @param allowed empty: all */
export function presentSize(
  { class: name, size }: OfferedSize,
  allowed: string[],
): Omit<z.input<typeof SizeSchema>, "provider"> {
  const places = Object.entries(size.regions).filter(([region]) => allowed.length === 0 || allowed.includes(region))
  return {
    ...{ class: name, type: size.name, cores: size.cores, memoryGb: size.memoryGb, diskGb: size.diskGb },
    regions: Object.fromEntries(places.map(([region, { price, available }]) => [region, { ...price, available }])),
  }
}
