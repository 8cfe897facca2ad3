import Router from "koa-router"
import { TOOLS } from "../../conversations/report.ts"
import { notFound, ServiceError } from "../../errors.ts"
import { makeDevContainer } from "../../machines/dev-container.ts"
import { noteForAudit } from "../../middleware/audited.ts"
import { requireLogin } from "../../middleware/caller.ts"
import type { Limits } from "../../middleware/limits.ts"
import { KEEP_SPANS, restoreHomePage, restorePage } from "../../pages/index.ts"
import { tellMachine } from "../../secrets/tell-machines.ts"
import type { Services } from "../../services.ts"
import { endShare, isShown, sharePort } from "../../shares/ports.ts"
import { SHARE_SPANS, type ShareSpan } from "../../shares/shares.ts"
import { ChangeWorkspace, HomeSource } from "../../workspaces/wishes.ts"
import { SIZE_CLASSES, STOP_MODES } from "../../workspaces/workspace.ts"
import { BackupName } from "../api/backups.ts"
import { ConversationName, PromptText, readName } from "../api/conversations.ts"
import { backupViews } from "./backup-view.ts"
import { csrfToken, type Form, type PageContext, readForm, type SignedInCaller, show } from "./forms.ts"
import { readSecret } from "./secret-form.ts"
import { showWorkspace } from "./workspace-view.ts"
import { goTo } from "./workspaces.ts"

const SPANS = Object.keys(SHARE_SPANS) as ShareSpan[]

/** The page of one workspace, with all that can be done to it. */
export function oneWorkspacePages(services: Services, limits: Limits): Router {
  const { keys, workspaces, backups, secrets, idleness, conversations, homeBackups, channel, now } = services
  const router = new Router({ prefix: "/workspaces" })

  router.get("/:id", async koa => {
    const ctx = koa as unknown as PageContext
    const caller = requireLogin(ctx)
    const workspace = await workspaces.get(caller.user.id, koa.params.id as string)
    if (workspace.state === "TERMINATED") throw notFound("workspace")
    const to = ConversationName.safeParse(ctx.query.to)
    await showWorkspace(services, ctx, caller, workspace, to.success ? { prompt: { to: to.data, text: "" } } : {})
  })

  /** A form that does something with a workspace. What cannot be done now is said on the workspace's page. */
  const form = (path: string, act: (ctx: PageContext, form: Form, id: string, name: string) => Promise<void>) =>
    router.post(`/:id/${path}`, async koa => {
      const ctx = koa as unknown as PageContext
      const sent = await readForm(services, ctx)
      const [id, { user }] = [koa.params.id as string, sent.caller]
      await limits("change", user.id)
      try {
        await act(ctx, sent, id, koa.params.name ?? "")
      } catch (error) {
        if (!(error instanceof ServiceError) || error.status !== 409) throw error
        const workspace = await workspaces.get(user.id, id)
        await showWorkspace(services, ctx, sent.caller, workspace, { notice: { tone: "error", text: error.message } })
      }
    })

  form("start", async (ctx, sent, id) => {
    const [sizeClass, region] = [oneOf(SIZE_CLASSES, sent.text("sizeClass")), sent.text("region")]
    const change = { ...(sizeClass ? { sizeClass } : {}), ...(region ? { region } : {}) }
    await goTo(ctx, workspaces.start(sent.caller.user.id, id, change))
  })
  form("stop", (ctx, sent, id) =>
    goTo(ctx, workspaces.stop(sent.caller.user.id, id, oneOf(STOP_MODES, sent.text("mode")))),
  )
  form("resize", (ctx, sent, id) => {
    const sizeClass = oneOf(SIZE_CLASSES, sent.text("sizeClass"))
    if (!sizeClass) throw new ServiceError("unknown-size", 409, "Choose one of the sizes.")
    return goTo(ctx, workspaces.resize(sent.caller.user.id, id, sizeClass))
  })
  form("move", (ctx, sent, id) => goTo(ctx, workspaces.move(sent.caller.user.id, id, sent.text("region"))))

  form("backups", async (ctx, sent, id) => {
    const { user } = sent.caller
    const name = BackupName.optional().safeParse(sent.text("name") || undefined)
    if (name.success) return goTo(ctx, workspaces.backup(user.id, id, name.data))
    const errors = { backup: "A name has at most 100 characters." }
    await showWorkspace(services, ctx, sent.caller, await workspaces.get(user.id, id), { errors })
  })

  async function askForName(ctx: PageContext, caller: SignedInCaller, id: string, snapshot: string, error?: string) {
    const workspace = await workspaces.get(caller.user.id, id)
    const [backup] = backupViews([await backups.require(caller.user.id, snapshot)], [workspace])
    if (!backup) throw notFound("backup")
    const page = { user: caller.user, csrf: csrfToken(keys, caller), workspace, backup }
    show(ctx, restorePage({ ...page, ...(error ? { error } : {}) }), error ? 422 : 200)
  }
  router.get("/:id/restore", async koa => {
    const ctx = koa as unknown as PageContext
    await askForName(ctx, requireLogin(ctx), koa.params.id as string, String(ctx.query.backup))
  })
  form("restore", async (ctx, sent, id) => {
    const { user } = sent.caller
    const { name } = await workspaces.get(user.id, id)
    const snapshot = sent.text("backup")
    if (sent.text("confirm") !== name) {
      return askForName(ctx, sent.caller, id, snapshot, "This is not the workspace's name.")
    }
    await goTo(ctx, workspaces.restore(user.id, id, snapshot))
  })

  form("home-backups", async (ctx, sent, id) => {
    await homeBackups.backUpNow(await workspaces.get(sent.caller.user.id, id))
    back(ctx, `/workspaces/${encodeURIComponent(id)}#home-backups`)
  })
  const homeSource = (workspace: unknown, backup: unknown) => {
    const source = HomeSource.safeParse({ workspace, backup })
    if (source.success) return source.data
    throw notFound("home backup")
  }
  router.get("/:id/restore-home", async koa => {
    const ctx = koa as unknown as PageContext
    const caller = requireLogin(ctx)
    const { user } = caller
    const workspace = await workspaces.get(user.id, koa.params.id as string)
    const { from, backup } = await homeBackups.requireSource(user.id, homeSource(ctx.query.from, ctx.query.backup))
    const record = await homeBackups.records.get(user.id, from)
    const found = record?.backups.find(one => one.id === backup)
    if (!found) throw notFound("home backup")
    show(ctx, restoreHomePage({ user, csrf: csrfToken(keys, caller), workspace, from, backup: found }))
  })
  form("restore-home", async (ctx, sent, id) => {
    const workspace = await workspaces.get(sent.caller.user.id, id)
    await homeBackups.restore(workspace, homeSource(sent.text("from"), sent.text("backup")))
    back(ctx, `/workspaces/${encodeURIComponent(id)}#home-backups`)
  })

  form("devcontainer", async (ctx, sent, id) => {
    const workspace = await workspaces.get(sent.caller.user.id, id)
    const devcontainer = sent.text("devcontainer")
    noteForAudit(ctx, { input: { devcontainer } })
    await makeDevContainer(channel, workspace, devcontainer)
    back(ctx, `/workspaces/${encodeURIComponent(id)}#dev-container`)
  })

  form("prompts", async (ctx, sent, id) => {
    const workspace = await workspaces.get(sent.caller.user.id, id)
    const [to, text] = [sent.text("to"), PromptText.safeParse(sent.text("text").replaceAll("\r\n", "\n"))]
    const name = ConversationName.safeParse(to)
    const tool = oneOf(TOOLS, to)
    const prompt = { to, text: sent.text("text") }
    const refuse = (error: string) =>
      showWorkspace(services, ctx, sent.caller, workspace, { prompt, errors: { prompt: error } })
    if (!text.success) return refuse(`A prompt ${text.error.issues[0]?.message}.`)
    if (!name.success && !tool) return refuse("Choose for whom it is.")
    const whom = name.success ? readName(name.data) : { tool: tool ?? "claude", conversation: null }
    try {
      await conversations.prompt(workspace, { ...whom, text: text.data })
    } catch (error) {
      // With what was written, which would be lost else.
      if (error instanceof ServiceError && error.status === 409) return refuse(error.message)
      throw error
    }
    back(ctx, `/workspaces/${encodeURIComponent(id)}#agents`)
  })

  form("rename", async (ctx, sent, id) => {
    const { user } = sent.caller
    const wish = ChangeWorkspace.safeParse({ name: sent.text("name") })
    if (!wish.success) {
      const errors = { name: `A name ${wish.error.issues[0]?.message}.` }
      return showWorkspace(services, ctx, sent.caller, await workspaces.get(user.id, id), { errors })
    }
    await workspaces.change(user.id, id, wish.data)
    back(ctx, `/workspaces/${encodeURIComponent(id)}`)
  })

  form("secrets", async (ctx, sent, id) => {
    const workspace = await workspaces.get(sent.caller.user.id, id)
    const given = readSecret(ctx, sent)
    if ("refusal" in given) {
      const notice = { tone: "error" as const, text: given.refusal }
      return showWorkspace(services, ctx, sent.caller, workspace, { notice })
    }
    await secrets.ofWorkspace(workspace).put(given.name, given.value, now())
    await tellMachine(services, id)
    back(ctx, `/workspaces/${encodeURIComponent(id)}#secrets`)
  })
  form("secrets/:name/delete", async (ctx, sent, id, name) => {
    const workspace = await workspaces.get(sent.caller.user.id, id)
    noteForAudit(ctx, { input: { name } })
    if (!(await secrets.ofWorkspace(workspace).remove(name))) throw notFound("secret")
    await tellMachine(services, id)
    back(ctx, `/workspaces/${encodeURIComponent(id)}#secrets`)
  })

  form("shares", async (ctx, sent, id) => {
    const workspace = await workspaces.get(sent.caller.user.id, id)
    const [port, span] = [Number(sent.text("port")), oneOf(SPANS, sent.text("for"))]
    if (!isShown(port) || !span) throw new ServiceError("unknown-share", 409, "Choose a port and for how long.")
    noteForAudit(ctx, { input: { port, for: span } })
    const { share, url } = await sharePort(services, workspace, port, span)
    await showWorkspace(services, ctx, sent.caller, workspace, { shared: { port, url, endsAt: share.endsAt } })
  })
  form("shares/:name/end", async (ctx, sent, id, name) => {
    const workspace = await workspaces.get(sent.caller.user.id, id)
    noteForAudit(ctx, { input: { share: name } })
    // One that has ended by itself is ended all the same.
    await endShare(services, workspace.id, name)
    back(ctx, `/workspaces/${encodeURIComponent(id)}#ports`)
  })

  /** Changes how long a workspace stays on, and leads back to where the form was. */
  const stays = (path: string, read: (form: Form) => ChangeWorkspace) =>
    form(path, async (ctx, sent, given) => {
      const { id } = await workspaces.change(sent.caller.user.id, given, read(sent))
      // A click on it is a visit: a stop that was planned is called off at once.
      await idleness.visited(id)
      back(ctx, sent.text("back") === "workspace" ? `/workspaces/${encodeURIComponent(id)}` : "/")
    })
  stays("keep-on", sent => {
    const [hours] = KEEP_SPANS.find(([hours]) => String(hours) === sent.text("hours")) ?? []
    return { keepOnUntil: hours === undefined ? null : new Date(now() + hours * 3_600_000).toISOString() }
  })
  stays("auto-stop", sent => ({ autoStop: sent.text("on") === "true" }))
  return router
}

function back(ctx: PageContext, path: string): void {
  ctx.redirect(path)
  ctx.status = 303
}

const oneOf = <T extends string>(all: readonly T[], text: string): T | undefined => all.find(one => one === text)
