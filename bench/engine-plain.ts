/** One create of a workspace through the Automation API as it comes; standard input says what to leave out. */
import { mkdirSync } from "node:fs"
import { dirname } from "node:path"
import { text } from "node:stream/consumers"
import { PulumiCommand as Command, LocalWorkspace, type PulumiCommand } from "@pulumi/pulumi/automation/index.js"
import { type CloudConfig, hetznerOf } from "../infra/cloud-config.ts"
import { hetznerProgram } from "../infra/programs/hetzner.ts"
import type { WorkspaceSpec } from "../infra/workspace-spec.ts"
import { testSecrets } from "../test/support/workspace.ts"

interface Input {
  step: string
  spec: WorkspaceSpec
  config: CloudConfig
}
const { step, spec, config } = JSON.parse(await text(process.stdin)) as Input

Object.assign(process.env, {
  PATH: `${dirname(config.pulumi)}:${process.env.PATH}`,
  HCLOUD_TOKEN: hetznerOf(config).token,
  HCLOUD_ENDPOINT: hetznerOf(config).endpoint,
  PULUMI_SKIP_UPDATE_CHECK: "true",
})
mkdirSync(new URL(config.backendUrl), { recursive: true })

interface Runner {
  run(args: string[], ...rest: unknown[]): Promise<{ stdout: string; stderr: string; code: number }>
}
const command = await Command.get()
if (step !== "plain") {
  const original = command as unknown as Runner
  const run = original.run.bind(command)
  original.run = async (args, ...rest) => {
    if (args[0] === "stack" && args[1] === "output") return { stdout: "{}", stderr: "", code: 0 }
    if (args[0] === "stack" && args[1] === "history") return { stdout: "[]", stderr: "", code: 0 }
    if (step === "no-select" && args[0] === "stack" && args[1] === "select") return { stdout: "", stderr: "", code: 0 }
    return run(args, ...rest)
  }
}
const stack = await LocalWorkspace[step === "no-select" ? "createStack" : "createOrSelectStack"](
  { stackName: spec.workspace, projectName: "foozol-cloud", program: hetznerProgram(spec, testSecrets) },
  {
    pulumiHome: config.home,
    pulumiCommand: command as PulumiCommand,
    secretsProvider: "passphrase",
    envVars: { PULUMI_BACKEND_URL: config.backendUrl, PULUMI_CONFIG_PASSPHRASE: config.passphrase },
  },
)
await stack.up({ onEvent: () => {} })
