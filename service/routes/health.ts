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

/** `/healthz`: the process lives. `/readyz`: it can do its work; not any more while it is being stopped. */
export function healthRoutes(fault: Fault): Router {
  const router = new Router()
  router.get("/healthz", ctx => {
    ctx.body = "ok\n"
  })
  router.get("/readyz", async ctx => {
    ctx.set("Cache-Control", "no-store")
    const reason = await fault()
    ctx.status = reason ? 503 : 200
    ctx.body = `${reason ?? "ready"}\n`
  })
  return router
}
