import { text } from "node:stream/consumers"
import { type Command, Option } from "commander"
import { InfraError } from "../../infra/errors.ts"
import { TOOLS } from "../../service/conversations/report.ts"
import { ConversationsSchema } from "../../service/routes/api/conversations.ts"
import { openApi } from "../api-client.ts"
import { findWorkspace } from "../find-workspace.ts"
import { printTable } from "../print-table.ts"
import { type OutputOptions, printJson } from "../workspace-output.ts"

const STATE_WORDS = { working: "at work", waiting: "waits for you", asks: "asks you", done: "closed" }

/** `workspace agents` and `workspace prompt`: conversations with coding agents in a workspace. */
export function addWorkspaceAgents(add: (name: string, about: string) => Command): void {
  const which = "<workspace>"

  add(`agents ${which}`, "list its conversations with coding agents, newest first").action(
    async (given: string, options: OutputOptions) => {
      const api = openApi(options)
      const { id } = await findWorkspace(api, given)
      const found = await api.call("GET", `/workspaces/${id}/conversations`, ConversationsSchema)
      if (options.json) return printJson(found)
      printTable(
        ["conversation", "state", "folder", "asked", "said last"],
        found.conversations.map(one => [
          one.id ?? `(new, ${one.tool})`,
          ...[STATE_WORDS[one.state], one.folder, short(one.title), short(one.last)],
        ]),
      )
    },
  )

  add(`prompt ${which}`, "give a coding agent a prompt, which comes on standard input")
    .option("--to <conversation>", "one that `agents` lists: it waits, or is gone on with (default: a new one)")
    .addOption(new Option("--tool <tool>", "for a new one (default: claude)").choices(TOOLS))
    .action(async (given: string, { to, tool, ...options }: OutputOptions & { to?: string; tool?: string }) => {
      // Arguments can be read by everybody.
      const said = await text(process.stdin)
      if (said.trim() === "") {
        throw new InfraError(
          "no-prompt",
          "fail",
          "Give the prompt on standard input, such as: echo Go on | foozol-cloud workspace prompt …",
        )
      }
      const api = openApi(options)
      const { id } = await findWorkspace(api, given)
      const body = { text: said.trim(), ...(to ? { conversation: to } : {}), ...(tool ? { tool } : {}) }
      await api.raw("POST", `/workspaces/${id}/prompts`, { body })
      if (options.json) printJson({ prompted: to ?? null })
      else console.log(`${id}  ${to ?? "a new conversation"} has the prompt, or gets it as soon as it takes one`)
    })
}

const short = (words: string) => (words.length > 40 ? `${words.slice(0, 39)}…` : words)
