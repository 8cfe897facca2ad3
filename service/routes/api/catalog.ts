import { z } from "zod"
import type { Services } from "../../services.ts"
import { askEach } from "../../workspaces/providers.ts"
import type { OfferedSize } from "../../workspaces/sizes.ts"
import { PROVIDERS, SIZE_CLASSES } from "../../workspaces/workspace.ts"
import { type ApiRoute, route } from "./define.ts"
import { PriceSchema } from "./schemas.ts"

export const SizeSchema = z
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
export const Away = z
  .array(z.enum(PROVIDERS))
  .meta({ description: "providers that do not answer at the moment: what they have is missing here" })

/** `/sizes` and `/regions`: what there is for who asks, live from the providers that are offered to them. */
export function catalogRoutes({ sizes }: Services): ApiRoute[] {
  return [
    route({
      id: "listSizes",
      method: "get",
      path: "/sizes",
      tag: "Sizes and regions",
      summary: "List sizes that are offered to you, with live prices and availability",
      scope: "read",
      replies: { 200: { description: "The sizes", schema: z.object({ sizes: z.array(SizeSchema), away: Away }) } },
      errors: [502],
      async handle({ caller }) {
        const offer = await sizes.offerTo(caller.user.id)
        const { answers, away } = await askEach(offer.providers, async provider =>
          (await offer.sizes(provider)).map(one => ({ provider, ...presentSize(one) })),
        )
        return { status: 200, body: { sizes: answers.flat(), away } }
      },
    }),
    route({
      id: "listRegions",
      method: "get",
      path: "/regions",
      tag: "Sizes and regions",
      summary: "List regions that are offered to you",
      scope: "read",
      replies: {
        200: { description: "The regions", schema: z.object({ regions: z.array(RegionSchema), away: Away }) },
      },
      errors: [502],
      async handle({ caller }) {
        const offer = await sizes.offerTo(caller.user.id)
        const { answers, away } = await askEach(offer.providers, async provider =>
          (await offer.regions(provider)).map(id => ({ id, provider })),
        )
        return { status: 200, body: { regions: answers.flat(), away } }
      },
    }),
  ]
}

/** A size with its price in each region where it is offered so. */
export function presentSize({ class: name, size }: OfferedSize): Omit<z.input<typeof SizeSchema>, "provider"> {
  return {
    ...{ class: name, type: size.name, cores: size.cores, memoryGb: size.memoryGb, diskGb: size.diskGb },
    regions: Object.fromEntries(
      Object.entries(size.regions).map(([region, { price, available }]) => [region, { ...price, available }]),
    ),
  }
}
