import { z } from "zod"
import type { Activity } from "../service/routes/api/activity.ts"
import { OperationSchema, WorkspaceSchema } from "../service/routes/api/schemas.ts"
import type { Api, ApiOptions } from "./api-client.ts"
import { followOperation } from "./follow-operation.ts"

export type ApiWorkspace = z.output<typeof WorkspaceSchema>
/** What the API answers when it has begun something. */
export const Started = z.object({ workspace: WorkspaceSchema, operation: OperationSchema })

export interface OutputOptions extends ApiOptions {
  json?: boolean
  /** False: return as soon as it is begun. */
  wait?: boolean
}

/** Follows what was begun to its end, then shows the workspace. */
export async function finish(api: Api, begun: z.output<typeof Started>, options: OutputOptions): Promise<void> {
  const { id } = begun.workspace
  if (options.wait === false) {
    if (options.json) printJson(begun)
    else console.log(`${id}  ${begun.workspace.state}`)
    return
  }
  const operation = await followOperation(api, begun.operation)
  if (operation.kind === "destroy") {
    if (options.json) return printJson({ workspace: { ...begun.workspace, state: "TERMINATED" }, operation })
    return console.log(`${id}  deleted`)
  }
  const workspace = await api.call("GET", `/workspaces/${id}`, WorkspaceSchema)
  if (options.json) return printJson({ workspace, operation })
  const isOn = workspace.state === "RUNNING" || workspace.state === "IDLE"
  console.log([id, workspace.state, ...(isOn ? [bookmarkOf(api, workspace)] : [])].join("  "))
}

/** A repository and how far its machine is with it. */
function fetchWords({ url, branch, state, percent, into, reason }: NonNullable<ApiWorkspace["repository"]>): string {
  const what = branch === null ? url : `${url} (${branch})`
  const how = [
    ...[state, ...(percent === null ? [] : [`${percent} %`]), ...(into === null ? [] : [`into ~/${into}`])],
    ...(reason === null ? [] : [`: ${reason}`]),
  ]
  return `${what}, ${how.join(" ").replace(" :", ":")}`
}

/** How far a repository's dev container is. */
export const containerWords = ({ state, config, reason }: NonNullable<Container>): string =>
  [state, ...(config === null ? [] : [config]), ...(reason === null ? [] : [reason.split("\n", 1)[0]])].join("  ")
type Container = NonNullable<ApiWorkspace["repository"]>["container"]

/** Prints all there is to say about a workspace, and why it is on. */
export function showWorkspace(api: Api, workspace: ApiWorkspace, activity: Activity | null): void {
  const { id, name, state, since, profile, size, region, createdAt, failure, repository } = workspace
  const rows = [
    ...[
      ["workspace", id],
      ["name", name],
      ["state", since ? `${state} since ${since}` : state],
      ["profile", profile],
      ["repository", repository === null ? "" : fetchWords(repository)],
      ["container", repository?.container ? containerWords(repository.container) : ""],
    ],
    ...[
      ["size", size],
      ["region", region],
      ["per month", priceOf(workspace)],
      ["created", createdAt],
    ],
    ...[
      ["desktop", bookmarkOf(api, workspace)],
      ["failure", failure?.message ?? ""],
    ],
    ...usageRows(activity),
  ].filter(([, value]) => value !== "")
  const width = Math.max(...rows.map(([label = ""]) => label.length))
  for (const [label = "", value] of rows) console.log(`${label.padEnd(width)}  ${value}`)
}

/** How a workspace is used, as rows of label and words; none where it does not run. */
export function usageRows(activity: Activity | null): [string, string][] {
  if (!activity || activity.verdict === "off") return []
  const signs = activity.signals.filter(({ lastAt }) => lastAt !== null)
  return [
    ["use", activity.verdict],
    ["", activity.text],
    ...signs.map(({ signal, lastAt, until }): [string, string] => {
      return [`  ${signal}`, `last ${lastAt}${until === null ? ", does not count" : `, counts until ${until}`}`]
    }),
  ]
}

/** What of a workspace has a page of its own beside the desktop. */
export const PAGES = ["terminal", "files", "agents"] as const

/** The address that always leads to a workspace's desktop, or to another page of it, by way of sign-in and waking. */
export const bookmarkOf = ({ site }: Api, { id }: ApiWorkspace, page?: (typeof PAGES)[number]) =>
  `${site}/connect?workspace=${id}${page === undefined ? "" : `&to=${page}`}`

export const priceOf = ({ price }: ApiWorkspace) => (price ? `${price.monthly.toFixed(2)} ${price.currency}` : "")

export const printJson = (value: unknown) => console.log(JSON.stringify(value, null, 2))
