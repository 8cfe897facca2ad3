import { PassThrough } from "node:stream"
import { setTimeout as sleep } from "node:timers/promises"
import Router from "koa-router"
import { ProofReport } from "../backups/proof-report.ts"
import { ConversationReport, Prompted } from "../conversations/report.ts"
import { ServiceError } from "../errors.ts"
import { readSignals } from "../idleness/signals.ts"
import type { Order } from "../machines/channel.ts"
import { operationOfKey } from "../machines/proof-key.ts"
import { MAX_REPORT_BYTES, MachineReport } from "../machines/reports.ts"
import type { Context } from "../middleware/request-state.ts"
import { Frozen } from "../operations/kinds/flush.ts"
import { isOver, type Operation } from "../operations/operation.ts"
import { PROXY } from "../secrets/secrets.ts"
import type { Services } from "../services.ts"
import type { Workspace } from "../workspaces/workspace.ts"

/** A proxy that nobody answers at. */
const NO_PROXY = "http://unreadable.invalid:9"

/** A machine takes a stream that is silent for a minute for dead. */
const KEEP_ALIVE_MS = 20_000

/** What machines call, with their workspace key: reports, and the stream of what they are told. */
export function machineRoutes(services: Services): Router {
  const { keys, machineKeys, reports, proofs, channel, certificates, secrets, store, idleness, config, log, now } =
    services
  const { conversations } = services
  const router = new Router({ prefix: "/machine" })

  async function machineOf(ctx: Context): Promise<string> {
    const workspace = await machineKeys.workspaceOf(ctx.get("authorization"))
    if (workspace) return workspace
    throw new ServiceError("not-a-machine", 401, "This is for machines, with the key of their workspace.")
  }

  async function repositoryOrder({ repository, operation }: Workspace): Promise<Order | null> {
    if (repository === null) return null
    const newest = operation === null ? null : await store.operation(operation)
    // The home of a machine that has just begun gives way to the one that an upgrade brings.
    const isHeld = newest !== null && newest.kind === "upgrade" && !isOver(newest) && !hasHome(newest.marks)
    return { type: "repository", data: { ...repository, isHeld } }
  }

  router.post("/report", async ctx => {
    const workspace = await machineOf(ctx as Context)
    const parsed = MachineReport.safeParse(await readJson(ctx.req))
    if (!parsed.success) throw new ServiceError("invalid-report", 422, "The report has not the form that is expected.")
    const receivedAt = now()
    const reading = readSignals(parsed.data, receivedAt, config.idle.busyCpu)
    await reports.save(workspace, parsed.data, reading, receivedAt)
    await machineKeys.seen(workspace, (ctx as Context).get("authorization"))
    await channel.announce(workspace, "reported")
    ctx.status = 204
    const { certificate } = parsed.data
    if (certificate === undefined) return
    await certificates.heard(workspace, certificate).catch(error => {
      log.warn({ err: error, workspace }, "what a machine said of its certificate could not be gone by")
    })
  })

  router.post("/frozen", async ctx => {
    const workspace = await machineOf(ctx as Context)
    const parsed = Frozen.safeParse(await readJson(ctx.req))
    if (!parsed.success) throw new ServiceError("invalid-report", 422, "The answer has not the form that is expected.")
    await channel.announce(workspace, `frozen ${JSON.stringify(parsed.data)}`)
    ctx.status = 204
  })

  router.post("/conversations", async ctx => {
    const workspace = await machineOf(ctx as Context)
    const parsed = ConversationReport.safeParse(await readJson(ctx.req))
    if (!parsed.success) throw new ServiceError("invalid-report", 422, "The report has not the form that is expected.")
    await conversations.heard(workspace, parsed.data, now())
    ctx.status = 204
  })

  router.post("/prompted", async ctx => {
    const workspace = await machineOf(ctx as Context)
    const parsed = Prompted.safeParse(await readJson(ctx.req))
    if (!parsed.success) throw new ServiceError("invalid-report", 422, "The answer has not the form that is expected.")
    await channel.announce(workspace, `prompted ${JSON.stringify(parsed.data)}`)
    ctx.status = 204
  })

  router.post("/proof", async ctx => {
    const operation = operationOfKey(keys, (ctx as Context).get("authorization"))
    if (!operation) throw new ServiceError("not-a-machine", 401, "This is for machines that try a backup out.")
    const parsed = ProofReport.safeParse(await readJson(ctx.req))
    if (!parsed.success) throw new ServiceError("invalid-report", 422, "The report has not the form that is expected.")
    if (!(await proofs.save(operation, parsed.data))) {
      throw new ServiceError("operation-over", 409, "This trial has ended.")
    }
    await channel.announce(operation, "proof")
    ctx.status = 204
  })

  router.get("/events", async ctx => {
    const workspace = await machineOf(ctx as Context)
    const record = await store.get(workspace)
    if (!record) throw new ServiceError("not-found", 404, "This machine's workspace is not known here.")
    const stream = new PassThrough()
    const send = (type: string, data: unknown) => stream.write(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`)
    let sent: Promise<unknown> = Promise.resolve()
    // One after the other: what was read earlier must not arrive later, or a secret that was taken back would be back.
    const sendSettings = () => {
      sent = sent.then(async () => {
        const { unreadable, ...given } = await secrets.forMachine(workspace, record.owner)
        if (unreadable.length > 0) log.warn({ workspace, unreadable }, "secrets that no key opens are left out")
        // What was to go by a proxy must not go without one.
        if (unreadable.includes(PROXY)) given.proxy = NO_PROXY
        send("settings", { env: {}, ...given, certificate: await certificates.forMachine(record) })
      })
      return sent
    }
    const forget = await channel.listen(workspace, order => {
      if (order.type === "settings") sendSettings().catch(() => stream.destroy())
      else send(order.type, order.data)
    })
    const closed = new AbortController()
    ctx.req.once("close", () => closed.abort())
    stream.once("close", () => closed.abort())
    closed.signal.addEventListener("abort", forget, { once: true })
    if (ctx.req.destroyed) closed.abort()
    ctx.set({ "Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no" })
    ctx.status = 200
    ctx.body = stream
    await sendSettings()
    // After the settings: the tokens it may need are among them.
    const repository = await repositoryOrder(record)
    if (repository) send(repository.type, repository.data)
    // What was said of a stop while it was not listening.
    const { type, data } = await idleness.standing(workspace)
    send(type, data)
    await reports.connected(workspace, now())
    await channel.announce(workspace, "connected")
    void keepAlive(stream, closed.signal)
  })
  return router
}

/** Of an upgrade: is the home there that its machine goes on with? It starts once more after that. */
const hasHome = ({ carried, back, unbegun }: Operation["marks"]) =>
  [carried, back, unbegun].some(mark => mark !== undefined)

async function keepAlive(stream: PassThrough, signal: AbortSignal): Promise<void> {
  try {
    for (;;) {
      await sleep(KEEP_ALIVE_MS, undefined, { signal })
      stream.write(": here\n\n")
    }
  } catch {
    stream.end()
  }
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
