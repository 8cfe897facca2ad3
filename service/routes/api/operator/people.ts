import { z } from "zod"
import { forbidden, ServiceError } from "../../../errors.ts"
import { noteForAudit } from "../../../middleware/audited.ts"
import type { Person } from "../../../operators/people.ts"
import type { Services } from "../../../services.ts"
import { type ApiRoute, route } from "../define.ts"
import { PersonSchema, presentPerson } from "./schemas.ts"

const Given = z.object({ user: z.string().min(1).max(60).meta({ description: "id or login name" }) })
/** Users in a list at most. */
const LISTED = 1000

export const SuspendWish = z.strictObject({
  why: z.string().trim().max(200).default(""),
  keepRunning: z.boolean().default(false).meta({ description: "their workspaces stay on" }),
})

/** @throws ServiceError `not-found` */
export async function requirePerson({ people }: Pick<Services, "people">, given: string): Promise<Person> {
  const found = await people.find(given)
  if (found) return found
  throw new ServiceError("not-found", 404, "There is no such user.")
}

/** @throws ServiceError `forbidden` for an operator, oneself among them */
export function refuseOperators({ operators }: Pick<Services, "operators">, person: Person): void {
  if (operators.has(person)) {
    throw forbidden("This is an operator: take them off FOOZOL_OPERATORS first.")
  }
}

/** `/operator/users`: who there is, and who may not use the service for now. */
export function operatorPeopleRoutes(services: Services): ApiRoute[] {
  const { people, suspensions, now } = services
  const about = { tag: "Operators", forOperators: true } as const
  const replies = { 200: { description: "The user", schema: PersonSchema } }
  return [
    route({
      ...{ ...about, id: "operatorListUsers", method: "get", path: "/operator/users", scope: "read" },
      summary: "Find users",
      query: z.object({
        search: z.string().max(60).optional().meta({ description: "part of id, login name or name" }),
        suspended: z.enum(["true", "false"]).optional(),
      }),
      replies: {
        200: { description: "The first thousand", schema: z.object({ users: z.array(PersonSchema), total: z.int() }) },
      },
      async handle({ query: { search = "", suspended } }) {
        const part = search.toLowerCase()
        const found = (await people.all()).filter(
          ({ id, login, name, ...one }) =>
            [id, login, name].some(text => text.toLowerCase().includes(part)) &&
            (suspended === undefined || String(one.suspended !== null) === suspended),
        )
        return { status: 200, body: { users: found.slice(0, LISTED).map(presentPerson), total: found.length } }
      },
    }),
    route({
      ...{ ...about, id: "operatorGetUser", method: "get", path: "/operator/users/{user}", scope: "read", replies },
      summary: "Get a user",
      params: Given,
      errors: [404],
      async handle({ params, ctx }) {
        const person = await requirePerson(services, params.user)
        noteForAudit(ctx, { user: person.id })
        return { status: 200, body: presentPerson(person) }
      },
    }),
    route({
      ...{
        ...about,
        id: "suspendUser",
        method: "post",
        path: "/operator/users/{user}/suspend",
        scope: "write",
        replies,
      },
      summary: "Suspend a user",
      description:
        "Ends their logins, tokens and open desktops at once, keeps them out, and stops their workspaces. Nothing of theirs is deleted.",
      params: Given,
      body: SuspendWish,
      errors: [404],
      async handle({ caller, params, body, ctx }) {
        const person = await requirePerson(services, params.user)
        noteForAudit(ctx, { user: person.id })
        refuseOperators(services, person)
        const suspension = { at: now(), by: caller.user.id, ...body }
        return { status: 200, body: presentPerson(await suspensions.suspend(person.id, suspension)) }
      },
    }),
    route({
      ...{ ...about, id: "resumeUser", method: "post", path: "/operator/users/{user}/resume", scope: "write", replies },
      summary: "Let a suspended user in again",
      description: "Their workspaces stay off until somebody starts them; tokens must be made anew.",
      params: Given,
      errors: [404, 409],
      async handle({ params, ctx }) {
        const person = await requirePerson(services, params.user)
        noteForAudit(ctx, { user: person.id })
        return { status: 200, body: presentPerson(await suspensions.resume(person.id)) }
      },
    }),
  ]
}
