import type { z } from "zod"
import { DossierSchema } from "../../service/routes/api/operator/schemas.ts"
import type { Api } from "../api-client.ts"
import { printTable } from "../print-table.ts"

/** Prints everything that operators know of a workspace. */
export async function showDossier(api: Api, workspace: string, { json }: { json?: boolean }): Promise<void> {
  const found = await api.call("GET", `/operator/workspaces/${encodeURIComponent(workspace)}`, DossierSchema)
  if (json) return console.log(JSON.stringify(found, null, 2))
  for (const [label, value] of factsOf(found)) console.log(`${label.padEnd(12)}  ${value}`)
  if (found.machines && found.machines.length > 0) {
    console.log("")
    printTable(
      ["machine", "state", "size", "region", "ipv4", "epoch"],
      found.machines.map(one => [one.id, one.state, one.size, one.region, one.ipv4 ?? "", one.epoch ?? ""]),
    )
  }
  if (found.operations.length === 0) return
  console.log("")
  printTable(
    ["operation", "kind", "state", "asked for by", "at", "why it failed"],
    found.operations.map(one => [one.id, one.kind, one.state, one.requester, one.createdAt, one.fault?.message ?? ""]),
  )
}

function factsOf(found: z.output<typeof DossierSchema>): [string, string][] {
  const { id, name, owner, login, state, asleep, since, profile, size, region, person, failure, machines, locks } =
    found
  const facts: [string, string | null][] = [
    ["workspace", id],
    ["name", name],
    ["owner", `${login} (${owner})${person?.suspended ? ", suspended" : ""}`],
    ["state", `${state}${asleep ? ", asleep" : ""} since ${since}`],
    ["failure", failure && `${failure.id}: ${failure.message}`],
    ["profile", profile],
    ["size", `${size} in ${region}`],
    ["image", `${found.image}${found.outdated ? ", outdated" : ""}`],
    ["epoch", String(found.epoch)],
    ["last report", found.reportedAt ?? "none"],
    ["last backup", found.lastBackup ?? "none"],
    ["last proven", found.lastProven ?? "never"],
    ["worker", found.leased ? "at it" : "none"],
    ["lock", locks?.map(one => `process ${one.pid} of ${one.hostname} since ${one.takenAt}`).join(", ") || null],
    ["provider", machines === null ? "does not answer" : null],
  ]
  return facts.filter((fact): fact is [string, string] => fact[1] !== null)
}
