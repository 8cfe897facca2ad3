import { existsSync, readFileSync } from "node:fs"
import type { Command } from "commander"
import { openMachines } from "../../infra/cloud-config.ts"
import type { RunResult, StackSummary } from "../../infra/engine.ts"
import type { EngineEvent } from "../../infra/engine-events.ts"
import { createEnginePool } from "../../infra/engine-pool.ts"
import type { EngineAction } from "../../infra/engine-protocol.ts"
import { InfraError } from "../../infra/errors.ts"
import type { Recovery } from "../../infra/recover-stack.ts"
import { parseWorkspaceSpec, WorkspaceSecrets } from "../../infra/workspace-spec.ts"
import { machinesOf } from "../../infra/workspace-stack.ts"
import { printTable } from "../print-table.ts"
import { recoveryText } from "../recovery-text.ts"
import { cloudConfig, compileCache } from "../settings.ts"

/** `foozol-cloud stack …`: the engine's operations on workspace stacks, for operators. */
export function addStack(program: Command): void {
  const stack = program.command("stack").description("work on the stacks of workspaces: one stack per workspace")
  const json = ["--json", "print JSON"] as const

  stack
    .command("list")
    .description("list the stacks")
    .option(...json)
    .action(async (options: { json?: boolean }) => {
      const stacks = await engine<StackSummary[]>({ action: "list" }, true)
      if (options.json) return console.log(JSON.stringify(stacks, null, 2))
      printTable(
        ["workspace", "resources", "updated", ""],
        stacks.map(one => [
          one.name,
          String(one.resourceCount ?? ""),
          one.updatedAt ?? "",
          one.updateInProgress ? "locked" : "",
        ]),
      )
    })

  stack
    .command("show <workspace>")
    .description("show the machines that carry a workspace's label, as the provider reports them")
    .option(...json)
    .action(async (workspace: string, options: { json?: boolean }) => {
      const machines = await machinesOf(openMachines(cloudConfig()), workspace)
      if (options.json) return console.log(JSON.stringify(machines, null, 2))
      printTable(
        ["machine", "state", "size", "region", "ipv4", "epoch"],
        machines.map(one => [
          one.id,
          one.state,
          one.size,
          one.region,
          one.ipv4 ?? "",
          one.labels["foozol-epoch"] ?? "",
        ]),
      )
    })

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
        await runAndReport({ action, spec, secrets: readSecrets(options.keyFile) }, options.json)
      })
  }

  stack
    .command("refresh <workspace>")
    .description("read a workspace's real resources into its state")
    .option(...json)
    .action(async (workspace: string, options: { json?: boolean }) =>
      runAndReport({ action: "refresh", workspace }, options.json),
    )

  stack
    .command("recover <workspace>")
    .description("mend what a run that was cut off has left in a stack; makes and removes nothing at the provider")
    .option(...json)
    .action(async (workspace: string, options: { json?: boolean }) => {
      const recovery = await engine<Recovery>({ action: "recover", workspace }, options.json)
      console.log(options.json ? JSON.stringify(recovery, null, 2) : recoveryText(recovery))
    })

  stack
    .command("unlock <workspace>")
    .description("remove the lock of a stack whose engine run is proven dead")
    .option("--force", "whoever holds it: only when you are sure that no engine run is working on it")
    .option(...json)
    .action(async (workspace: string, options: { force?: boolean; json?: boolean }) =>
      runAndReport({ action: "unlock", workspace, force: options.force ?? false }, options.json),
    )

  stack
    .command("destroy <workspace>")
    .description("destroy a workspace's machine, disk, addresses and records, then its stack")
    .requiredOption("--yes", "really: its data is gone afterwards")
    .option(...json)
    .action(async (workspace: string, options: { json?: boolean }) =>
      runAndReport({ action: "destroy", workspace }, options.json),
    )

  stack
    .command("export <workspace>")
    .description("print a stack's state, secrets encrypted")
    .action(async (workspace: string) =>
      console.log(JSON.stringify(await engine({ action: "export", workspace }, true), null, 2)),
    )

  stack
    .command("env")
    .description("print the settings with which plain `pulumi` in the repository's root sees the same stacks")
    .action(() => {
      const config = cloudConfig()
      console.log(`export PATH=${quote(config.pulumi.replace(/\/pulumi$/, ""))}:"$PATH"`)
      console.log(`export PULUMI_HOME=${quote(config.home)} PULUMI_BACKEND_URL=${quote(config.backendUrl)}`)
      console.log("export PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER=true")
      console.log("# PULUMI_CONFIG_PASSPHRASE and HCLOUD_TOKEN are secrets: set them yourself.")
    })
}

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

async function engine<T>(action: EngineAction, quiet?: boolean): Promise<T> {
  const config = cloudConfig()
  const pool = createEnginePool({ size: 1, compileCache: compileCache() })
  const aborted = new AbortController()
  process.once("SIGINT", () => {
    console.error("stopping after the resource it is at …")
    aborted.abort()
  })
  try {
    return await pool.run<T>(config, action, { signal: aborted.signal, ...(quiet ? {} : { onEvent: show }) })
  } finally {
    await pool.close()
  }
}

async function runAndReport(action: EngineAction, json?: boolean): Promise<void> {
  report(await engine<RunResult | null>(action, json), json)
}

function show(event: EngineEvent): void {
  if (event.type === "resource" && event.change !== "same" && event.state !== "begun") {
    console.error(`${event.state === "failed" ? "FAILED " : ""}${event.change}  ${event.name}`)
  }
  if (event.type === "diagnostic" && event.severity === "warning") console.error(`warning  ${event.message}`)
}

function report(result: RunResult | null, json?: boolean): void {
  const changes = result?.changes ?? {}
  // The workspace key is a secret even to the operator's terminal.
  const { workspaceKey: _, ...outputs } = result?.outputs ?? {}
  if (json) {
    console.log(JSON.stringify({ changes, outputs }, null, 2))
    return
  }
  const said = Object.entries(changes).map(([kind, count]) => `${count} ${kind}`)
  console.log(said.join(", ") || "done")
  if (outputs.ipv4) console.log(`${outputs.hostname}  ${outputs.ipv4}`)
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
