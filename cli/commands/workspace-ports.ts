import { type Command, Option } from "commander"
import { InfraError } from "../../infra/errors.ts"
import { PortsSchema, SharedSchema } from "../../service/routes/api/ports.ts"
import { SHARE_SPANS } from "../../service/shares/shares.ts"
import { openApi } from "../api-client.ts"
import { findWorkspace } from "../find-workspace.ts"
import { printTable } from "../print-table.ts"
import { type OutputOptions, printJson } from "../workspace-output.ts"

/** `workspace ports`, `share` and `unshare`: web servers in a workspace, and who else may see them. */
export function addWorkspacePorts(add: (name: string, about: string) => Command): void {
  const which = "<workspace>"

  add(`ports ${which}`, "list the web servers that listen in it, and the links by which others see them").action(
    async (given: string, options: OutputOptions) => {
      const api = openApi(options)
      const { id } = await findWorkspace(api, given)
      const found = await api.call("GET", `/workspaces/${id}/ports`, PortsSchema)
      if (options.json) return printJson(found)
      printTable(
        ["port", "program", "open it at"],
        found.ports.map(one => [String(one.port), one.program, one.url]),
      )
      if (found.shares.length === 0) return
      console.log()
      printTable(
        ["share", "port", "ends", "visits"],
        found.shares.map(one => [one.id, String(one.port), one.endsAt, String(one.visits)]),
      )
    },
  )

  add(`share ${which} <port>`, "make a link by which others see one port of it for a while")
    .addOption(
      new Option("--for <span>", "how long, unless it stops before").choices(Object.keys(SHARE_SPANS)).default("hour"),
    )
    .action(async (given: string, port: string, { for: span, ...options }: OutputOptions & { for: string }) => {
      if (!/^\d{4,5}$/.test(port)) throw new InfraError("no-port", "fail", "Name a port from 1024 up, such as 3000.")
      const api = openApi(options)
      const { id } = await findWorkspace(api, given)
      const made = await api.call("POST", `/workspaces/${id}/ports/${port}/shares`, SharedSchema, {
        body: { for: span },
      })
      if (options.json) return printJson(made)
      console.log(made.url)
      console.log(`Whoever has this link sees port ${port} until ${made.share.endsAt}. It is not shown again.`)
    })

  add(`unshare ${which} <share>`, "end a share that `ports` lists").action(
    async (given: string, share: string, options: OutputOptions) => {
      const api = openApi(options)
      const { id } = await findWorkspace(api, given)
      await api.raw("DELETE", `/workspaces/${id}/shares/${encodeURIComponent(share)}`)
      if (options.json) printJson({ ended: share })
      else console.log(`${id}  the share ${share} has ended`)
    },
  )
}
