import Router from "koa-router"
import { askEnd } from "../../accounts/ask-end.ts"
import { notFound, ServiceError } from "../../errors.ts"
import { endLogin } from "../../logins/end-login.ts"
import { noteForAudit } from "../../middleware/audited.ts"
import { loginCookie, requireLogin } from "../../middleware/caller.ts"
import type { Limits } from "../../middleware/limits.ts"
import { type AccountModel, accountPage, deleteAccountPage } from "../../pages/index.ts"
import { tellMachines } from "../../secrets/tell-machines.ts"
import type { Services } from "../../services.ts"
import { CreateToken, createToken, requireMayGive } from "../api/account.ts"
import { csrfToken, type PageContext, readForm, type SignedInCaller, show } from "./forms.ts"
import { readSecret } from "./secret-form.ts"

/** The account page: logins, tokens for scripts, secrets; signing out, and the end of it all. */
export function accountPages(services: Services, limits: Limits): Router {
  const { keys, logins, apiTokens, secrets, workspaces, backups, config, now } = services
  const cookie = loginCookie(config.url)
  const router = new Router()

  async function showAccount(
    ctx: PageContext,
    caller: SignedInCaller,
    more: Pick<AccountModel, "newToken" | "notice"> = {},
  ): Promise<void> {
    const { user, login } = caller
    const [all, tokens, known] = await Promise.all([
      logins.listOf(user.id),
      apiTokens.listOf(user.id),
      secrets.ofUser(user.id).list(),
    ])
    const shown = all.map(({ hash, createdAt, lastSeenAt, userAgent }) => ({
      ...{ id: hash.slice(0, 16), createdAt, lastSeenAt, userAgent, current: hash === login.hash },
    }))
    const page = accountPage({ user, csrf: csrfToken(keys, caller), logins: shown, tokens, secrets: known, ...more })
    show(ctx, page, more.notice?.tone === "error" ? 422 : 200)
  }

  const back = (ctx: PageContext) => {
    ctx.redirect("/account")
    ctx.status = 303
  }

  router.get("/account", async koa => {
    const ctx = koa as unknown as PageContext
    await showAccount(ctx, requireLogin(ctx))
  })

  router.post("/account/tokens", async koa => {
    const ctx = koa as unknown as PageContext
    const form = await readForm(services, ctx)
    await limits("token", form.caller.user.id)
    const wish = CreateToken.safeParse({
      name: form.text("name"),
      scope: form.text("scope") || undefined,
      days: form.text("days") === "" ? undefined : Number(form.text("days")),
    })
    if (!wish.success) {
      const issue = wish.error.issues[0]
      const text = `The token was not made: ${issue?.path.join(".")} ${issue?.message}.`
      return showAccount(ctx, form.caller, { notice: { tone: "error", text } })
    }
    requireMayGive(services, form.caller.user, form.caller.scope, wish.data.scope)
    const { token } = await createToken(services, form.caller.user.id, wish.data)
    await showAccount(ctx, form.caller, { newToken: token })
  })

  router.post("/account/tokens/:id/revoke", async koa => {
    const ctx = koa as unknown as PageContext
    const { caller } = await readForm(services, ctx)
    if (!(await apiTokens.revoke(caller.user.id, koa.params.id as string))) throw notFound("token")
    back(ctx)
  })

  router.post("/account/secrets", async koa => {
    const ctx = koa as unknown as PageContext
    const form = await readForm(services, ctx)
    await limits("change", form.caller.user.id)
    const { user } = form.caller
    const refused = (text: string) => showAccount(ctx, form.caller, { notice: { tone: "error", text } })
    const given = readSecret(ctx, form)
    if ("refusal" in given) return refused(given.refusal)
    try {
      await secrets.ofUser(user.id).put(given.name, given.value, now())
    } catch (error) {
      if (!(error instanceof ServiceError) || error.status !== 409) throw error
      return refused(error.message)
    }
    await tellMachines(services, user.id)
    back(ctx)
  })

  router.post("/account/secrets/:name/delete", async koa => {
    const ctx = koa as unknown as PageContext
    const { caller } = await readForm(services, ctx)
    const name = koa.params.name as string
    noteForAudit(ctx, { input: { name } })
    if (!(await secrets.ofUser(caller.user.id).remove(name))) throw notFound("secret")
    await tellMachines(services, caller.user.id)
    back(ctx)
  })

  async function showDeletion(ctx: PageContext, caller: SignedInCaller, error?: string): Promise<void> {
    const { user } = caller
    const [all, found] = await Promise.all([workspaces.listOf(user.id), backups.ofUser(user.id).catch(() => null)])
    const page = deleteAccountPage({
      ...{ user, csrf: csrfToken(keys, caller), keptDays: config.finalSnapshotDays },
      ...{ workspaces: all.map(one => one.name), snapshots: found?.length ?? null, ...(error ? { error } : {}) },
    })
    show(ctx, page, error ? 422 : 200)
  }
  router.get("/account/delete", async koa => {
    const ctx = koa as unknown as PageContext
    await showDeletion(ctx, requireLogin(ctx))
  })
  router.post("/account/delete", async koa => {
    const ctx = koa as unknown as PageContext
    const form = await readForm(services, ctx)
    await limits("change", form.caller.user.id)
    const snapshots = form.text("snapshots") === "remove" ? "remove" : "keep"
    try {
      await askEnd(services, form.caller.user, { confirm: form.text("confirm"), snapshots })
    } catch (error) {
      if (!(error instanceof ServiceError) || error.id !== "not-confirmed") throw error
      return showDeletion(ctx, form.caller, "This is not your login name.")
    }
    ctx.cookies.set(cookie.name, null, { ...cookie.options, maxAge: 0 })
    ctx.redirect("/?account-ends=1")
    ctx.status = 303
  })

  const signOut = (everywhere: boolean) => async (koa: unknown) => {
    const ctx = koa as PageContext
    const { caller } = await readForm(services, ctx).catch(error => {
      // Whose login has ended meanwhile is signed out already.
      if (error instanceof ServiceError && error.id === "signed-out") return { caller: null }
      throw error
    })
    if (caller) {
      const ended = everywhere ? await logins.listOf(caller.user.id) : [caller.login]
      await Promise.all(ended.map(login => endLogin(services, login)))
    }
    ctx.cookies.set(cookie.name, null, { ...cookie.options, maxAge: 0 })
    ctx.redirect("/?signed-out=1")
    ctx.status = 303
  }
  router.post("/sign-out", signOut(false))
  router.post("/sign-out-everywhere", signOut(true))
  return router
}
