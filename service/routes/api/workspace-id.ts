import { z } from "zod"

/** The parameter of every path below a workspace. */
export const WorkspaceId = z.object({
  id: z.string().min(1).max(40).meta({ description: "id of the workspace", example: "calm-otter-4f7k2d" }),
})
