import { z } from "zod"
import type { Limits } from "../../middleware/limits.ts"
import { askForEmail, setWebhook } from "../../notifications/channels.ts"
import { CHOOSABLE } from "../../notifications/kinds.ts"
import { EmailAddress } from "../../notifications/mail.ts"
import { CHANNELS, type Choices } from "../../notifications/preferences.ts"
import { webhookUrl } from "../../notifications/webhook.ts"
import type { Services } from "../../services.ts"
import { type ApiRoute, route } from "./define.ts"

const Channels = z.array(z.enum(CHANNELS)).max(CHANNELS.length)
/** Kinds with the channels they go through; those left out stay as they are. */
export const ChoicesWish = z.strictObject(Object.fromEntries(CHOOSABLE.map(kind => [kind, Channels.optional()])))

const PreferencesSchema = z
  .object({
    email: z.object({ address: z.string(), confirmed: z.boolean() }).nullable(),
    webhook: z.object({ url: z.string() }).nullable(),
    kinds: z.object(Object.fromEntries(CHOOSABLE.map(kind => [kind, z.array(z.enum(CHANNELS))]))),
    failures: z
      .array(
        z.object({
          id: z.string(),
          kind: z.string(),
          channel: z.enum(CHANNELS),
          at: z.iso.datetime(),
          givenUpAt: z.iso.datetime(),
          reason: z.string(),
        }),
      )
      .meta({ description: "what could not be delivered for a day and was given up, newest first" }),
  })
  .meta({ id: "NotificationPreferences" })

/** `/notifications`: what is told, and where it goes. */
export function notificationRoutes(services: Services, limits: Limits): ApiRoute[] {
  const { preferences, deliveries, notify, config } = services
  const tag = "Notifications"
  const replies = { 200: { description: "What goes where", schema: PreferencesSchema } }

  async function answer(user: string) {
    const [chosen, failures] = await Promise.all([preferences.get(user), deliveries.failuresOf(user)])
    const shown = failures.map(one => ({ ...one, at: iso(one.at), givenUpAt: iso(one.givenUpAt) }))
    return { status: 200, body: { ...chosen, failures: shown } satisfies z.input<typeof PreferencesSchema> }
  }

  const get = route({
    id: "getNotifications",
    method: "get",
    path: "/notifications",
    tag,
    summary: "Get where your notifications go",
    scope: "read",
    replies,
    handle: ({ caller }) => answer(caller.user.id),
  })

  const choose = route({
    id: "putNotificationKinds",
    method: "put",
    path: "/notifications/kinds",
    tag,
    summary: "Choose which kinds go where",
    scope: "write",
    body: ChoicesWish,
    replies,
    async handle({ caller: { user }, body }) {
      await limits("change", user.id)
      const given = Object.entries(body).flatMap(([kind, channels]) =>
        channels ? [[kind, [...new Set(channels)]]] : [],
      )
      await preferences.choose(user.id, Object.fromEntries(given) as Partial<Choices>)
      return answer(user.id)
    },
  })

  const email = route({
    id: "putNotificationEmail",
    method: "put",
    path: "/notifications/email",
    tag,
    summary: "Set the address mails go to",
    description: "A link is sent there; no other mail is until you have opened it, signed in.",
    scope: "write",
    body: z.strictObject({ address: EmailAddress }),
    replies,
    errors: [409],
    async handle({ caller: { user }, body }) {
      await limits("mail", user.id)
      await askForEmail(services, user, body.address)
      return answer(user.id)
    },
  })

  const webhook = route({
    id: "putNotificationWebhook",
    method: "put",
    path: "/notifications/webhook",
    tag,
    summary: "Set a webhook",
    description:
      "It is sent JSON by POST, signed as the Standard Webhooks are (`webhook-id`, `webhook-timestamp`, `webhook-signature`). The secret is new each time, and shown in this answer only.",
    scope: "write",
    body: z.strictObject({ url: webhookUrl(config.url) }),
    replies: { 200: { description: "The secret", schema: z.object({ url: z.string(), secret: z.string() }) } },
    async handle({ caller: { user }, body }) {
      await limits("change", user.id)
      return { status: 200, body: { url: body.url, secret: await setWebhook(services, user.id, body.url) } }
    },
  })

  const remove = (what: "Email" | "Webhook", summary: string) =>
    route({
      id: `deleteNotification${what}`,
      method: "delete",
      path: `/notifications/${what.toLowerCase()}`,
      tag,
      summary,
      scope: "write",
      replies,
      async handle({ caller: { user } }) {
        await preferences[`clear${what}`](user.id)
        return answer(user.id)
      },
    })

  const test = route({
    id: "testNotifications",
    method: "post",
    path: "/notifications/test",
    tag,
    summary: "Send yourself a notification, through every channel that is set up",
    scope: "write",
    replies: { 202: { description: "It is on its way", schema: z.object({ id: z.string() }) } },
    async handle({ caller: { user } }) {
      await limits("mail", user.id)
      return { status: 202, body: { id: await notify(user.id, "test", {}) } }
    },
  })
  return [
    get,
    choose,
    email,
    remove("Email", "Forget the address mails go to"),
    webhook,
    remove("Webhook", "Forget the webhook"),
    test,
  ]
}

const iso = (ms: number) => new Date(ms).toISOString()
