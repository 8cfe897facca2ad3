import { z } from "zod"
import type { Conversations } from "../../conversations/follow.ts"
import { CONVERSATION_STATES, MOST_PROMPT, TOOLS } from "../../conversations/report.ts"
import { notFound } from "../../errors.ts"
import type { Limits } from "../../middleware/limits.ts"
import type { Services } from "../../services.ts"
import { type ApiRoute, route } from "./define.ts"
import { WorkspaceId } from "./workspace-id.ts"

const ConversationSchema = z
  .object({
    id: z.string().nullable().meta({ description: "by which it is prompted; null: nothing was said in it yet" }),
    tool: z.enum(TOOLS),
    folder: z.string().meta({ description: "in which its agent works" }),
    title: z.string().meta({ description: "what was asked first, shortened and without secrets" }),
    last: z.string().meta({ description: "the last line that was said, likewise" }),
    at: z.iso.datetime().meta({ description: "when something was said last" }),
    state: z.enum(CONVERSATION_STATES).meta({
      description:
        "working: it goes on by itself; waiting: for a prompt; asks: something that is answered in its terminal; done: no program has it open, and a prompt goes on with it",
    }),
    inTerminal: z.boolean().meta({ description: "it is open in a terminal of the workspace" }),
    prompted: z.boolean().meta({ description: "a prompt is given to it as soon as it takes one" }),
  })
  .meta({ id: "Conversation", description: "With a coding agent, as its workspace's machine tells of it" })

export const ConversationsSchema = z.object({
  reportedAt: z.iso
    .datetime()
    .nullable()
    .meta({ description: "when its machine told of them last; null: not in a day" }),
  tools: z.array(z.enum(TOOLS)).meta({ description: "coding agents that are installed" }),
  conversations: z.array(ConversationSchema),
})
export const AllConversationsSchema = z.object({
  conversations: z.array(ConversationSchema.extend({ workspace: z.string() })),
})

/** The name of a conversation towards people and programs. */
export const conversationName = (tool: string, id: string) => `${tool}:${id}`
export const ConversationName = z
  .string()
  .regex(/^(claude|codex|gemini):[\w-]{8,64}$/, "must be the id of a conversation, such as claude:4f62f5b2-…")

/** Which agent a prompt is for. */
export const readName = (name: string) => {
  const [tool, conversation] = name.split(":") as [(typeof TOOLS)[number], string]
  return { tool, conversation }
}

export const PromptText = z
  .string()
  .max(MOST_PROMPT, `may have at most ${MOST_PROMPT} characters`)
  .refine(text => text.trim() !== "", "must not be empty")

const Prompt = z
  .strictObject({
    text: PromptText.meta({ description: "what it shall do; lines may end" }),
    conversation: ConversationName.optional().meta({ description: "to go on with; a new one begins without" }),
    tool: z.enum(TOOLS).optional().meta({ description: "for a new one (default: claude)" }),
  })
  .refine(({ conversation, tool }) => conversation === undefined || tool === undefined, {
    message: "give a conversation or a tool, not both",
  })

function present(found: Conversations | null): z.output<typeof ConversationsSchema> {
  if (!found) return { reportedAt: null, tools: [], conversations: [] }
  return {
    reportedAt: new Date(found.reportedAt).toISOString(),
    tools: found.tools,
    conversations: found.conversations.map(one => ({
      id: one.id === null ? null : conversationName(one.tool, one.id),
      ...{ tool: one.tool, folder: one.folder, title: one.title, last: one.last, state: one.state },
      ...{ at: new Date(one.at).toISOString(), inTerminal: one.isInTerminal, prompted: one.hasPrompt },
    })),
  }
}

/** `/conversations`: with coding agents in workspaces, told of to their owner alone; and prompts for them. */
export function conversationRoutes({ workspaces, conversations }: Services, limits: Limits): ApiRoute[] {
  const about = { tag: "Agents", scope: "read" as const }
  /** An operator's token, too, is one of a person with workspaces of their own. */
  async function own(user: string, id: string) {
    const workspace = await workspaces.get(user, id)
    if (workspace.state === "TERMINATED") throw notFound("workspace")
    return workspace
  }
  return [
    route({
      ...{ ...about, id: "listConversations", method: "get", path: "/conversations" },
      summary: "List conversations with coding agents in all your workspaces",
      replies: { 200: { description: "Those of each workspace, newest first", schema: AllConversationsSchema } },
      async handle({ caller }) {
        const all = await Promise.all(
          (await workspaces.listOf(caller.user.id)).map(async one =>
            present(await conversations.of(one)).conversations.map(its => ({ ...its, workspace: one.id })),
          ),
        )
        return { status: 200, body: { conversations: all.flat() } }
      },
    }),
    route({
      ...{ ...about, id: "listWorkspaceConversations", method: "get", path: "/workspaces/{id}/conversations" },
      summary: "List the conversations with coding agents in a workspace",
      description: "As its machine told of them last, newest first; kept for a day.",
      params: WorkspaceId,
      replies: { 200: { description: "The conversations", schema: ConversationsSchema } },
      errors: [404],
      async handle({ caller, params }) {
        return { status: 200, body: present(await conversations.of(await own(caller.user.id, params.id))) }
      },
    }),
    route({
      ...{ ...about, scope: "write", id: "promptAgent", method: "post", path: "/workspaces/{id}/prompts" },
      summary: "Give a coding agent a prompt",
      description:
        "Typed into the terminal of a conversation that waits; one that is done is gone on with, and without one a new one begins, in a terminal of its own. A new agent may ask whether to trust its folder first: it has the prompt when that is answered in its terminal.",
      params: WorkspaceId,
      body: Prompt,
      told: ["conversation", "tool"],
      replies: { 204: { description: "It has the prompt, or gets it as soon as it takes one" } },
      errors: [404, 409],
      async handle({ caller: { user }, params, body }) {
        await limits("change", user.id)
        const { text, conversation, tool = "claude" } = body
        const to = conversation === undefined ? { tool, conversation: null } : readName(conversation)
        await conversations.prompt(await own(user.id, params.id), { text, ...to })
        return { status: 204 }
      },
    }),
  ]
}
