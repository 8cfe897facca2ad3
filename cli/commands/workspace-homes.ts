import { setTimeout as wait } from "node:timers/promises"
import type { Command } from "commander"
import type { z } from "zod"
import { InfraError } from "../../infra/errors.ts"
import { AllHomeBackups, HomeBackupsSchema } from "../../service/routes/api/home-backups.ts"
import { type Api, openApi } from "../api-client.ts"
import { confirmByName, findWorkspace } from "../find-workspace.ts"
import { printTable } from "../print-table.ts"
import { type OutputOptions, printJson } from "../workspace-output.ts"

type HomeBackups = z.output<typeof HomeBackupsSchema>

/** Between two looks at how far it is. */
const LOOK_MS = 1_000
const NO_WAIT = ["--no-wait", "return as soon as it is begun"] as const

/** `workspace home-backup`, `home-backups` and `restore-home`: encrypted copies of homes in the operator's storage. */
export function addWorkspaceHomes(add: (name: string, about: string) => Command): void {
  const which = "<workspace>"

  add(`home-backup ${which}`, "back its home up now, encrypted, to the operator's storage")
    .option(...NO_WAIT)
    .action(async (given: string, options: OutputOptions) => {
      const api = openApi(options)
      const { id } = await findWorkspace(api, given)
      const begun = await api.call("POST", `/workspaces/${id}/home-backups`, HomeBackupsSchema)
      await show(options.wait === false ? begun : await ended(api, begun), options)
    })

  add("home-backups [workspace]", "list home backups: of one workspace, or of all, deleted ones too").action(
    async (given: string | undefined, options: OutputOptions) => {
      const api = openApi(options)
      if (given !== undefined) {
        const { id } = await findWorkspace(api, given)
        return show(await api.call("GET", `/workspaces/${id}/home-backups`, HomeBackupsSchema), options)
      }
      const { homeBackups } = await api.call("GET", "/home-backups", AllHomeBackups)
      if (options.json) printJson(homeBackups)
      else table(homeBackups)
    },
  )

  add(`restore-home ${which} [backup]`, "put a home backup (its id; the newest if missing) over its home")
    .option("--from <workspace>", "id of the workspace whose home it is, which may be deleted (default: itself)")
    .option("--yes", "do not ask for its name")
    .option(...NO_WAIT)
    .action(
      async (given: string, backup: string | undefined, options: OutputOptions & { from?: string; yes?: boolean }) => {
        const api = openApi(options)
        const { id, name } = await findWorkspace(api, given)
        if (!options.yes) {
          const what = `This puts files of a home backup over those of the same name in "${name}"; other files stay.`
          await confirmByName(name, what, "nothing was restored")
        }
        const body = { workspace: options.from ?? id, ...(backup ? { backup } : {}) }
        const begun = await api.call("POST", `/workspaces/${id}/restore-home`, HomeBackupsSchema, { body })
        await show(options.wait === false ? begun : await ended(api, begun), options)
      },
    )

  add(`remove-home-backups ${which}`, "remove all home backups of one, by its id, for good; it may be deleted by now")
    .option("--yes", "do not ask for its id")
    .action(async (id: string, options: OutputOptions & { yes?: boolean }) => {
      if (!options.yes) {
        await confirmByName(id, `This removes all home backups of ${id} for good.`, "nothing was removed")
      }
      await openApi(options).raw("DELETE", `/home-backups/${encodeURIComponent(id)}`)
      if (options.json) printJson({ removed: id })
      else console.log(`${id}  its home backups are removed`)
    })
}

/** @throws InfraError `home-work-failed` */
async function ended(api: Api, begun: HomeBackups): Promise<HomeBackups> {
  for (let now = begun; ; ) {
    if (now.underWay === null) {
      if (now.failure === null) return now
      throw new InfraError("home-work-failed", "fail", now.failure.message)
    }
    await wait(LOOK_MS)
    now = await api.call("GET", `/workspaces/${begun.workspace}/home-backups`, HomeBackupsSchema)
  }
}

async function show(found: HomeBackups, options: OutputOptions): Promise<void> {
  if (options.json) return printJson(found)
  table([found])
  const { underWay, failure, proof, storedBytes } = found
  if (underWay) console.log(`under way: ${underWay.do}${underWay.percent === null ? "" : `, ${underWay.percent} %`}`)
  if (failure) console.log(`the newest ${failure.do} has failed: ${failure.message}`)
  if (proof) console.log(proof.passed ? `last proven restore: ${proof.at}` : `does not restore: ${proof.detail ?? ""}`)
  if (storedBytes !== null) console.log(`in the storage: ${megabytes(storedBytes)}`)
}

const table = (all: HomeBackups[]) =>
  printTable(
    ["backup", "workspace", "made", "size", "files", "kept until"],
    all.flatMap(({ workspace, backups, keepUntil }) =>
      backups.map(one => [
        ...[one.id, workspace, one.createdAt, one.bytes === null ? "" : megabytes(one.bytes)],
        ...[one.files === null ? "" : String(one.files), keepUntil ?? ""],
      ]),
    ),
  )

const megabytes = (bytes: number) => `${(bytes / 1024 ** 2).toFixed(1)} MB`
