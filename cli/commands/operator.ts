import type { Command } from "commander"
import { z } from "zod"
import { PersonSchema } from "../../service/routes/api/operator/schemas.ts"
import { DrainSchema, SweepSchema } from "../../service/routes/api/operator/upkeep.ts"
import { type ApiOptions, openApi, withUrl } from "../api-client.ts"
import { confirmTyped } from "../confirm.ts"
import { printTable } from "../print-table.ts"

interface Options extends ApiOptions {
  json?: boolean
  dryRun?: boolean
  yes?: boolean
}
type Person = z.output<typeof PersonSchema>

const printJson = (value: unknown) => console.log(JSON.stringify(value, null, 2))
const path = (user: string) => `/operator/users/${encodeURIComponent(user)}`
const NEEDS = "\nFor operators: FOOZOL_API_URL, and in FOOZOL_API_TOKEN a token of the scope operate."

/** What operators do with the whole of a service: users, sweep, draining. */
export function addOperator(program: Command): void {
  addUser(program)
  addSweep(program)
  addDrain(program)
}

function addUser(program: Command): void {
  const user = program.command("user").description("users of the service, for operators").addHelpText("after", NEEDS)
  const add = (name: string, about: string) =>
    withUrl(user.command(name).description(about)).option("--json", "print JSON, and nothing else")

  add("list", "find users")
    .option("--search <text>", "those with this part in id or name")
    .option("--suspended", "those who are suspended")
    .action(async ({ search, suspended, json, ...options }: Options & { search?: string; suspended?: boolean }) => {
      const query = new URLSearchParams({ ...(search ? { search } : {}), ...(suspended ? { suspended: "true" } : {}) })
      const Listed = z.object({ users: z.array(PersonSchema), total: z.number() })
      const { users } = await openApi(options).call("GET", `/operator/users?${query}`, Listed)
      if (json) return printJson(users)
      printTable(
        ["user", "login", "workspaces", "last sign-in", ""],
        users.map(one => [one.id, one.login, String(one.workspaces), one.lastSignInAt ?? "", standing(one)]),
      )
    })

  add("suspend <user>", "end a user's access at once, keep them out and stop their workspaces; nothing is deleted")
    .option("--why <text>", "why, for whoever asks later", "")
    .option("--keep-running", "their workspaces stay on")
    .option("--dry-run", "only say what would be done")
    .option("--yes", "do not ask")
    .action(async (given: string, options: Options & { why: string; keepRunning?: boolean }) => {
      const api = openApi(options)
      const person = await api.call("GET", path(given), PersonSchema)
      const { keepRunning = false, why, json } = options
      const what = `This ends all access of ${person.login} (${person.id})${keepRunning ? "" : `, and stops ${person.workspaces} workspaces`}.`
      if (options.dryRun) return json ? printJson({ would: "suspend", user: person }) : console.log(what)
      await confirmTyped(what, person.login, options)
      show(await api.call("POST", `${path(person.id)}/suspend`, PersonSchema, { body: { why, keepRunning } }), options)
    })

  add("resume <user>", "let a suspended user in again").action(async (given: string, options: Options) =>
    show(await openApi(options).call("POST", `${path(given)}/resume`, PersonSchema), options),
  )
}

const standing = ({ suspended, ending }: Person) => (ending ? "ending" : suspended ? `suspended: ${suspended.why}` : "")

function show(person: Person, { json }: Options): void {
  if (json) printJson(person)
  else console.log(`${person.id}  ${person.login}  ${person.suspended ? "suspended" : "not suspended"}`)
}

function addSweep(program: Command): void {
  withUrl(program.command("sweep").description("remove what no workspace has any more at the provider"))
    .addHelpText("after", NEEDS)
    .option("--dry-run", "only say what would go, and why the rest stays")
    .option("--yes", "do not ask")
    .option("--json", "print JSON, and nothing else")
    .action(async (options: Options) => {
      const api = openApi(options)
      const look = () => api.call("GET", "/operator/sweep", SweepSchema)
      if (!options.dryRun && !options.yes) {
        const { resources } = await look()
        const count = resources.filter(one => one.verdict === "would-go").length
        await confirmTyped(`This removes ${count} resources without a workspace at the provider.`, "sweep", options)
      }
      const found = options.dryRun ? await look() : await api.call("POST", "/operator/sweep", SweepSchema)
      if (options.json) return printJson(found)
      console.log(`${found.held} resources at the provider, ${found.resources.length} without a workspace`)
      if (found.resources.length === 0) return
      printTable(
        ["workspace", "type", "id", "", "until"],
        found.resources.map(one => [one.workspace, one.type, one.id, one.verdict, one.until ?? ""]),
      )
    })
}

interface DrainOptions extends Options {
  worker?: string
  host?: string
  why?: string
  status?: boolean
  wait?: boolean
}

const targetOf = ({ worker, host }: DrainOptions) => (worker ? `worker:${worker}` : host ? `host:${host}` : "all")

const isAmong = ({ id, host }: { id: string; host: string }, targets: readonly string[]) =>
  targets.some(one => one === "all" || one === `worker:${id}` || one === `host:${host}`)

function addDrain(program: Command): void {
  const add = (name: string, about: string) =>
    withUrl(program.command(name).description(about))
      .addHelpText("after", NEEDS)
      .option("--worker <id>", "only this worker, as `drain --status` names it")
      .option("--host <name>", "only the workers of this host")
      .option("--json", "print JSON, and nothing else")

  add("drain", "let workers take no new operations; what is under way ends, pages and API go on")
    .option("--why <text>", "why, for whoever looks", "")
    .option("--wait", "return when no operation is under way any more")
    .option("--status", "only say who drains, and what the workers are at")
    .option("--dry-run", "only say who would drain")
    .action(async (options: DrainOptions) => {
      const api = openApi(options)
      const look = () => api.call("GET", "/operator/drain", DrainSchema)
      const target = targetOf(options)
      const isMeant = (one: { id: string; host: string }) => isAmong(one, [target])
      if (options.status) return showDrain(await look(), options)
      if (options.dryRun) {
        const found = await look()
        return showDrain({ ...found, workers: found.workers.filter(isMeant) }, options)
      }
      const body = { target, why: options.why ?? "" }
      let found = await api.call("POST", "/operator/drain", DrainSchema, { body })
      const isAtWork = () => found.workers.some(one => isMeant(one) && (one.active > 0 || !one.draining))
      while (options.wait && isAtWork()) {
        await new Promise(resolve => setTimeout(resolve, 1_000))
        found = await look()
      }
      showDrain(found, options)
    })

  add("undrain", "let workers take operations again").action(async (options: DrainOptions) => {
    const api = openApi(options)
    const query = new URLSearchParams({ target: targetOf(options) })
    let found = await api.call("DELETE", `/operator/drain?${query}`, DrainSchema)
    const haveHeard = () => {
      const targets = found.orders.map(one => one.target)
      return found.workers.every(one => one.draining === isAmong(one, targets))
    }
    // They hear of it within a second or two; one that says nothing for ten is gone.
    for (let looks = 0; looks < 15 && !haveHeard(); looks++) {
      await new Promise(resolve => setTimeout(resolve, 1_000))
      found = await api.call("GET", "/operator/drain", DrainSchema)
    }
    showDrain(found, options)
  })
}

function showDrain({ orders, workers }: z.output<typeof DrainSchema>, { json }: Options): void {
  if (json) {
    printJson({ orders, workers })
    return
  }
  for (const { target, by, why, at } of orders)
    console.log(`${target} drains since ${at}, by ${by}${why && `: ${why}`}`)
  printTable(
    ["worker", "since", "under way", ""],
    workers.map(one => [one.id, one.since, String(one.active), one.draining ? "drains" : "takes operations"]),
  )
}
