import { z } from "zod"
import { notFound } from "../../errors.ts"
import type { Limits } from "../../middleware/limits.ts"
import { SecretName, SecretValue, StoredName } from "../../secrets/rules.ts"
import type { SecretFacts } from "../../secrets/secrets.ts"
import { tellMachine, tellMachines } from "../../secrets/tell-machines.ts"
import type { Services } from "../../services.ts"
import { type ApiRoute, route } from "./define.ts"
import { WorkspaceId } from "./workspace-id.ts"

const SecretSchema = z
  .object({ name: z.string(), updatedAt: z.iso.datetime().meta({ description: "when it was last written" }) })
  .meta({ id: "Secret" })
/** What a list of secrets is; values are in none. */
export const SecretsSchema = z.object({ secrets: z.array(SecretSchema) })

const presentSecrets = (all: SecretFacts[]): z.output<typeof SecretsSchema> => ({
  secrets: all.map(({ name, updatedAt }) => ({ name, updatedAt: new Date(updatedAt).toISOString() })),
})

const LIST = {
  method: "get",
  scope: "read",
  replies: { 200: { description: "Names; values never come out again", schema: SecretsSchema } },
} as const
const PUT = {
  method: "put",
  scope: "write",
  description:
    "It is an environment variable of whatever is started from then on; machines that are on have it within a second. At most 64 secrets, of 32 KiB each and 128 KiB in all.",
  body: z.strictObject({ value: SecretValue }),
  replies: { 204: { description: "Stored" } },
} as const
const DELETE = {
  method: "delete",
  scope: "write",
  description: "What is started from then on does not have it; programs that run keep what they were started with.",
  replies: { 204: { description: "Deleted" } },
  errors: [404] as number[],
} as const

/** `/secrets` and `/workspaces/{id}/secrets`: written, listed by name, and never read. */
export function secretRoutes(services: Services, limits: Limits): ApiRoute[] {
  return [...ofUser(services, limits), ...ofWorkspace(services, limits)]
}

function ofUser(services: Services, limits: Limits): ApiRoute[] {
  const { secrets, now } = services
  const about = { tag: "Account" }
  return [
    route({
      ...{ ...LIST, ...about, id: "listSecrets", path: "/secrets", summary: "List the names of your secrets" },
      async handle({ caller: { user } }) {
        return { status: 200, body: presentSecrets(await secrets.ofUser(user.id).list()) }
      },
    }),
    route({
      ...{
        ...PUT,
        ...about,
        id: "putSecret",
        path: "/secrets/{name}",
        summary: "Store a secret for all your machines",
      },
      params: z.object({ name: SecretName }),
      errors: [404, 409],
      async handle({ caller: { user }, params: { name }, body }) {
        await limits("change", user.id)
        await secrets.ofUser(user.id).put(name, body.value, now())
        await tellMachines(services, user.id)
        return { status: 204 }
      },
    }),
    route({
      ...{ ...DELETE, ...about, id: "deleteSecret", path: "/secrets/{name}", summary: "Delete a secret" },
      params: z.object({ name: StoredName }),
      async handle({ caller: { user }, params: { name } }) {
        if (!(await secrets.ofUser(user.id).remove(name))) throw notFound("secret")
        await tellMachines(services, user.id)
        return { status: 204 }
      },
    }),
  ]
}

function ofWorkspace(services: Services, limits: Limits): ApiRoute[] {
  const { secrets, workspaces, now } = services
  const about = { tag: "Workspaces" }
  const path = "/workspaces/{id}/secrets"
  return [
    route({
      ...{ ...LIST, ...about, id: "listWorkspaceSecrets", path },
      summary: "List the names of a workspace's own secrets",
      params: WorkspaceId,
      errors: [404],
      async handle({ caller: { user }, params }) {
        const workspace = await workspaces.get(user.id, params.id)
        return { status: 200, body: presentSecrets(await secrets.ofWorkspace(workspace).list()) }
      },
    }),
    route({
      ...{ ...PUT, ...about, id: "putWorkspaceSecret", path: `${path}/{name}` },
      summary: "Store a secret for one workspace; it comes before yours of the same name",
      params: WorkspaceId.extend({ name: SecretName }),
      errors: [404, 409],
      async handle({ caller: { user }, params: { id, name }, body }) {
        await limits("change", user.id)
        await secrets.ofWorkspace(await workspaces.get(user.id, id)).put(name, body.value, now())
        await tellMachine(services, id)
        return { status: 204 }
      },
    }),
    route({
      ...{ ...DELETE, ...about, id: "deleteWorkspaceSecret", path: `${path}/{name}` },
      summary: "Delete a secret of a workspace",
      params: WorkspaceId.extend({ name: StoredName }),
      async handle({ caller: { user }, params: { id, name } }) {
        if (!(await secrets.ofWorkspace(await workspaces.get(user.id, id)).remove(name))) throw notFound("secret")
        await tellMachine(services, id)
        return { status: 204 }
      },
    }),
  ]
}
