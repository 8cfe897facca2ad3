import { z } from "zod"
import type { Services } from "../../../services.ts"
import { PROFILES, PROVIDERS, SIZE_CLASSES } from "../../../workspaces/workspace.ts"
import { type ApiRoute, route } from "../define.ts"

export const SparesSchema = z
  .object({
    monthly: z.number().meta({ description: "what all of them may cost a month; 0: none are kept" }),
    kinds: z.array(
      z.object({
        kind: z.string().meta({ description: "PROVIDER/REGION/SIZE/PROFILE" }),
        provider: z.enum(PROVIDERS),
        region: z.string(),
        sizeClass: z.enum(SIZE_CLASSES),
        profile: z.enum(PROFILES),
        count: z.int().meta({ description: "how many there shall be now" }),
        least: z.int().meta({ description: "how many there always are" }),
        most: z.int().meta({ description: "how many there are at most, where more are asked for" }),
        ready: z.int().meta({ description: "how many could be taken now" }),
        coming: z.int().meta({ description: "how many are being made" }),
        leaving: z.int().meta({ description: "how many are thrown away, or will be" }),
        costs: z
          .array(z.object({ currency: z.string(), monthly: z.number() }))
          .meta({ description: "of those that there are, before tax" }),
        oldest: z.iso.datetime().nullable().meta({ description: "when the oldest was made" }),
        taken: z.int().meta({ description: "how many became workspaces" }),
        missed: z.int().meta({ description: "how many new workspaces found none" }),
        isWaiting: z.boolean().meta({ description: "the last ones did not come to be: none is made for a while" }),
      }),
    ),
  })
  .meta({ id: "Spares" })

/** `/operator/spares`. */
export function operatorSpareRoutes({ warm, config }: Services): ApiRoute[] {
  return [
    route({
      ...{ tag: "Operators", forOperators: true, scope: "read" },
      ...{ id: "operatorListSpares", method: "get", path: "/operator/spares" },
      summary: "Spare machines that are kept for new workspaces",
      replies: { 200: { description: "By kind", schema: SparesSchema } },
      async handle() {
        const kinds = (await warm.shown()).map(one => ({
          ...one,
          oldest: one.oldest === null ? null : new Date(one.oldest).toISOString(),
        }))
        return { status: 200, body: { monthly: config.warm.monthly, kinds } }
      },
    }),
  ]
}
