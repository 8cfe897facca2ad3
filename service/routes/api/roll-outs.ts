import { z } from "zod"
import { notFound } from "../../errors.ts"
import type { RollOut } from "../../roll-outs/roll-outs.ts"
import type { Services } from "../../services.ts"
import { type ApiRoute, route } from "./define.ts"
import { yesOrNo } from "./yes-or-no.ts"

const percent = z.number().min(0).max(100)
export const RollOutWish = z.strictObject({
  wave: percent.min(1, "must be at least 1").default(10).meta({ description: "part of what is outdated, in percent" }),
  stopAt: percent.default(20).meta({ description: "it stops when more than this part of a wave failed, in percent" }),
  inUse: z.boolean().default(false).meta({ description: "are those upgraded too that somebody is using?" }),
})

export const RollOutSchema = z
  .object({
    state: z.enum(["running", "stopped", "done"]),
    why: z.string().nullable().meta({ description: "why it stopped, or what is left" }),
    settings: z.object({ wave: z.number(), stopAt: z.number(), inUse: z.boolean() }),
    begunAt: z.iso.datetime(),
    by: z.string(),
    total: z.int().meta({ description: "how many were outdated at its beginning" }),
    waves: z.array(
      z.object({
        begunAt: z.iso.datetime(),
        workspaces: z.int(),
        running: z.int(),
        succeeded: z.int(),
        failed: z.int(),
        skipped: z.int().meta({ description: "could not be begun, as where a budget is used up" }),
      }),
    ),
  })
  .meta({ id: "RollOut", description: "Bringing all workspaces to the newest images, wave by wave" })

export const RollOutPlanSchema = z.object({
  total: z.int().meta({ description: "how many are outdated" }),
  first: z.array(z.string()).meta({ description: "workspaces of the first wave" }),
  waiting: z.int().meta({ description: "waited for: somebody uses them, or something goes on with them" }),
  left: z.int().meta({ description: "left alone: asleep, or failed" }),
})

/** `/roll-out`, for operators. */
export function rollOutRoutes({ rollOuts }: Services): ApiRoute[] {
  const about = { path: "/roll-out", tag: "Operators", forOperators: true, errors: [403, 404] as number[] } as const
  const replies = { 200: { description: "The newest roll-out", schema: RollOutSchema } }
  const shown = (found: RollOut | null) => {
    if (!found) throw notFound("roll-out")
    return { status: 200, body: present(found) }
  }
  return [
    route({
      ...{ ...about, id: "getRollOut", method: "get", scope: "read", replies },
      summary: "Look at the newest roll-out of newer images",
      handle: async () => shown(await rollOuts.get()),
    }),
    route({
      ...{ ...about, id: "beginRollOut", method: "post", scope: "write", body: RollOutWish },
      summary: "Bring all workspaces to the newest images, wave by wave",
      description:
        "What is off or idle comes first. What sleeps is not woken for it, and what somebody is using is waited for.",
      query: z.object({ dryRun: yesOrNo.optional().meta({ description: "only say what would be begun" }) }),
      replies: {
        200: { description: "A dry run: what would be begun", schema: RollOutPlanSchema },
        202: { description: "Begun", schema: RollOutSchema },
      },
      errors: [403, 409],
      async handle({ caller: { user }, query: { dryRun }, body }) {
        if (dryRun) return { status: 200, body: await rollOuts.plan(body) }
        return { status: 202, body: present(await rollOuts.begin(body, user.login)) }
      },
    }),
    route({
      ...{ ...about, id: "stopRollOut", method: "delete", scope: "write", replies },
      summary: "Stop the roll-out",
      description: "No new wave begins; what has begun comes to its end.",
      async handle({ caller: { user } }) {
        return shown(await rollOuts.stop(user.login))
      },
    }),
  ]
}

function present(found: RollOut): z.input<typeof RollOutSchema> {
  const iso = (ms: number) => new Date(ms).toISOString()
  const waves = found.waves.map(wave => ({ ...wave, begunAt: iso(wave.begunAt) }))
  return { ...found, begunAt: iso(found.begunAt), waves }
}
