import { text } from "node:stream/consumers"
import type { Command } from "commander"
import { InfraError } from "../../infra/errors.ts"
import { SecretsSchema } from "../../service/routes/api/secrets.ts"
import { type Api, type ApiOptions, openApi, withUrl } from "../api-client.ts"
import { findWorkspace } from "../find-workspace.ts"
import { printTable } from "../print-table.ts"

interface Options extends ApiOptions {
  workspace?: string
  json?: boolean
}

/** `foozol-cloud secrets set|list|remove`: what a user's machines are given as environment, through the service's API. */
export function addUserSecrets(secrets: Command): void {
  const add = (name: string, about: string) =>
    withUrl(secrets.command(name).description(about))
      .option(
        "--workspace <workspace>",
        "those of one workspace alone, by its id or its name (default: of all of yours)",
      )
      .option("--json", "print JSON, and nothing else")

  add("set <name>", "store one, whose value comes on standard input")
    .addHelpText("after", HELP)
    .action(async (name: string, options: Options) => {
      // Arguments can be read by everybody, so there is no other way.
      const value = await readValue()
      const api = openApi(options)
      const path = await pathOf(api, options)
      await api.raw("PUT", `${path}/${encodeURIComponent(name)}`, { body: { value } })
      say(options, { set: name }, `${name}  stored; what is started from now on has it`)
    })

  add("list", "list their names, and when each was written; values cannot be read").action(async (options: Options) => {
    const api = openApi(options)
    const { secrets } = await api.call("GET", await pathOf(api, options), SecretsSchema)
    if (options.json) return console.log(JSON.stringify(secrets, null, 2))
    printTable(
      ["name", "written"],
      secrets.map(one => [one.name, one.updatedAt]),
    )
  })

  add("remove <name>", "remove one: what is started from then on does not have it").action(
    async (name: string, options: Options) => {
      const api = openApi(options)
      await api.raw("DELETE", `${await pathOf(api, options)}/${encodeURIComponent(name)}`)
      say(options, { removed: name }, `${name}  removed; programs that run keep what they were started with`)
    },
  )
}

const HELP = `
The line feed at the end of what comes is left out.

Examples:
  read -rs KEY && printf %s "$KEY" | foozol-cloud secrets set ANTHROPIC_API_KEY
  foozol-cloud secrets set DEPLOY_KEY --workspace "My desk" < id_ed25519`

const pathOf = async (api: Api, { workspace }: Options) =>
  workspace === undefined ? "/secrets" : `/workspaces/${(await findWorkspace(api, workspace)).id}/secrets`

/** @throws InfraError `no-value` at a terminal, where it would be seen, and where nothing comes */
async function readValue(): Promise<string> {
  const value = process.stdin.isTTY ? "" : (await text(process.stdin)).replace(/\r?\n$/, "")
  if (value !== "") return value
  throw new InfraError(
    "no-value",
    "fail",
    "Give the value on standard input, where nobody sees it: `foozol-cloud secrets set NAME < FILE`.",
  )
}

function say({ json }: Options, result: object, words: string): void {
  console.log(json ? JSON.stringify(result) : words)
}
