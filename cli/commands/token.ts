import { type Command, Option } from "commander"
import { z } from "zod"
import { InfraError } from "../../infra/errors.ts"
import { SCOPES } from "../../service/api-tokens/api-tokens.ts"
import { TokenSchema } from "../../service/routes/api/schemas.ts"
import { type Api, type ApiOptions, openApi, withUrl } from "../api-client.ts"
import { printTable } from "../print-table.ts"

type Token = z.output<typeof TokenSchema>
const NewToken = TokenSchema.extend({ token: z.string() })
const Listed = z.object({ tokens: z.array(TokenSchema) })

interface Options extends ApiOptions {
  json?: boolean
}
interface CreateOptions extends Options {
  name: string
  scope: string
  days: string
}

/** `foozol-cloud token …`: a user's tokens for scripts. */
export function addToken(program: Command): void {
  const token = program
    .command("token")
    .description("your tokens for scripts: create, list, revoke")
    .addHelpText("after", HELP)
  const add = (name: string, about: string) =>
    withUrl(token.command(name).description(about)).option("--json", "print JSON, and nothing else")

  add("create", "make a token; it is printed once and cannot be read again")
    .requiredOption("--name <name>", "what it is for")
    .addOption(
      new Option("--scope <scope>", "`read` looks, `write` changes, `operate` acts on what others have (operators)")
        .choices(SCOPES)
        .default("read"),
    )
    .option("--days <days>", "days after which it ends, 366 at most", "90")
    .action(async ({ name, scope, days, ...options }: CreateOptions) => {
      const body = { name, scope, days: Number(days) }
      const made = await openApi(options).call("POST", "/tokens", NewToken, { body })
      if (options.json) return console.log(JSON.stringify(made, null, 2))
      console.error(`Token "${made.name}" (${made.id}), ${made.scope}, until ${made.expiresAt}; it is not shown again:`)
      console.log(made.token)
    })

  add("list", "list your tokens, without their secrets").action(async (options: Options) => {
    const tokens = await list(openApi(options))
    if (options.json) return console.log(JSON.stringify(tokens, null, 2))
    printTable(
      ["token", "name", "scope", "ends", "last used"],
      tokens.map(one => [one.id, one.name, one.scope, one.expiresAt, one.lastUsedAt ?? "never"]),
    )
  })

  add("revoke <token>", "end a token at once, by its id or its name").action(
    async (given: string, options: Options) => {
      const api = openApi(options)
      const { id, name } = await find(api, given)
      await api.raw("DELETE", `/tokens/${encodeURIComponent(id)}`)
      if (options.json) return console.log(JSON.stringify({ revoked: id }))
      console.log(`${id}  revoked ("${name}")`)
    },
  )
}

const HELP = `
A new token is made with an old one: the first is made on your account page, FOOZOL_API_URL + /account.

Examples:
  FOOZOL_API_TOKEN=$(foozol-cloud token create --name ci --scope write --days 30)
  foozol-cloud token list
  foozol-cloud token revoke ci`

const list = async (api: Api) => (await api.call("GET", "/tokens", Listed)).tokens

/** @throws InfraError `not-found` or `ambiguous-name` */
async function find(api: Api, given: string): Promise<Token> {
  const tokens = await list(api)
  const byId = tokens.find(one => one.id === given)
  const named = tokens.filter(one => one.name === given)
  const [found] = byId ? [byId] : named
  if (!found) {
    throw new InfraError("not-found", "fail", `You have no token "${given}": \`foozol-cloud token list\` shows them.`)
  }
  if (byId || named.length === 1) return found
  throw new InfraError("ambiguous-name", "fail", `Several tokens are called "${given}": name one by its id.`)
}
