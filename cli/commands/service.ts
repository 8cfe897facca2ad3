import type { Command } from "commander"
import { Settings } from "../../service/settings.ts"
import { printTable } from "../print-table.ts"
import { checkService } from "../service-check.ts"
import { serviceEnvironment } from "../service-settings.ts"
import { addServiceBackup } from "./service-backup.ts"

/** One setting of the service, as people read it. */
export interface SettingRow {
  name: string
  meaning: string
  /** Its default; `required` where there is none, empty where it may be left out. */
  byDefault: string
}

/** `foozol-cloud service …`: the service on a server. */
export function addService(program: Command): void {
  const service = program
    .command("service")
    .description("the service: pages, API and operations")
    .addHelpText("after", HELP)

  service
    .command("run")
    .description("run it in the foreground, with the engine that `npm run setup` set up on this machine")
    .action(async () => {
      Object.assign(process.env, serviceEnvironment())
      await import("../../service/main.ts")
    })

  service
    .command("check")
    .description("look whether the service's data is safe: Redis, folders, secret, format; changes nothing")
    .option("--json", "print JSON")
    .action(async ({ json }: { json?: boolean }) => {
      const found = await checkService()
      if (json) console.log(JSON.stringify(found, null, 2))
      else
        printTable(
          ["part", "state", ""],
          found.map(({ part, state, says }) => [part, state, says]),
        )
      if (found.some(({ state }) => state === "wrong")) process.exitCode = 1
    })

  addServiceBackup(service)

  service
    .command("settings")
    .description("list every setting with its meaning and default")
    .option("--json", "print JSON")
    .option("--markdown", "print it as README has it")
    .action(({ json, markdown }: { json?: boolean; markdown?: boolean }) => {
      const rows = settingRows()
      if (json) return console.log(JSON.stringify(rows, null, 2))
      if (markdown) return console.log(settingsMarkdown(rows))
      printTable(
        ["setting", "default", "meaning"],
        rows.map(({ name, byDefault, meaning }) => [name, byDefault, meaning]),
      )
    })
}

const HELP = `
Settings are environment variables, or lines of \`.env\` in the folder it is run in. Redis is yours to run, append-only.

Examples:
  foozol-cloud service settings
  FOOZOL_ROLES=web foozol-cloud service run
  FOOZOL_ROLES=worker FOOZOL_ENGINE_CHILDREN=4 foozol-cloud service run`

/** Every setting, out of the definition that the service itself reads them with. */
export function settingRows(): SettingRow[] {
  return Object.entries(Settings.shape).map(([name, schema]) => {
    const unset = schema.safeParse(undefined)
    const value = unset.success ? (unset.data as unknown) : "required"
    const byDefault = Array.isArray(value) ? value.join(", ") : String(value ?? "")
    return { name, meaning: schema.description ?? "", byDefault }
  })
}

/** The settings as a table of README. */
export function settingsMarkdown(rows: SettingRow[]): string {
  const lines = rows.map(
    ({ name, meaning, byDefault }) =>
      `| \`${name}\` | ${meaning.replaceAll("|", "\\|")} | ${byDefault && byDefault !== "required" ? `\`${byDefault}\`` : byDefault} |`,
  )
  return ["| variable | meaning | default |", "|---|---|---|", ...lines].join("\n")
}
