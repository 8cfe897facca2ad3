import { z } from "zod"
import { notFound } from "../../errors.ts"
import { makeDevContainer } from "../../machines/dev-container.ts"
import type { Limits } from "../../middleware/limits.ts"
import type { Services } from "../../services.ts"
import { type ApiRoute, route } from "./define.ts"
import { WorkspaceId } from "./workspace-id.ts"

const Wish = z.strictObject({
  devcontainer: z.string().max(300).optional().meta({
    description:
      "of several, the devcontainer.json that is meant: one of the workspace's `choices`; the same again if missing",
    example: ".devcontainer/python/devcontainer.json",
  }),
})

/** The dev container of a workspace's repository: another one, or the same anew. */
export function devContainerRoutes({ workspaces, channel }: Services, limits: Limits): ApiRoute[] {
  return [
    route({
      id: "makeDevContainer",
      method: "post",
      path: "/workspaces/{id}/devcontainer",
      tag: "Workspaces",
      summary: "Make the dev container of a workspace's repository",
      description:
        "The one that is named, or the same again, as its files say now; what was changed in the one before is lost, except in the repository and the home's folders of coding agents. How far it is stands in the workspace's `repository.container`.",
      scope: "write",
      params: WorkspaceId,
      body: Wish,
      told: ["devcontainer"],
      replies: { 204: { description: "It is being made" } },
      errors: [404, 409],
      async handle({ caller: { user }, params: { id }, body }) {
        await limits("change", user.id)
        const workspace = await workspaces.get(user.id, id)
        if (workspace.state === "TERMINATED") throw notFound("workspace")
        await makeDevContainer(channel, workspace, body.devcontainer ?? "")
        return { status: 204 }
      },
    }),
  ]
}
