import { z } from "zod"
import { IMAGE_ID_PATTERN } from "../../../../infra/image-id.ts"
import { notFound } from "../../../errors.ts"
import { DRAIN_TARGET, type DrainOrder } from "../../../operations/drain.ts"
import type { Overview } from "../../../operators/overview.ts"
import type { Services } from "../../../services.ts"
import type { SweepReport } from "../../../sweeps/sweep.ts"
import type { GoldenImage } from "../../../workspaces/images.ts"
import { STATES } from "../../../workspaces/transitions.ts"
import { PROFILES, PROVIDERS, type Provider } from "../../../workspaces/workspace.ts"
import { Away } from "../catalog.ts"
import { type ApiRoute, route } from "../define.ts"
import { yesOrNo } from "../yes-or-no.ts"

const time = z.iso.datetime()
const iso = (ms: number) => new Date(ms).toISOString()

export const SweepSchema = z
  .object({
    at: time,
    held: z.int().meta({ description: "resources of all workspaces at the provider" }),
    away: z.array(z.string()).meta({ description: "projects that did not answer: what they have was not looked at" }),
    resources: z
      .array(
        z.object({
          workspace: z.string(),
          type: z.string(),
          id: z.string(),
          verdict: z.enum(["removed", "would-go", "waits", "too-many", "foreign"]),
          until: time.nullable().meta({ description: "of what waits: until when at least" }),
        }),
      )
      .meta({ description: "those without a workspace" }),
  })
  .meta({ id: "Sweep" })

const presentSweep = ({ at, held, away = [], resources }: SweepReport): z.input<typeof SweepSchema> => ({
  ...{ at: iso(at), held, away },
  resources: resources.map(one => ({ ...one, until: one.until === null ? null : iso(one.until) })),
})

export const DrainSchema = z
  .object({
    orders: z.array(z.object({ target: z.string(), by: z.string(), why: z.string(), at: time })),
    workers: z.array(
      z.object({
        id: z.string(),
        host: z.string(),
        pid: z.int(),
        since: time,
        active: z.int().meta({ description: "operations it is at" }),
        draining: z.boolean(),
      }),
    ),
  })
  .meta({ id: "Drain" })

export const ImageSchema = z
  .object({
    id: z.string(),
    provider: z.enum(PROVIDERS),
    profile: z.enum(PROFILES),
    createdAt: time.nullable(),
    ready: z.boolean().meta({ description: "has it passed its checks?" }),
    standing: z.enum(["promoted", "demoted", "set"]).nullable(),
    used: z.boolean().meta({ description: "are new workspaces made from it now?" }),
  })
  .meta({ id: "GoldenImage" })

const presentImage = ({ createdAt, ...rest }: GoldenImage): z.input<typeof ImageSchema> => ({
  ...rest,
  createdAt: createdAt === 0 ? null : iso(createdAt),
})

const WeatherSchema = z.object({
  requestsLeft: z.number().meta({ description: "share of the provider's request budget, 0 to 1" }),
  isStormy: z.boolean().meta({ description: "does more go wrong than well?" }),
})

export const OverviewSchema = z
  .object({
    states: z.array(z.object({ state: z.enum(STATES), count: z.int() })),
    operations: z.object({ queued: z.int(), running: z.int(), failed24h: z.int() }),
    weather: WeatherSchema.meta({ description: "of all projects the worst" }),
    projects: z
      .array(WeatherSchema.extend({ project: z.string(), provider: z.enum(PROVIDERS) }))
      .meta({ description: "the weather of each project: each has a request budget of its own" }),
    sweep: SweepSchema.nullable().meta({ description: "the newest sweep" }),
    backups: z.object({
      unproven: z.int().meta({ description: "workspaces whose backups none was ever restored of on trial" }),
      none: z.int().meta({ description: "workspaces with something to lose and no backup" }),
    }),
    costs: z.array(z.object({ currency: z.string(), amount: z.number(), forecast: z.number() })),
  })
  .meta({ id: "Overview" })

const presentOverview = ({ sweep, ...rest }: Overview): z.input<typeof OverviewSchema> => ({
  ...rest,
  sweep: sweep && presentSweep(sweep),
})

const about = { tag: "Operators", forOperators: true } as const
const Target = z
  .string()
  .regex(DRAIN_TARGET, "must be all, host:NAME or worker:ID")
  .default("all")
  .meta({ description: "which workers: all, host:NAME or worker:ID" })

/** What operators do with the whole: overview, sweep, draining, golden images. */
export function operatorUpkeepRoutes(services: Services): ApiRoute[] {
  const { overview } = services
  return [
    route({
      ...{ ...about, id: "operatorOverview", method: "get", path: "/operator/overview", scope: "read" },
      summary: "How everything stands, in numbers",
      replies: { 200: { description: "Now", schema: OverviewSchema } },
      handle: async () => ({ status: 200, body: presentOverview(await overview()) }),
    }),
    ...sweepRoutes(services),
    ...drainRoutes(services),
    ...imageRoutes(services),
  ]
}

function sweepRoutes({ sweeps }: Services): ApiRoute[] {
  const replies = { 200: { description: "What was found", schema: SweepSchema } }
  const common = { ...about, path: "/operator/sweep", replies, errors: [409, 502] as number[] }
  return [
    route({
      ...{ ...common, id: "drySweep", method: "get", scope: "read" },
      summary: "What a sweep would remove now, and why the rest stays",
      handle: async () => ({ status: 200, body: presentSweep(await sweeps.dry()) }),
    }),
    route({
      ...{ ...common, id: "sweep", method: "post", scope: "write" },
      summary: "Sweep now",
      handle: async () => ({ status: 200, body: presentSweep(await sweeps.now()) }),
    }),
  ]
}

function drainRoutes({ drains, now }: Services): ApiRoute[] {
  const replies = { 200: { description: "Who drains, and how the workers are", schema: DrainSchema } }
  const common = { ...about, path: "/operator/drain", replies }
  const shown = async () => {
    const [orders, workers] = await Promise.all([drains.orders(), drains.workers()])
    return {
      status: 200,
      body: {
        orders: orders.map((one: DrainOrder) => ({ ...one, at: iso(one.at) })),
        workers: workers.map(one => ({ ...one, since: iso(one.since) })),
      },
    }
  }
  return [
    route({
      ...{ ...common, id: "getDrain", method: "get", scope: "read" },
      summary: "Which workers take no new operations, and what they are at",
      handle: shown,
    }),
    route({
      ...{ ...common, id: "drain", method: "post", scope: "write" },
      summary: "Let workers take no new operations",
      description: "What is under way comes to its end; what is asked for meanwhile waits. Pages and API go on.",
      body: z.strictObject({ target: Target, why: z.string().trim().max(200).default("") }),
      async handle({ caller, body }) {
        await drains.begin({ ...body, by: caller.user.login, at: now() })
        return shown()
      },
    }),
    route({
      ...{ ...common, id: "undrain", method: "delete", scope: "write" },
      summary: "Let workers take operations again",
      query: z.object({ target: Target }),
      errors: [404],
      async handle({ query: { target } }) {
        if (!(await drains.end(target))) throw notFound("draining")
        return shown()
      },
    }),
  ]
}

function imageRoutes({ images }: Services): ApiRoute[] {
  const params = z.object({ id: z.string().regex(IMAGE_ID_PATTERN, "must be the id of an image") })
  const replies = { 200: { description: "The image; of a dry run, as it is now", schema: ImageSchema } }
  const query = z.object({ dryRun: yesOrNo.optional().meta({ description: "only look whether it can be done" }) })
  return [
    route({
      ...{ ...about, id: "operatorListImages", method: "get", path: "/operator/images", scope: "read" },
      summary: "Golden images at the providers, and which are used",
      replies: { 200: { description: "The images", schema: z.object({ images: z.array(ImageSchema), away: Away }) } },
      errors: [502],
      async handle() {
        const away: Provider[] = []
        const found = await images.list(one => away.push(one))
        return { status: 200, body: { images: found.map(presentImage), away } }
      },
    }),
    route({
      ...{ ...about, id: "promoteImage", method: "post", path: "/operator/images/{id}/promote", scope: "write" },
      summary: "Make new workspaces from this image, whatever is newer or set",
      ...{ params, query, replies, errors: [404, 409, 502] },
      body: z.strictObject({
        profile: z.enum(PROFILES).optional().meta({ description: "of an image that does not say what it is for" }),
      }),
      async handle({ params: { id }, query: { dryRun }, body }) {
        const done = dryRun ? images.promotable(id, body.profile) : images.promote(id, body.profile)
        return { status: 200, body: presentImage(await done) }
      },
    }),
    route({
      ...{ ...about, id: "demoteImage", method: "post", path: "/operator/images/{id}/demote", scope: "write" },
      summary: "Make no new workspaces from this image",
      ...{ params, query, replies, errors: [404, 502] },
      handle: async ({ params: { id }, query: { dryRun } }) => ({
        status: 200,
        body: presentImage(await (dryRun ? images.known(id) : images.demote(id))),
      }),
    }),
  ]
}
