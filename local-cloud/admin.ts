import { createHash, timingSafeEqual } from "node:crypto"
import Koa, { type Middleware } from "koa"
import Router from "koa-router"
import { z } from "zod"
import { machineConfig } from "./api/server-work.ts"
import { SERVER_TYPES } from "./catalog.ts"
import type { Context } from "./context.ts"
import { ApiError } from "./errors.ts"
import { FaultRule, type Faults } from "./faults.ts"
import { LIMITED } from "./limits.ts"
import { scaledSize } from "./sizes.ts"
import { registerImage } from "./system-image.ts"

const Capacity = z.strictObject({ server_type: z.string(), location: z.string(), available: z.boolean() })
const Limit = z.strictObject({ project: z.string(), of: z.enum(LIMITED), most: z.int().nonnegative().nullable() })
const NewImage = z.strictObject({
  name: z.string(),
  directory: z.string(),
  description: z.string().default(""),
  architecture: z.enum(["x86", "arm"]).default("x86"),
  os_flavor: z.string().default("debian"),
  os_version: z.string().nullable().default(null),
})
const NewTemplate = z.strictObject({ image: z.int().positive(), server_type: z.string() })

/** The admin port: what a test or an operator of the local cloud may do that no customer of a cloud can. */
export function createAdmin(
  context: Context,
  faults: Faults,
  requests: Map<string, number>,
  ledger: () => object,
): Koa {
  const { store, machines } = context
  const router = new Router()
  router.get("/faults", koa => {
    koa.body = { faults: faults.list() }
  })
  router.post("/faults", async koa => {
    koa.body = { id: faults.add(FaultRule.parse(await json(koa.req))) }
  })
  router.delete("/faults", koa => {
    faults.clear()
    koa.status = 204
  })
  router.get("/ledger", koa => {
    koa.body = ledger()
  })
  router.get("/requests", koa => {
    koa.body = { requests: Object.fromEntries(requests) }
  })
  router.post("/capacity", async koa => {
    const { server_type, location, available } = Capacity.parse(await json(koa.req))
    context.soldOut[available ? "delete" : "add"](`${server_type}@${location}`)
    koa.status = 204
  })
  router.post("/limits", async koa => {
    const { project, of, most } = Limit.parse(await json(koa.req))
    const { [of]: _, ...others } = context.limits[project] ?? {}
    context.limits[project] = most === null ? others : { ...others, [of]: most }
    koa.status = 204
  })
  router.post("/images", async koa => {
    const image = await registerImage(context, NewImage.parse(await json(koa.req)))
    koa.body = { image: { id: image.id, name: image.name } }
  })
  router.post("/templates", async koa => {
    const { image, server_type } = NewTemplate.parse(await json(koa.req))
    const type = SERVER_TYPES.find(one => one.name === server_type)
    if (type === undefined) throw new Error(`There is no server type "${server_type}".`)
    koa.body = { prepared: await machines.prepare(image, scaledSize(context.config, type.name, type.disk)) }
  })
  router.get("/machines", koa => {
    koa.body = {
      ahead: machines.ahead(),
      machines: store.all("server").map(server => {
        const { ipv4, ports, cores, memoryBytes, diskBytes } = machineConfig(context, server)
        return {
          id: server.id,
          name: server.name,
          status: server.status,
          ipv4,
          ports,
          cores,
          memory_bytes: memoryBytes,
          disk_bytes: diskBytes,
          console_log: machines.consoleLog(server.id),
        }
      }),
    }
  })
  router.get("/machines/:id/user-data", koa => {
    const server = store.get("server", Number(koa.params.id))
    if (server) koa.body = server.userData
  })
  const app = new Koa()
  app.silent = true
  app.use(answerErrors)
  app.use(authenticate(context.config.adminToken))
  app.use(router.routes() as Middleware)
  return app
}

const answerErrors: Middleware = async (koa, next) => {
  try {
    await next()
  } catch (error) {
    koa.status = error instanceof ApiError ? error.status : 422
    koa.body = { error: error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message }
  }
}

function authenticate(token: string): Middleware {
  const digest = (text: string) => createHash("sha256").update(text).digest()
  const wanted = digest(`Bearer ${token}`)
  return async (koa, next) => {
    if (!timingSafeEqual(digest(koa.get("authorization")), wanted))
      throw new ApiError(401, "unauthorized", "the admin token is needed")
    await next()
  }
}

async function json(request: AsyncIterable<Buffer>): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString() || "{}")
}
