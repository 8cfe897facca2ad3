import type { Command } from "commander"
import { readLocalCloud } from "../local-cloud-process.ts"
import { plainSettings } from "../platform/plain.ts"
import type { PlatformOptions } from "../platform/plan.ts"
import { cloudConfig } from "../settings.ts"

/** What the verbs do: with it comes Pulumi's SDK, which no other command needs. */
const verbs = () => import("../platform/verbs.ts")

/** `foozol-cloud platform …`: what an operator needs once. */
export function addPlatform(program: Command): void {
  const platform = program
    .command("platform")
    .description("what an operator needs once: the service's own server, its names, its volume")
    .addHelpText("after", HELP)
  const named = (command: Command) =>
    command.option("--name <name>", "which platform", "main").option("--json", "print JSON")

  for (const [name, about] of [
    ["up", "make it what the settings say, and start the service on it"],
    ["preview", "show what `up` would change, without changing it"],
  ] as const) {
    const command = named(platform.command(name).description(about))
      .option("--host <name>", "what people open (default: `cloud` in the zone)")
      .option("--zone <domain>", "DNS zone of the service and of workspaces (default: FOOZOL_ZONE)")
      .option("--region <region>", "where the server stands (default: fsn1)")
      .option("--size <size>", "its machine type (default: cx23)")
      .option("--volume <gigabytes>", "its disk for all that must survive (default: 10)")
      .option("--image <id>", "image of the server at the provider (default: the newest)")
      .option("--caa <authorities...>", "who may issue certificates (default: by FOOZOL_ACME_DIRECTORY)")
    if (name === "up")
      command.option("--dry-run", "the same as `preview`").option("--yes", "do not ask before the server is replaced")
    command.action(async (options: PlatformOptions) => {
      const { preview, up } = await verbs()
      await (name === "preview" || options.dryRun ? preview(options) : up(options))
    })
  }
  named(platform.command("show").description("where it is, and how far the service on it is")).action(
    async (options: PlatformOptions) => (await verbs()).show(options),
  )
  named(platform.command("destroy").description("remove all of it, and all that the service has stored on it"))
    .option("--dry-run", "only say what would go")
    .option("--yes", "do not ask")
    .action(async (options: PlatformOptions) => (await verbs()).destroy(options))
  platform
    .command("image")
    .description("make the image of the server: on this machine for the local cloud, else in the provider's project")
    .option("--from <address>", "the IPv4 address you build from: the only one that reaches the builder")
    .action(async ({ from }: { from?: string }) => {
      const { makeImage } = await import("../platform/make-image.ts")
      console.log(`image ${await makeImage(cloudConfig(), readLocalCloud(), from)}`)
    })
  platform
    .command("plain")
    .description("print what the service's settings on a plain server need besides yours, new secrets among it")
    .action(() => {
      process.stdout.write(plainSettings())
    })
}

const HELP = `
Settings of the service come from the environment, as \`foozol-cloud service settings\` lists them, and are handed to the
server over TLS. What it needs at least: HCLOUD_TOKEN, FOOZOL_GITHUB_CLIENT_ID, FOOZOL_GITHUB_CLIENT_SECRET, FOOZOL_ALLOW,
and FOOZOL_ACME_DIRECTORY for certificates that browsers trust. Keep the folder that \`up\` names: the keys are in it.

Examples:
  foozol-cloud platform image --from 203.0.113.7
  foozol-cloud platform up --zone desk.example.com
  foozol-cloud platform up --size cx33 --dry-run`
