import Router from "koa-router"
import { requireLogin } from "../../middleware/caller.ts"
import type { Limits } from "../../middleware/limits.ts"
import { askForEmail, setWebhook } from "../../notifications/channels.ts"
import { CHOOSABLE } from "../../notifications/kinds.ts"
import { EmailAddress } from "../../notifications/mail.ts"
import { CHANNELS, type Choices } from "../../notifications/preferences.ts"
import { webhookUrl } from "../../notifications/webhook.ts"
import { type NotificationsModel, notificationsPage } from "../../pages/index.ts"
import type { Services } from "../../services.ts"
import { csrfToken, type PageContext, readForm, type SignedInCaller, show } from "./forms.ts"

/** The page on which a user chooses where notifications go. */
export function notificationPages(services: Services, limits: Limits): Router {
  const { keys, preferences, deliveries, mailer, notify, config } = services
  const router = new Router({ prefix: "/account/notifications" })

  async function showPage(
    ctx: PageContext,
    caller: SignedInCaller,
    more: Pick<NotificationsModel, "newSecret" | "errors" | "notice"> = {},
  ): Promise<void> {
    const { user } = caller
    const [chosen, failures] = await Promise.all([preferences.get(user.id), deliveries.failuresOf(user.id)])
    const { email, webhook } = chosen
    const page = notificationsPage({
      ...{ user, csrf: csrfToken(keys, caller), sendsMail: mailer !== null, email, webhook, failures },
      kinds: CHOOSABLE.map(kind => ({ kind, channels: chosen.kinds[kind] })),
      ...more,
    })
    show(ctx, page, more.errors ? 422 : 200)
  }
  const back = (ctx: PageContext) => {
    ctx.redirect("/account/notifications")
    ctx.status = 303
  }

  router.get("/", async koa => {
    const ctx = koa as unknown as PageContext
    await showPage(ctx, requireLogin(ctx))
  })

  // The link in a mail. What it proves is that whoever is signed in reads that mailbox; a mail program that looks at
  // links beforehand is not signed in.
  router.get("/confirm", async koa => {
    const ctx = koa as unknown as PageContext
    const caller = requireLogin(ctx)
    const isRight = await preferences.confirmEmail(caller.user.id, String(ctx.query.code ?? ""))
    await showPage(ctx, caller, {
      notice: isRight
        ? { tone: "ok", text: "The address is confirmed: your mails go there." }
        : { tone: "error", text: "This link is for another address, or for somebody else: save the address again." },
    })
  })

  router.post("/email", async koa => {
    const ctx = koa as unknown as PageContext
    const form = await readForm(services, ctx)
    const address = EmailAddress.safeParse(form.text("address"))
    if (!address.success) return showPage(ctx, form.caller, { errors: { address: "This is no e-mail address." } })
    await limits("mail", form.caller.user.id)
    await askForEmail(services, form.caller.user, address.data)
    back(ctx)
  })

  router.post("/webhook", async koa => {
    const ctx = koa as unknown as PageContext
    const form = await readForm(services, ctx)
    const url = webhookUrl(config.url).safeParse(form.text("url"))
    if (!url.success) {
      return showPage(ctx, form.caller, { errors: { url: `It ${url.error.issues[0]?.message}.` } })
    }
    await limits("change", form.caller.user.id)
    const newSecret = await setWebhook(services, form.caller.user.id, url.data)
    await showPage(ctx, form.caller, { newSecret })
  })

  for (const [path, clear] of [
    ["/email/delete", preferences.clearEmail],
    ["/webhook/delete", preferences.clearWebhook],
  ] as const) {
    router.post(path, async koa => {
      const ctx = koa as unknown as PageContext
      const { caller } = await readForm(services, ctx)
      await clear(caller.user.id)
      back(ctx)
    })
  }

  router.post("/kinds", async koa => {
    const ctx = koa as unknown as PageContext
    const form = await readForm(services, ctx)
    await limits("change", form.caller.user.id)
    // Boxes that are not ticked are not sent: what is missing is not wanted.
    const chosen = CHOOSABLE.map(kind => [kind, CHANNELS.filter(channel => form.all(kind).includes(channel))])
    await preferences.choose(form.caller.user.id, Object.fromEntries(chosen) as Choices)
    back(ctx)
  })

  router.post("/test", async koa => {
    const ctx = koa as unknown as PageContext
    const { caller } = await readForm(services, ctx)
    await limits("mail", caller.user.id)
    await notify(caller.user.id, "test", {})
    await showPage(ctx, caller, { notice: { tone: "ok", text: "It is on its way to every channel that is set up." } })
  })
  return router
}
