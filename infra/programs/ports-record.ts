import type { WorkspaceSpec } from "../workspace-spec.ts"

/**
 * The record of all names below a workspace's own, such as `3000.NAME`: ports of its machine are seen there, each at an
 * origin of its own. An alias, so that it stays as it is when the addresses change.
 */
export const portsRecord = ({ dns }: Pick<WorkspaceSpec, "dns">) => ({
  name: `*.${dns.name}`,
  type: "CNAME" as const,
  ttl: dns.ttl,
  target: `${dns.name}.${dns.zone}.`,
})
