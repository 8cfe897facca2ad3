import { InfraError } from "./errors.ts"
import type { WorkspaceSecrets, WorkspaceSpec } from "./workspace-spec.ts"

/** Hetzner's limit for user-data, in bytes. */
const MAX_USER_DATA = 32 * 1024

/**
 * What a machine is told at birth, as JSON: who it is, where its service is and its own key. No credential of the
 * cloud is in it, and it does not change with epoch, size or region: user-data cannot change on a living machine.
 */
export function userData(spec: WorkspaceSpec, secrets: WorkspaceSecrets): string {
  return checked({
    foozol: 1,
    workspace: spec.workspace,
    profile: spec.profile,
    hostname: spec.dns.name,
    fqdn: `${spec.dns.name}.${spec.dns.zone}`,
    service: spec.service,
    site: spec.site ?? spec.service,
    workspaceKey: secrets.workspaceKey,
  })
}

/**
 * What a machine is told that is made from a backup to try it out: it starts nothing of its user's, lets nobody in, and
 * reports with a key of its own.
 */
export function proofUserData(of: {
  name: string
  profile: string
  zone: string
  service: string
  key: string
}): string {
  const { name, profile, zone, service, key } = of
  return checked({
    ...{ foozol: 1, workspace: name, profile, hostname: name, fqdn: `${name}.${zone}`, service, site: service },
    ...{ workspaceKey: key, proof: "1" },
  })
}

function checked(told: object): string {
  const text = JSON.stringify(told)
  if (Buffer.byteLength(text) > MAX_USER_DATA) {
    throw new InfraError(
      "user-data-too-long",
      "fail",
      `The machine's settings take more than ${MAX_USER_DATA} bytes; shorten them.`,
    )
  }
  return text
}
