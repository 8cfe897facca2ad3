import Router from "koa-router"
import type { Services } from "../services.ts"

/** Milliseconds Redis may take to say that it is there. */
const PATIENCE_MS = 1_000

/** Why the process cannot do its work at the moment; null: it can. It lives, else nobody would answer. */
export type Fault = () => Promise<string | null>

export function watchFaults({ redis }: Pick<Services, "redis">, isStopping: () => boolean): Fault {
  return async () => {
    if (isStopping()) return "stopping"
    const late = new Promise<string>(resolve => setTimeout(resolve, PATIENCE_MS, "Redis does not answer").unref())
    return Promise.race([
      late,
      redis.ping().then(
        () => null,
        () => "Redis cannot be reached",
      ),
    ])
  }
}

export const HEALTH_PATHS = ["/healthz", "/readyz"] as const

/** `/healthz`: the process lives. `/readyz`: it can do its work; not any more while it is being stopped. */
export async function healthAnswer(path: (typeof HEALTH_PATHS)[number], fault: Fault) {
  const reason = path === "/readyz" ? await fault() : null
  const good = path === "/readyz" ? "ready" : "ok"
  return { status: reason ? 503 : 200, body: `${reason ?? good}\n` }
}

export function healthRoutes(fault: Fault): Router {
  const router = new Router()
  for (const path of HEALTH_PATHS) {
    router.get(path, async ctx => {
      ctx.set("Cache-Control", "no-store")
      Object.assign(ctx, await healthAnswer(path, fault))
    })
  }
  return router
}
