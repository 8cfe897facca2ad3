import { InfraError } from "../../infra/errors.ts"
import { openCloud } from "../../infra/open-cloud.ts"
import {
  applyPlatform,
  destroyPlatform,
  type PlatformCloud,
  previewPlatform,
  serversOf,
} from "../../infra/platform/platform-stack.ts"
import type { PlatformOutputs } from "../../infra/platform/program.ts"
import type { PlatformSpec } from "../../infra/platform/spec.ts"
import { hostPort } from "../../local-cloud/machines/qemu/forwards.ts"
import type { Runtime } from "../../local-cloud/runtime-file.ts"
import { createProgress } from "../../tools/setup/progress.ts"
import { audited } from "../audit-direct.ts"
import { confirmTyped } from "../confirm.ts"
import { readLocalCloud } from "../local-cloud-process.ts"
import { printTable } from "../print-table.ts"
import { cloudConfig } from "../settings.ts"
import { showEvent } from "../stack/engine.ts"
import { checkBucket } from "./bucket.ts"
import { handOver, introduction, type ServerDoor, serviceReady } from "./hand-over.ts"
import { type KeptPlatform, keptPlatform } from "./kept.ts"
import { localChoices } from "./local.ts"
import { isLocal, type PlatformOptions, type PlatformPlan, planPlatform } from "./plan.ts"
import { providerFacts } from "./provider.ts"

/** A new server takes a minute to stand; on an emulated machine under load, several. */
const STANDS_MS = 10 * 60_000

interface Situation {
  cloud: PlatformCloud
  kept: KeptPlatform
  local: Runtime | null
}

function situation(name: string): Situation {
  const config = cloudConfig()
  const runtime = readLocalCloud()
  return { cloud: openCloud(config), kept: keptPlatform(name), local: isLocal(config, runtime) ? runtime : null }
}

async function plan(options: PlatformOptions, { kept, local }: Situation): Promise<PlatformPlan> {
  const facts = providerFacts(cloudConfig())
  await checkBucket(process.env)
  if (!local) return planPlatform(options, kept, process.env, facts)
  // What builds images is large, and needed here alone.
  const { localImages } = await import("./make-image.ts")
  const { platform, golden } = await localImages(local, createProgress(), {
    platform: options.image,
    hasGolden: Boolean(process.env.FOOZOL_IMAGE_BROWSER),
  })
  const host = options.host ?? kept.spec()?.dns.host ?? "cloud.foozol.localhost"
  const choices = localChoices(local, host, golden)
  return planPlatform(options, kept, process.env, { ...facts, image: async () => platform }, choices)
}

export async function preview(options: PlatformOptions): Promise<void> {
  const here = situation(options.name)
  const { spec } = await plan(options, here)
  const planned = await previewPlatform(here.cloud, spec, here.kept)
  if (options.json) return console.log(JSON.stringify({ spec, ...planned }, null, 2))
  console.log(counted(planned.changes))
  if (planned.replacesServer) console.log("The server is replaced; its volume and addresses stay.")
}

export async function up(options: PlatformOptions): Promise<void> {
  const here = situation(options.name)
  const { cloud, kept, local } = here
  const { spec, given } = await plan(options, here)
  const secrets = { birth: kept.birth }
  if ((await previewPlatform(cloud, spec, secrets)).replacesServer)
    await confirmTyped(
      `The server of ${spec.dns.host} is replaced by one of image ${spec.image}: people wait for a minute or two. \`foozol-cloud drain\` before lets operations end.`,
      spec.dns.host,
      options,
    )
  const run = options.json ? {} : { onEvent: showEvent }
  const { changes, outputs } = await audited(about("up", options, spec), async () => {
    // Before anything is made: what a run that is cut off has begun belongs to this.
    kept.keep(spec)
    const done = await applyPlatform(cloud, spec, secrets, run)
    const door = doorOf(spec.dns.host, String(done.outputs.ipv4), local)
    console.error("the server starts, and takes its settings …")
    await handOver(door, kept, given, { waitMs: STANDS_MS })
    await serviceReady(door, kept, { waitMs: STANDS_MS })
    return done
  })
  const url = `${given.service.FOOZOL_URL}/`
  if (options.json) return console.log(JSON.stringify({ url, changes, outputs, kept: kept.directory }, null, 2))
  console.log(`\n${counted(changes)}\nkeys and settings: ${kept.directory} (keep a copy elsewhere)`)
  if (!local) console.log(delegation(spec.dns.zone, outputs))
  console.log(`\nReady: ${url}`)
}

export async function show({ name, json }: PlatformOptions): Promise<void> {
  const { cloud, kept, local } = situation(name)
  const spec = kept.spec()
  if (!spec) throw noPlatform(name)
  const servers = await serversOf(cloud, name)
  const [server] = servers
  const service = server?.ipv4
    ? await introduction(doorOf(spec.dns.host, server.ipv4, local), kept).then(
        said => said.service,
        (error: Error) => error.message,
      )
    : "there is no server"
  if (json) return console.log(JSON.stringify({ spec, servers, service }, null, 2))
  printTable(
    ["host", "server", "state", "size", "region", "ipv4", "service"],
    [[spec.dns.host, server?.id ?? "", server?.state ?? "none", spec.size, spec.region, server?.ipv4 ?? "", service]],
  )
}

export async function destroy(options: PlatformOptions): Promise<void> {
  const { cloud, kept } = situation(options.name)
  const spec = kept.spec()
  if (!spec) throw noPlatform(options.name)
  const what = `${spec.dns.host}: server, volume with all that the service has stored, addresses, firewall, records${spec.dns.makeZone ? " and the zone" : ""}`
  if (options.dryRun)
    return console.log(options.json ? JSON.stringify({ would: "destroy", spec }) : `would destroy ${what}`)
  await confirmTyped(`This removes ${what}. It cannot be had back.`, spec.dns.host, options)
  const run = options.json ? {} : { onEvent: showEvent }
  const { changes } = await audited(about("destroy", options, spec), () =>
    destroyPlatform(cloud, spec, { birth: kept.birth }, run),
  )
  console.log(options.json ? JSON.stringify({ changes }) : counted(changes) || "It was gone already.")
}

/** As the audit log has it; what is handed over is no part of it. */
const about = (verb: string, { name }: PlatformOptions, { dns, image, size }: PlatformSpec) => ({
  action: `platform ${verb}`,
  input: { name, host: dns.host, image, size },
})

const doorOf = (host: string, address: string, local: Runtime | null): ServerDoor => ({
  ...{ host, address, port: local ? hostPort(443) : 443 },
})

const counted = (changes: Record<string, number>) =>
  Object.entries(changes)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(", ")

/** Names end nowhere until whoever sold the domain says where they are looked up. */
function delegation(zone: string, { nameServers }: PlatformOutputs): string {
  const servers = Array.isArray(nameServers) ? (nameServers as string[]) : []
  return servers.length === 0 ? "" : `Delegate ${zone} to ${servers.join(", ")}, unless you have.`
}

const noPlatform = (name: string) =>
  new InfraError(
    "no-platform",
    "fail",
    `There is no platform "${name}" known here: \`foozol-cloud platform up\` makes one.`,
  )
