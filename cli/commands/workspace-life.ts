import { type Command, Option } from "commander"
import { z } from "zod"
import { ActivitySchema } from "../../service/routes/api/activity.ts"
import { OperationSchema, WorkspaceSchema } from "../../service/routes/api/schemas.ts"
import { SIZE_CLASSES } from "../../service/workspaces/workspace.ts"
import { openApi } from "../api-client.ts"
import { backupsOf, pickBackup, showBackups } from "../backup-output.ts"
import { confirmByName, findWorkspace } from "../find-workspace.ts"
import { followOperation } from "../follow-operation.ts"
import { finish, type OutputOptions, printJson, Started, usageRows } from "../workspace-output.ts"

const Begun = z.object({ operation: OperationSchema })
const NO_WAIT = ["--no-wait", "return as soon as it is begun"] as const

/** What changes a workspace between its creation and its end: backups, size, region, name; and why it is on. */
export function addWorkspaceLife(add: (name: string, about: string) => Command): void {
  const which = "<workspace>"

  add(`activity ${which}`, "why it is on and when it will stop, with every sign of use").action(
    async (given: string, options: OutputOptions) => {
      const api = openApi(options)
      const { id } = await findWorkspace(api, given)
      const activity = await api.call("GET", `/workspaces/${id}/activity`, ActivitySchema)
      if (options.json) return printJson(activity)
      if (activity.verdict === "off") return console.log(activity.text)
      for (const [label, value] of usageRows(activity)) console.log(`${label.padEnd(12)}  ${value}`)
    },
  )

  add(`backup ${which}`, "back it up now, while it works")
    .option("--name <name>", "what you call the backup; it is kept until you remove it")
    .option(...NO_WAIT)
    .action(async (given: string, { name, ...options }: OutputOptions & { name?: string }) => {
      const api = openApi(options)
      const { id } = await findWorkspace(api, given)
      const body = name === undefined ? {} : { name }
      const begun = await api.call("POST", `/workspaces/${id}/backups`, Begun, { body })
      if (options.wait === false) {
        if (options.json) printJson(begun)
        else console.log(`${id}  ${begun.operation.state}`)
        return
      }
      const operation = await followOperation(api, begun.operation)
      const [backup] = (await backupsOf(api, id)).filter(one => one.kind === "backup")
      if (options.json) printJson({ backup: backup ?? null, operation })
      else console.log(`${backup?.id}  ${backup?.name}`)
    })

  add(`backups ${which}`, "list its backups, newest first").action(async (given: string, options: OutputOptions) => {
    const api = openApi(options)
    const backups = await backupsOf(api, (await findWorkspace(api, given)).id)
    if (options.json) printJson(backups)
    else showBackups(backups)
  })

  add(`restore ${which} <backup>`, "put a backup (its id or name) in its place; how it is now is kept as a snapshot")
    .option("--yes", "do not ask for its name")
    .option(...NO_WAIT)
    .action(async (given: string, wanted: string, options: OutputOptions & { yes?: boolean }) => {
      const api = openApi(options)
      const { id, name } = await findWorkspace(api, given)
      const backup = pickBackup(await backupsOf(api, id), wanted)
      if (!options.yes) {
        const what = `This makes "${name}" what it was in "${backup.name}" of ${backup.createdAt}; how it is now is kept as a snapshot for 7 days.`
        await confirmByName(name, what, "nothing was restored")
      }
      const body = { backup: backup.id }
      await finish(api, await api.call("POST", `/workspaces/${id}/restore`, Started, { body }), options)
    })

  add(`resize ${which}`, "give it another size; its disk stays, and it runs afterwards")
    .addOption(new Option("--size <size>", "how large it is to be").choices(SIZE_CLASSES).makeOptionMandatory())
    .option(...NO_WAIT)
    .action(async (given: string, { size, ...options }: OutputOptions & { size: string }) => {
      const api = openApi(options)
      const { id } = await findWorkspace(api, given)
      const body = { sizeClass: size }
      await finish(api, await api.call("POST", `/workspaces/${id}/resize`, Started, { body }), options)
    })

  add(`move ${which}`, "move it to another region with its disk; it runs afterwards")
    .requiredOption("--region <region>", "where it is to be")
    .option(...NO_WAIT)
    .action(async (given: string, { region, ...options }: OutputOptions & { region: string }) => {
      const api = openApi(options)
      const { id } = await findWorkspace(api, given)
      await finish(api, await api.call("POST", `/workspaces/${id}/move`, Started, { body: { region } }), options)
    })

  add(`rename ${which} <name>`, "call it something else; its id and its address stay").action(
    async (given: string, name: string, options: OutputOptions) => {
      const api = openApi(options)
      const { id } = await findWorkspace(api, given)
      const found = await api.call("PATCH", `/workspaces/${id}`, WorkspaceSchema, { body: { name } })
      if (options.json) printJson(found)
      else console.log(`${id}  ${found.name}`)
    },
  )
}
