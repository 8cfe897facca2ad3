import { existsSync, readFileSync } from "node:fs"
import type { Command } from "commander"
import { z } from "zod"
import { openMachines } from "../../infra/cloud-config.ts"
import type { RunResult } from "../../infra/engine.ts"
import { InfraError } from "../../infra/errors.ts"
import { tokenVariable } from "../../infra/projects.ts"
import { parseWorkspaceSpec, WorkspaceSecrets } from "../../infra/workspace-spec.ts"
import { machinesOf } from "../../infra/workspace-stack.ts"
import { openApi } from "../api-client.ts"
import { audited } from "../audit-direct.ts"
import { printTable } from "../print-table.ts"
import { cloudConfig } from "../settings.ts"
import { listStacks, requireService, resultOf, runOnce } from "../stack/engine.ts"
import { findFleet } from "../stack/service.ts"
import { showDossier } from "../stack/show.ts"
import { addVerbs, viaService, type WayOptions, withWay } from "../stack/verbs.ts"
import { addStackDrift } from "./stack-drift.ts"

/** `foozol-cloud stack …`: the engine's operations on workspace stacks, for operators. */
export function addStack(program: Command): void {
  const stack = program.command("stack").description("work on the stacks of workspaces: one stack per workspace")
  const json = ["--json", "print JSON"] as const

  withWay(stack.command("list").description("list everybody's workspaces; without the service, the stacks"))
    .option("--state <state>", "those in this state, such as FAILED (service)")
    .option("--search <text>", "those with this part in id, name, owner, size or region")
    .option(...json)
    .action(async (options: ListOptions) => (viaService(options) ? listFleet(options) : listDirect(options)))

  withWay(
    stack
      .command("show <workspace>")
      .description("everything about one; without the service, its machines at the provider"),
  )
    .option(...json)
    .action(async (workspace: string, options: WayOptions & { json?: boolean }) =>
      viaService(options) ? showDossier(openApi(options), workspace, options) : showMachines(workspace, options),
    )

  for (const [name, action, about] of [
    ["up", "apply", "make a workspace's resources what its spec says"],
    ["preview", "preview", "show what `up` would change, without changing it"],
  ] as const) {
    stack
      .command(name)
      .description(about)
      .requiredOption("--spec <file>", "the workspace spec, as JSON (`-` reads it from standard input)")
      .option("--key-file <file>", "file with the machine's workspace key (default: FOOZOL_WORKSPACE_KEY)")
      .option(...json)
      .action(async (options: { spec: string; keyFile?: string; json?: boolean }) => {
        const spec = parseWorkspaceSpec(readSpec(options.spec))
        const run = () =>
          runOnce<RunResult | null>({ action, spec, secrets: readSecrets(options.keyFile) }, options.json)
        const done = resultOf(
          action === "apply" ? await audited({ action: "stack up", workspace: spec.workspace }, run) : await run(),
        )
        console.log(options.json ? JSON.stringify(done.detail, null, 2) : done.text)
      })
  }

  addVerbs(stack)
  addStackDrift(stack)

  withWay(stack.command("export <workspace>").description("print a stack's state, secrets encrypted")).action(
    async (workspace: string, options: WayOptions) => {
      const path = `/operator/workspaces/${encodeURIComponent(workspace)}/stack`
      const state = viaService(options)
        ? await openApi(options).call("GET", path, z.record(z.string(), z.unknown()))
        : await runOnce({ action: "export", workspace }, true)
      console.log(JSON.stringify(state, null, 2))
    },
  )

  stack
    .command("env")
    .description("print the settings with which plain `pulumi` in the repository's root sees the same stacks")
    .action(() => {
      const config = cloudConfig()
      console.log(`export PATH=${quote(config.pulumi.replace(/\/pulumi$/, ""))}:"$PATH"`)
      console.log(`export PULUMI_HOME=${quote(config.home)} PULUMI_BACKEND_URL=${quote(config.backendUrl)}`)
      console.log("export PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER=true")
      const further = Object.keys(config.hetzner?.further ?? {}).map(tokenVariable)
      const secrets = ["PULUMI_CONFIG_PASSPHRASE", "HCLOUD_TOKEN", ...further]
      console.log(`# ${secrets.slice(0, -1).join(", ")} and ${secrets.at(-1)} are secrets: set them yourself.`)
    })
}

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

interface ListOptions extends WayOptions {
  state?: string
  search?: string
  json?: boolean
}

async function listFleet({ json, state, search, ...options }: ListOptions): Promise<void> {
  const found = await findFleet(openApi(options), { ...(state ? { state } : {}), ...(search ? { search } : {}) })
  if (json) return console.log(JSON.stringify(found, null, 2))
  printTable(
    ["workspace", "owner", "state", "since", "size", "region", "failure"],
    found.map(one => [
      one.id,
      one.login,
      one.asleep ? "STOPPED, asleep" : one.state,
      one.since,
      one.size,
      one.region,
      one.failure?.id ?? "",
    ]),
  )
}

async function listDirect({ json, state, search = "" }: ListOptions): Promise<void> {
  if (state !== undefined) requireService("--state")
  const stacks = (await listStacks()).filter(one => one.name.includes(search))
  if (json) return console.log(JSON.stringify(stacks, null, 2))
  printTable(
    ["workspace", "resources", "updated", ""],
    stacks.map(one => [
      one.name,
      String(one.resourceCount ?? ""),
      one.updatedAt ?? "",
      one.updateInProgress ? "locked" : "",
    ]),
  )
}

async function showMachines(workspace: string, { json }: { json?: boolean }): Promise<void> {
  const machines = await machinesOf(openMachines(cloudConfig()), workspace)
  if (json) return console.log(JSON.stringify(machines, null, 2))
  printTable(
    ["machine", "state", "size", "region", "ipv4", "epoch"],
    machines.map(one => [one.id, one.state, one.size, one.region, one.ipv4 ?? "", one.labels["foozol-epoch"] ?? ""]),
  )
}

function readSpec(file: string): unknown {
  if (file !== "-" && !existsSync(file)) throw new InfraError("no-spec", "fail", `There is no spec file "${file}".`)
  try {
    return JSON.parse(readFileSync(file === "-" ? 0 : file, "utf8"))
  } catch (error) {
    throw new InfraError("invalid-spec", "fail", `The spec is not valid JSON: ${(error as Error).message}.`)
  }
}

function readSecrets(keyFile: string | undefined): WorkspaceSecrets {
  if (keyFile && !existsSync(keyFile)) throw new InfraError("no-key", "fail", `There is no key file "${keyFile}".`)
  const workspaceKey = keyFile ? readFileSync(keyFile, "utf8").trim() : process.env.FOOZOL_WORKSPACE_KEY
  if (!workspaceKey)
    throw new InfraError(
      "no-key",
      "fail",
      "The machine needs a workspace key: give --key-file or set FOOZOL_WORKSPACE_KEY.",
    )
  const parsed = WorkspaceSecrets.safeParse({ workspaceKey })
  if (!parsed.success) throw new InfraError("no-key", "fail", `The workspace key ${parsed.error.issues[0]?.message}.`)
  return parsed.data
}
