import { createInterface } from "node:readline"
import { z } from "zod"
import { InfraError } from "../infra/errors.ts"
import { WorkspaceSchema } from "../service/routes/api/schemas.ts"
import type { Api } from "./api-client.ts"
import type { ApiWorkspace } from "./workspace-output.ts"

const Listed = z.object({ workspaces: z.array(WorkspaceSchema) })

/** All of the user's workspaces. */
export const listWorkspaces = async (api: Api): Promise<ApiWorkspace[]> =>
  (await api.call("GET", "/workspaces", Listed)).workspaces

/** The user's workspace of this id or name. @throws InfraError `not-found` or `ambiguous-name` */
export async function findWorkspace(api: Api, given: string): Promise<ApiWorkspace> {
  const workspaces = await listWorkspaces(api)
  const byId = workspaces.find(one => one.id === given)
  const named = workspaces.filter(one => one.name === given)
  const [found] = byId ? [byId] : named
  if (!found) {
    throw new InfraError(
      "not-found",
      "fail",
      `You have no workspace "${given}": \`foozol-cloud workspace list\` shows those you have.`,
    )
  }
  if (byId || named.length === 1) return found
  const ids = named.map(one => one.id).join(", ")
  throw new InfraError(
    "ambiguous-name",
    "fail",
    `Several workspaces are called "${given}": name one by its id (${ids}).`,
  )
}

/**
 * Says what is about to happen and wants a name typed.
 * @throws InfraError `not-confirmed` with what was not done, unless it is
 */
export async function confirmByName(name: string, what: string, otherwise: string): Promise<void> {
  process.stderr.write(`${what}\nType its name to go on: `)
  const lines = createInterface({ input: process.stdin })
  const typed = await new Promise<string>(resolve => lines.once("line", resolve).once("close", () => resolve("")))
  lines.close()
  if (typed.trim() === name) return
  throw new InfraError("not-confirmed", "fail", `That is not its name: ${otherwise} (--yes does not ask).`)
}
