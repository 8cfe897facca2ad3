import type { CloudConfig } from "../../infra/cloud-config.ts"
import { InfraError } from "../../infra/errors.ts"
import { issuerOf } from "../../infra/platform/authorities.ts"
import { type HandOver, publicHalf } from "../../infra/platform/hand-over.ts"
import { type PlatformSpec, parsePlatformSpec } from "../../infra/platform/spec.ts"
import type { KeptPlatform } from "./kept.ts"
import type { LocalChoices } from "./local.ts"
import { handOverOf } from "./settings.ts"

/** What the command line was told; what is left out stays as it was. */
export interface PlatformOptions {
  name: string
  host?: string
  zone?: string
  region?: string
  size?: string
  volume?: string
  image?: string
  caa?: string[]
  json?: boolean
  dryRun?: boolean
  yes?: boolean
}

/** What is to be, and what is to be handed over. */
export interface PlatformPlan {
  spec: PlatformSpec
  given: HandOver
}

/**
 * Puts options, settings and what was before together. Pure but for the zone, which is looked for.
 * @param there what the provider has: is there such a zone, and the image to take where none is named
 * @throws InfraError `invalid-settings`, `invalid-spec`, `fixed`
 */
export async function planPlatform(
  options: PlatformOptions,
  kept: KeptPlatform,
  env: NodeJS.ProcessEnv,
  there: { hasZone(zone: string): Promise<boolean>; image(): Promise<number> },
  local?: LocalChoices,
): Promise<PlatformPlan> {
  const before = kept.spec()
  const zone = options.zone ?? before?.dns.zone ?? local?.zone ?? env.FOOZOL_ZONE
  if (!zone)
    throw new InfraError("invalid-settings", "fail", "Name the DNS zone: --zone desk.example.com, or FOOZOL_ZONE.")
  const host = options.host ?? before?.dns.host ?? `cloud.${zone}`
  for (const [what, was, is] of [
    ["region", before?.region, options.region],
    ["zone", before?.dns.zone, options.zone],
  ] as const) {
    if (was !== undefined && is !== undefined && was !== is)
      throw new InfraError(
        "fixed",
        "fail",
        `The platform "${options.name}" has the ${what} ${was}, which does not change: take another --name, and bring a backup of the service there.`,
      )
  }
  const dns = { host, zone, makeZone: before ? before.dns.makeZone : !(await there.hasZone(zone)) }
  const { directories, ...given } = handOverOf(
    { dns: { ...dns, ttl: 300 } },
    kept,
    { ...local?.preferred, ...env },
    local?.needed,
  )
  const { certificate } = given
  const spec = parsePlatformSpec({
    version: 1,
    name: options.name,
    region: options.region ?? before?.region ?? "fsn1",
    size: options.size ?? before?.size ?? local?.size ?? "cx23",
    image: options.image === undefined ? await there.image() : Number(options.image),
    dns,
    caa: options.caa ?? issuersOf(directories),
    contact: certificate?.contact ?? null,
    volumeGb: options.volume === undefined ? (before?.volumeGb ?? 10) : Number(options.volume),
    operatorKey: publicHalf(kept.operatorKey),
    hostPorts: local?.hostPorts ?? [],
  })
  return { spec, given }
}

/** Without a name for it nobody is named: a wrong CAA record would keep everybody from getting a certificate. */
function issuersOf(directories: string[]): string[] {
  return [...new Set(directories.flatMap(directory => issuerOf(directory) ?? []))]
}

/** Is this the local cloud that runs here? */
export const isLocal = ({ hetzner }: CloudConfig, local: { apiUrl: string } | null): boolean =>
  local !== null && hetzner?.endpoint === local.apiUrl
