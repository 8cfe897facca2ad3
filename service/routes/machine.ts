import Router from "koa-router"
import type { z } from "zod"
import { ProofReport } from "../backups/proof-report.ts"
import { ConversationReport, Prompted } from "../conversations/report.ts"
import { notFound, ServiceError } from "../errors.ts"
import { HomeNews, ListWish, PasswordWish, SignWish } from "../home-backups/news.ts"
import { createStorageRequests } from "../home-backups/storage-requests.ts"
import { readSignals } from "../idleness/signals.ts"
import type { Order } from "../machines/channel.ts"
import { DevContainerAnswer } from "../machines/dev-container.ts"
import { createEventStreams } from "../machines/event-streams.ts"
import { operationOfKey } from "../machines/proof-key.ts"
import { MAX_REPORT_BYTES, MachineReport } from "../machines/reports.ts"
import type { Context } from "../middleware/request-state.ts"
import { Frozen } from "../operations/kinds/flush.ts"
import { Awake } from "../operations/kinds/sleep.ts"
import { isOver, type Operation } from "../operations/operation.ts"
import { PROXY } from "../secrets/secrets.ts"
import type { Services } from "../services.ts"
import type { Workspace } from "../workspaces/workspace.ts"

/** A proxy that nobody answers at. */
const NO_PROXY = "http://unreadable.invalid:9"

/** What machines call, with their workspace key: reports, and the stream of what they are told. */
export function machineRoutes(services: Services): Router {
  const { keys, machineKeys, reports, proofs, channel, certificates, secrets, store, idleness, config, log, now } =
    services
  const { conversations, homeBackups, traces } = services
  const streams = createEventStreams()
  const storageRequests = createStorageRequests(homeBackups, now)
  const router = new Router({ prefix: "/machine" })

  async function machineOf(ctx: Context): Promise<string> {
    const workspace = await machineKeys.workspaceOf(ctx.get("authorization"))
    if (workspace) return workspace
    throw new ServiceError("not-a-machine", 401, "This is for machines, with the key of their workspace.")
  }

  /** The home of a machine that has just begun gives way to the one that an upgrade brings: nothing may work on it. */
  async function isHeld({ operation }: Workspace): Promise<boolean> {
    const newest = operation === null ? null : await store.operation(operation)
    return newest !== null && newest.kind === "upgrade" && !isOver(newest) && !hasHome(newest.marks)
  }

  async function repositoryOrder(record: Workspace): Promise<Order | null> {
    const { repository } = record
    return repository && { type: "repository", data: { ...repository, isHeld: await isHeld(record) } }
  }

  router.post("/report", async ctx => {
    const workspace = await machineOf(ctx as Context)
    const said = await told(MachineReport, ctx.req)
    const receivedAt = now()
    const reading = readSignals(said, receivedAt, config.idle.busyCpu)
    await reports.save(workspace, said, reading, receivedAt)
    await machineKeys.seen(workspace, (ctx as Context).get("authorization"))
    await channel.announce(workspace, "reported")
    ctx.status = 204
    const { certificate } = said
    if (certificate === undefined) return
    await certificates.heard(workspace, certificate).catch(error => {
      log.warn({ err: error, workspace }, "what a machine said of its certificate could not be gone by")
    })
  })

  router.post("/first-frame", async ctx => {
    const workspace = await store.get(await machineOf(ctx as Context))
    // It says nothing but that it happened: there is no body to be read.
    ctx.req.resume()
    if (workspace) await traces.firstFrame(workspace)
    ctx.status = 204
  })

  router.post("/frozen", async ctx => {
    const workspace = await machineOf(ctx as Context)
    const said = await told(Frozen, ctx.req, "answer")
    await channel.announce(workspace, `frozen ${JSON.stringify(said)}`)
    ctx.status = 204
  })

  router.post("/awake", async ctx => {
    const workspace = await machineOf(ctx as Context)
    const said = await told(Awake, ctx.req, "answer")
    await channel.announce(workspace, `awake ${JSON.stringify(said)}`)
    ctx.status = 204
  })

  router.post("/conversations", async ctx => {
    const workspace = await machineOf(ctx as Context)
    const said = await told(ConversationReport, ctx.req)
    await conversations.heard(workspace, said, now())
    ctx.status = 204
  })

  router.post("/prompted", async ctx => {
    const workspace = await machineOf(ctx as Context)
    const said = await told(Prompted, ctx.req, "answer")
    await channel.announce(workspace, `prompted ${JSON.stringify(said)}`)
    ctx.status = 204
  })

  router.post("/dev-container", async ctx => {
    const workspace = await machineOf(ctx as Context)
    const said = await told(DevContainerAnswer, ctx.req, "answer")
    await channel.announce(workspace, `dev-container ${JSON.stringify(said)}`)
    ctx.status = 204
  })

  /** The workspace of a machine that works on its home, and what it has sent. @throws ServiceError */
  async function homeRequest<T extends z.ZodType>(ctx: Context, schema: T) {
    const record = await store.get(await machineOf(ctx))
    const wish = await told(schema, ctx.req)
    if (!record || record.state === "TERMINATING" || record.state === "TERMINATED") throw notFound("workspace")
    ctx.set("Cache-Control", "no-store")
    return { record, wish }
  }
  router.post("/home-backup", async ctx => {
    const { record, wish } = await homeRequest(ctx as Context, HomeNews)
    await homeBackups.heard(record, wish)
    ctx.status = 204
  })
  router.post("/home-backup/password", async ctx => {
    const { record, wish } = await homeRequest(ctx as Context, PasswordWish)
    ctx.body = { password: await storageRequests.password(record, wish.id) }
  })
  router.post("/home-backup/sign", async ctx => {
    const { record, wish } = await homeRequest(ctx as Context, SignWish)
    ctx.body = await storageRequests.sign(record, wish)
  })
  router.post("/home-backup/list", async ctx => {
    const { record, wish } = await homeRequest(ctx as Context, ListWish)
    ctx.body = { objects: await storageRequests.list(record, wish) }
  })

  router.post("/proof", async ctx => {
    const operation = operationOfKey(keys, (ctx as Context).get("authorization"))
    if (!operation) throw new ServiceError("not-a-machine", 401, "This is for machines that try a backup out.")
    const said = await told(ProofReport, ctx.req)
    if (!(await proofs.save(operation, said))) {
      throw new ServiceError("operation-over", 409, "This trial has ended.")
    }
    await channel.announce(operation, "proof")
    ctx.status = 204
  })

  router.get("/events", async ctx => {
    const workspace = await machineOf(ctx as Context)
    if (!(await store.get(workspace)))
      throw new ServiceError("not-found", 404, "This machine's workspace is not known here.")
    const { out, send, keepAlive } = streams.open(workspace)
    // What is held back is said at the next connection, which an upgrade ends with.
    const sendHome = async (order: Order) => {
      const record = await store.get(workspace)
      if (record && !(await isHeld(record))) send(order.type, order.data)
    }
    let sent: Promise<unknown> = Promise.resolve()
    let isFetching = false
    // One after the other: what was read earlier must not arrive later, or a secret that was taken back would be back.
    const sendSettings = () => {
      sent = sent.then(async () => {
        // A spare machine has another owner by now, and may have a repository.
        const record = await store.get(workspace)
        if (!record) return
        const { unreadable, ...given } = await secrets.forMachine(workspace, record.owner)
        if (unreadable.length > 0) log.warn({ workspace, unreadable }, "secrets that no key opens are left out")
        // What was to go by a proxy must not go without one.
        if (unreadable.includes(PROXY)) given.proxy = NO_PROXY
        send("settings", { env: {}, ...given, certificate: await certificates.forMachine(record) })
        // After the settings: the tokens it may need are among them.
        const repository = isFetching ? null : await repositoryOrder(record)
        if (repository) {
          isFetching = true
          send(repository.type, repository.data)
        }
      })
      return sent
    }
    const forget = await channel.listen(workspace, order => {
      if (order.type === "settings") sendSettings().catch(() => out.destroy())
      else if (order.type === "home-backup") sendHome(order).catch(() => out.destroy())
      else send(order.type, order.data)
    })
    const closed = new AbortController()
    ctx.req.once("close", () => closed.abort())
    out.once("close", () => closed.abort())
    closed.signal.addEventListener("abort", forget, { once: true })
    if (ctx.req.destroyed) closed.abort()
    ctx.set({ "Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no" })
    ctx.status = 200
    ctx.body = out
    await sendSettings()
    // What it was to do with the home, and has not answered.
    const record = await store.get(workspace)
    const home = record && (await homeBackups.standing(record))
    if (home) await sendHome(home)
    // What was said of a stop while it was not listening.
    const { type, data } = await idleness.standing(workspace)
    send(type, data)
    await reports.connected(workspace, now())
    await channel.announce(workspace, "connected")
    void keepAlive(closed.signal)
  })
  return router
}

/** Of an upgrade: is the home there that its machine goes on with? It starts once more after that. */
const hasHome = ({ carried, back, unbegun }: Operation["marks"]) =>
  [carried, back, unbegun].some(mark => mark !== undefined)

/** What a machine tells. @throws ServiceError `invalid-report` */
async function told<Schema extends z.ZodType>(
  schema: Schema,
  request: Parameters<typeof readJson>[0],
  what: "report" | "answer" = "report",
): Promise<z.output<Schema>> {
  const parsed = schema.safeParse(await readJson(request))
  if (parsed.success) return parsed.data
  throw new ServiceError("invalid-report", 422, `The ${what} has not the form that is expected.`)
}

/** @throws ServiceError `too-long` or `invalid-json` */
async function readJson(request: AsyncIterable<Buffer>): Promise<unknown> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request) {
    size += part.length
    if (size > MAX_REPORT_BYTES) throw new ServiceError("too-long", 413, `A report may have ${MAX_REPORT_BYTES} bytes.`)
    parts.push(part)
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString("utf8"))
  } catch {
    throw new ServiceError("invalid-json", 400, "The body is no JSON.")
  }
}
