import { randomUUID } from "node:crypto"
import { type Command, Option } from "commander"
import { InfraError } from "../../infra/errors.ts"
import { ActivitySchema } from "../../service/routes/api/activity.ts"
import { WorkspaceSchema } from "../../service/routes/api/schemas.ts"
import { SIZE_CLASSES, STOP_MODES } from "../../service/workspaces/workspace.ts"
import { openApi, withUrl } from "../api-client.ts"
import { confirmByName, findWorkspace, listWorkspaces } from "../find-workspace.ts"
import { openInBrowser } from "../open-in-browser.ts"
import { printTable } from "../print-table.ts"
import {
  bookmarkOf,
  finish,
  type OutputOptions,
  PAGES,
  priceOf,
  printJson,
  Started,
  showWorkspace,
} from "../workspace-output.ts"
import { type WishOptions, wishOf, withWish } from "../workspace-wish.ts"
import { addUpgrade } from "./upgrade.ts"
import { addWorkspaceAgents } from "./workspace-agents.ts"
import { addWorkspaceContainer } from "./workspace-container.ts"
import { addWorkspaceHomes } from "./workspace-homes.ts"
import { addWorkspaceLife } from "./workspace-life.ts"
import { addWorkspacePorts } from "./workspace-ports.ts"
import { addWorkspaceTimes } from "./workspace-times.ts"

interface KeepOptions extends OutputOptions {
  for?: string
  autoStop?: "yes" | "no"
}

const SPANS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** What `keep` asks for. @throws InfraError `bad-span` or `nothing-to-do` */
function keepingOf({ for: span, autoStop }: KeepOptions, now = Date.now()): object {
  if (span === undefined && autoStop === undefined) {
    throw new InfraError("nothing-to-do", "fail", "Say for how long (--for 8h), or --auto-stop yes or no.")
  }
  const [, amount, unit = ""] = /^(\d{1,4})([mhd])$/.exec(span ?? "") ?? []
  if (span !== undefined && span !== "0" && amount === undefined) {
    throw new InfraError(
      "bad-span",
      "fail",
      `"${span}" is no span: give minutes, hours or days, such as 90m, 8h or 2d.`,
    )
  }
  const ms = Number(amount ?? 0) * (SPANS[unit] ?? 0)
  const until = ms > 0 ? new Date(now + ms).toISOString() : null
  return {
    ...(span === undefined ? {} : { keepOnUntil: until }),
    ...(autoStop === undefined ? {} : { autoStop: autoStop === "yes" }),
  }
}

/** `foozol-cloud workspace …`: a user's workspaces, through the service's API. */
export function addWorkspace(program: Command): void {
  const workspace = program
    .command("workspace")
    .description("your workspaces: create, open, stop and start, back up, resize, move, delete")
    .addHelpText("after", HELP)
  const add = (name: string, about: string) =>
    withUrl(workspace.command(name).description(about)).option("--json", "print JSON, and nothing else")
  const which = "<workspace>"
  const noWait = ["--no-wait", "return as soon as it is begun"] as const

  add("list", "list your workspaces").action(async (options: OutputOptions) => {
    const workspaces = await listWorkspaces(openApi(options))
    if (options.json) return printJson(workspaces)
    printTable(
      ["workspace", "name", "state", "size", "region", "per month"],
      workspaces.map(one => [one.id, one.name, one.state, one.size, one.region, priceOf(one)]),
    )
  })

  add(`show ${which}`, "show one, by its id or its name").action(async (given: string, options: OutputOptions) => {
    const api = openApi(options)
    const found = await findWorkspace(api, given)
    // Of a workspace that only the provider's labels tell of, the service knows nothing else.
    const activity = found.recorded ? await api.call("GET", `/workspaces/${found.id}/activity`, ActivitySchema) : null
    if (options.json) printJson({ ...found, activity })
    else showWorkspace(api, found, activity)
  })

  add(`keep ${which}`, "keep it on for a time, used or not; or say whether it is stopped by itself")
    .option("--for <span>", "how long, such as 8h, 90m or 2d; 0 ends it")
    .addOption(new Option("--auto-stop <yes|no>", "stop it by itself when idle").choices(["yes", "no"]))
    .action(async (given: string, options: KeepOptions) => {
      const api = openApi(options)
      const body = keepingOf(options)
      const { id } = await findWorkspace(api, given)
      const found = await api.call("PATCH", `/workspaces/${id}`, WorkspaceSchema, { body })
      if (options.json) return printJson(found)
      const until = found.keepOnUntil ? `kept on until ${found.keepOnUntil}` : "not kept on"
      const how = found.autoStop === null ? "" : found.autoStop ? ", stopped when idle" : ", not stopped by itself"
      console.log(`${id}  ${until}${how}`)
    })

  withWish(
    add("create", "create one and wait until its desktop is ready")
      .option("--repository <address>", "git repository that its machine fetches when it is new")
      .option("--home <workspace>", "id of a workspace, which may be deleted, whose newest home backup it begins with"),
  )
    .option("--idempotency-key <key>", "the same key again answers the same workspace (default: a new one)")
    .option(...noWait)
    .action(async (options: WishOptions & { idempotencyKey?: string }) => {
      const api = openApi(options)
      const headers = { "idempotency-key": options.idempotencyKey ?? randomUUID() }
      const body = wishOf(options)
      await finish(api, await api.call("POST", "/workspaces", Started, { headers, body }), options)
    })

  add(`open ${which}`, "print the address of its desktop, and open it where there is a display; it wakes if it is off")
    .option("--print", "only print it")
    .addOption(new Option("--to <page>", "not the desktop, but its terminals, files or coding agents").choices(PAGES))
    .action(async (given: string, options: OutputOptions & { print?: boolean; to?: (typeof PAGES)[number] }) => {
      const api = openApi(options)
      const url = bookmarkOf(api, await findWorkspace(api, given), options.to)
      if (options.json) printJson({ url })
      else console.log(url)
      if (!options.json && !options.print) openInBrowser(url)
    })

  add(`stop ${which}`, "stop it; its disk stays")
    .addOption(
      new Option(
        "--mode <mode>",
        "power-off keeps its machine, hibernate puts it away into a snapshot (default: as the service is set)",
      ).choices(STOP_MODES),
    )
    .option(...noWait)
    .action(async (given: string, { mode, ...options }: OutputOptions & { mode?: string }) => {
      const api = openApi(options)
      const { id } = await findWorkspace(api, given)
      const path = `/workspaces/${id}/stop${mode === undefined ? "" : `?mode=${mode}`}`
      await finish(api, await api.call("POST", path, Started), options)
    })

  add(`start ${which}`, "switch its machine on, or wake it, and wait until its desktop is ready")
    .addOption(new Option("--size <size>", "with another size, where its own is sold out").choices(SIZE_CLASSES))
    .option("--region <region>", "in another region")
    .option(...noWait)
    .action(async (given: string, { size, region, ...options }: OutputOptions & { size?: string; region?: string }) => {
      const api = openApi(options)
      const { id } = await findWorkspace(api, given)
      const query = new URLSearchParams({ ...(size ? { sizeClass: size } : {}), ...(region ? { region } : {}) })
      await finish(api, await api.call("POST", `/workspaces/${id}/start?${query}`, Started), options)
    })

  addWorkspaceLife(add)
  addWorkspaceAgents(add)
  addWorkspacePorts(add)
  addWorkspaceContainer(add)
  addWorkspaceHomes(add)
  addWorkspaceTimes(add)
  addUpgrade(add("upgrade", "bring one, or everybody's in waves, to the newest image"), findWorkspace)

  add(`delete ${which}`, "delete it with its machine and disk; a last snapshot may be kept for a while")
    .option("--yes", "do not ask for its name")
    .option(...noWait)
    .action(async (given: string, options: OutputOptions & { yes?: boolean }) => {
      const api = openApi(options)
      const found = await findWorkspace(api, given)
      const { id, name } = found
      if (!options.yes) {
        const what = `This deletes ${name === id ? id : `"${name}" (${id})`} with its machine and disk. Its last snapshot, if the service keeps one, is shown by \`foozol-cloud backup list\`.`
        await confirmByName(name, what, "nothing was deleted")
      }
      await finish(api, await api.call("DELETE", `/workspaces/${id}`, Started), options)
    })
}

const HELP = `
FOOZOL_API_URL is the address of the service, FOOZOL_API_TOKEN a token of yours: the first one is made on your
account page, more with \`foozol-cloud token create\`. Workspaces are named by their id or their name.

Examples:
  export FOOZOL_API_URL=https://cloud.example.com
  read -rs FOOZOL_API_TOKEN && export FOOZOL_API_TOKEN
  foozol-cloud workspace create --name "My desk" --size small --secret ANTHROPIC_API_KEY
  foozol-cloud workspace create --repository https://github.com/owner/name --branch main --secret GITHUB_TOKEN
  foozol-cloud workspace devcontainer "My desk" --choose .devcontainer/python/devcontainer.json
  foozol-cloud workspace list --json | jq -r '.[] | select(.state == "RUNNING") | .id'
  foozol-cloud workspace open "My desk"
  foozol-cloud workspace keep "My desk" --for 8h
  foozol-cloud workspace agents "My desk"
  echo "Fix the failing test" | foozol-cloud workspace prompt "My desk" --tool codex
  foozol-cloud workspace times "My desk"
  foozol-cloud workspace stop "My desk" --mode hibernate --no-wait
  foozol-cloud workspace backup "My desk" --name "before the weekend"
  foozol-cloud workspace restore "My desk" "before the weekend"
  foozol-cloud workspace resize "My desk" --size medium
  foozol-cloud workspace move "My desk" --region hel1
  foozol-cloud workspace rename "My desk" Bench
  foozol-cloud workspace delete "My desk" --yes`
