import { randomUUID } from "node:crypto"
import { z } from "zod"
import { askEnd } from "../../accounts/ask-end.ts"
import { SNAPSHOT_WISHES } from "../../accounts/endings.ts"
import { allows, SCOPES, type Scope } from "../../api-tokens/api-tokens.ts"
import { forbidden, notFound } from "../../errors.ts"
import type { Limits } from "../../middleware/limits.ts"
import type { Services } from "../../services.ts"
import type { User } from "../../users/users.ts"
import { type ApiRoute, route } from "./define.ts"
import { presentToken, TokenSchema } from "./schemas.ts"

const DAY = 24 * 3600_000

/** What a new token may be. */
export const CreateToken = z.strictObject({
  name: z.string().trim().min(1, "must not be empty").max(60, "must have at most 60 characters"),
  scope: z.enum(SCOPES).default("read"),
  days: z.int().min(1).max(366).default(90),
})

/** Makes a token for a user; it is in the answer and nowhere else. */
export function createToken({ apiTokens, now }: Services, user: string, wish: z.output<typeof CreateToken>) {
  const times = { createdAt: now(), expiresAt: now() + wish.days * DAY }
  return apiTokens.create({ id: randomUUID(), user, name: wish.name, scope: wish.scope, ...times })
}

/** @throws ServiceError `forbidden` where somebody would give more than they have */
export function requireMayGive({ operators }: Pick<Services, "operators">, user: User, has: Scope, given: Scope): void {
  if (given === "operate") operators.require(user)
  if (!allows(has, given)) throw forbidden(`A token of the scope ${has} cannot make one of the scope ${given}.`)
}

/** `/me` and `/tokens`, and the end of an account. */
export function accountRoutes(services: Services, limits: Limits): ApiRoute[] {
  return [me(), deleteAccount(services, limits), ...tokenRoutes(services, limits)]
}

function me(): ApiRoute {
  return route({
    id: "getMe",
    method: "get",
    path: "/me",
    tag: "Account",
    summary: "Who you are",
    scope: "read",
    replies: { 200: { description: "You", schema: z.object({ id: z.string(), login: z.string(), name: z.string() }) } },
    async handle({ caller: { user } }) {
      return { status: 200, body: { id: user.id, login: user.login, name: user.name } }
    },
  })
}

function deleteAccount(services: Services, limits: Limits): ApiRoute {
  return route({
    id: "deleteAccount",
    method: "delete",
    path: "/account",
    tag: "Account",
    summary: "Delete your account",
    description:
      "Ends all logins, open desktops and tokens at once, this one too; then your workspaces are deleted, and everything that is kept about you but the usage ledger. It goes on by itself. You can sign up again afterwards.",
    scope: "write",
    query: z.object({
      confirm: z.string().max(100).meta({ description: "your login name" }),
      snapshots: z
        .enum(SNAPSHOT_WISHES)
        .default("keep")
        .meta({ description: "keep: for as long as those of deleted workspaces are; remove: at once" }),
    }),
    replies: {
      202: {
        description: "Begun; nothing of yours can be asked for any more",
        schema: z.object({ state: z.literal("ending"), snapshots: z.enum(SNAPSHOT_WISHES) }),
      },
    },
    async handle({ caller: { user }, query: { confirm, snapshots } }) {
      await limits("change", user.id)
      await askEnd(services, user, { confirm, snapshots })
      return { status: 202, body: { state: "ending", snapshots } }
    },
  })
}

function tokenRoutes(services: Services, limits: Limits): ApiRoute[] {
  const { apiTokens } = services
  const NewToken = TokenSchema.extend({ token: z.string() }).meta({ id: "NewApiToken" })
  return [
    route({
      id: "listTokens",
      method: "get",
      path: "/tokens",
      tag: "Account",
      summary: "List your tokens for scripts",
      scope: "read",
      replies: { 200: { description: "The tokens", schema: z.object({ tokens: z.array(TokenSchema) }) } },
      async handle({ caller: { user } }) {
        return { status: 200, body: { tokens: (await apiTokens.listOf(user.id)).map(presentToken) } }
      },
    }),
    route({
      id: "createToken",
      method: "post",
      path: "/tokens",
      tag: "Account",
      summary: "Make a token for scripts",
      description: "The token is shown in this answer and never again.",
      scope: "write",
      body: CreateToken,
      told: ["name", "scope", "days"],
      replies: { 201: { description: "The token", schema: NewToken } },
      errors: [409],
      async handle({ caller: { user, scope }, body }) {
        await limits("token", user.id)
        requireMayGive(services, user, scope, body.scope)
        const { token, about } = await createToken(services, user.id, body)
        return { status: 201, body: { ...presentToken(about), token } }
      },
    }),
    route({
      id: "revokeToken",
      method: "delete",
      path: "/tokens/{id}",
      tag: "Account",
      summary: "Revoke a token",
      scope: "write",
      params: z.object({ id: z.string().min(1).max(64) }),
      replies: { 204: { description: "Revoked" } },
      errors: [404],
      async handle({ caller: { user }, params }) {
        if (!(await apiTokens.revoke(user.id, params.id))) throw notFound("token")
        return { status: 204 }
      },
    }),
  ]
}
