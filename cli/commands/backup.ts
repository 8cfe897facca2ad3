import type { Command } from "commander"
import { type ApiOptions, openApi, withUrl } from "../api-client.ts"
import { ListedBackups, pickBackup, showBackups } from "../backup-output.ts"
import { confirmByName } from "../find-workspace.ts"
import { printJson } from "../workspace-output.ts"

interface Options extends ApiOptions {
  json?: boolean
}

/** `foozol-cloud backup …`: all backups of a user, those of deleted workspaces too. */
export function addBackup(program: Command): void {
  const backup = program
    .command("backup")
    .description("your backups, those of deleted workspaces too: list, remove")
    .addHelpText("after", HELP)
  const add = (name: string, about: string) =>
    withUrl(backup.command(name).description(about)).option("--json", "print JSON, and nothing else")
  const list = async (options: Options) => (await openApi(options).call("GET", "/backups", ListedBackups)).backups

  add("list", "list them, newest first").action(async (options: Options) => {
    const backups = await list(options)
    if (options.json) printJson(backups)
    else showBackups(backups)
  })

  add("remove <backup>", "remove one for good, by its id or its name")
    .option("--yes", "do not ask for its name")
    .action(async (given: string, options: Options & { yes?: boolean }) => {
      const { id, name, workspace } = pickBackup(await list(options), given)
      if (!options.yes) {
        await confirmByName(
          name,
          `This removes the backup "${name}" (${id}) of ${workspace} for good.`,
          "nothing was removed",
        )
      }
      await openApi(options).raw("DELETE", `/backups/${id}`)
      if (options.json) printJson({ removed: id })
      else console.log(`${id}  removed`)
    })
}

const HELP = `
Backups of one workspace are made, listed and restored with \`foozol-cloud workspace backup\`, \`backups\` and \`restore\`.

Examples:
  foozol-cloud backup list
  foozol-cloud backup list --json | jq -r '.[] | select(.kind == "final") | .id'
  foozol-cloud backup remove "before the weekend"`
