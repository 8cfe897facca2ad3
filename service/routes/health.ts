import Router from "koa-router"
import type { Services } from "../services.ts"

/** Milliseconds Redis may take to say that it is there. */
const PATIENCE_MS = 1_000

/** `/healthz`: the process lives. `/readyz`: it can do its work; not any more while it is being stopped. */
export function healthRoutes({ redis }: Pick<Services, "redis">, isStopping: () => boolean): Router {
  const router = new Router()
  router.get("/healthz", ctx => {
    ctx.body = "ok\n"
  })
  router.get("/readyz", async ctx => {
    ctx.set("Cache-Control", "no-store")
    const reason = isStopping() ? "stopping" : await redisFault()
    ctx.status = reason ? 503 : 200
    ctx.body = `${reason ?? "ready"}\n`
  })

  async function redisFault(): Promise<string | null> {
    const late = new Promise<string>(resolve => setTimeout(resolve, PATIENCE_MS, "Redis does not answer").unref())
    return Promise.race([
      late,
      redis.ping().then(
        () => null,
        () => "Redis cannot be reached",
      ),
    ])
  }
  return router
}
