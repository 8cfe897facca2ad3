import type { Exchange } from "../../local-cloud/scaleway/server.ts"

/**
 * What Scaleway's reference of its API names: for each call that is used, its parameters, the fields of what is sent, and
 * those of what is answered. https://www.scaleway.com/en/developers/api/
 */
const words = (text: string) => new Set(text.split(" "))

const ANSWERED = {
  server: words(
    "id name organization project allowed_actions tags commercial_type creation_date dynamic_ip_required routed_ip_enabled enable_ipv6 hostname image protected private_ip public_ip public_ips mac_address modification_date state location ipv6 boot_type volumes security_group maintenances state_detail arch placement_group private_nics zone admin_password_encryption_ssh_key_id admin_password_encrypted_value filesystems end_of_service dns",
  ),
  image: words(
    "id name arch creation_date modification_date default_bootscript extra_volumes from_server organization public root_volume state project tags zone",
  ),
  ip: words("id address reverse server organization tags project type state prefix ipam_id zone"),
  security_group: words(
    "id name description enable_default_security inbound_default_policy outbound_default_policy organization project tags organization_default project_default creation_date modification_date servers stateful state zone",
  ),
  rule: words("id protocol direction action ip_range dest_port_from dest_port_to position editable zone"),
  task: words("id description progress started_at terminated_at status href_from href_result zone"),
  volume: words(
    "id name type size project_id created_at updated_at references parent_snapshot_id status tags zone specs last_detached_at kms_key_id",
  ),
  snapshot: words(
    "id name parent_volume size project_id created_at updated_at references status tags zone class public",
  ),
  volume_type: words("type pricing snapshot_pricing specs zone"),
  type: words(
    "monthly_price hourly_price alt_names per_volume_constraint volumes_constraint ncpus gpu ram gpu_info arch network capabilities scratch_storage_max_size scratch_storage_max_volumes_count block_bandwidth end_of_service",
  ),
  availability: words("availability"),
  dns_zone: words("domain subdomain ns ns_default ns_master status message updated_at project_id linked_products"),
  record: words("data name priority ttl type comment id updated_at"),
} as const

interface Call {
  at: RegExp
  /** Parameters, besides those of a list's pages. */
  query?: Set<string>
  sent?: Set<string>
  /** Where in the answer what is. */
  answer?: Partial<Record<string, keyof typeof ANSWERED>>
  /** The answer is itself one. */
  is?: keyof typeof ANSWERED
}

const I = "/instance/v1/zones/[^/]+"
const B = "/block/v1/zones/[^/]+"
const D = "/domain/v2beta1/dns-zones"
const call = (method: string, path: string, rest: Omit<Call, "at">): Call => ({
  at: new RegExp(`^${method} ${path}$`),
  ...rest,
})
const OWN = words("project tags name public")
const BLOCK = words("project_id tags name")

const CALLS: Call[] = [
  call("GET", `${I}/products/servers`, { answer: { servers: "type" } }),
  call("GET", `${I}/products/servers/availability`, { answer: { servers: "availability" } }),
  call("GET", `${I}/servers`, { query: OWN, answer: { servers: "server" } }),
  call("POST", `${I}/servers`, {
    sent: words(
      "name dynamic_ip_required commercial_type image volumes public_ips boot_type project tags security_group protected",
    ),
    answer: { server: "server" },
  }),
  call("GET", `${I}/servers/[^/]+`, { answer: { server: "server" } }),
  call("PATCH", `${I}/servers/[^/]+`, {
    sent: words("name boot_type tags volumes protected security_group commercial_type"),
    answer: { server: "server" },
  }),
  call("DELETE", `${I}/(servers|ips|images|security_groups)/[^/]+`, {}),
  call("POST", `${I}/servers/[^/]+/action`, { sent: words("action name volumes"), answer: { task: "task" } }),
  call("POST", `${I}/servers/[^/]+/attach-volume`, {
    sent: words("volume_id volume_type boot"),
    answer: { server: "server" },
  }),
  call("POST", `${I}/servers/[^/]+/detach-volume`, { sent: words("volume_id"), answer: { server: "server" } }),
  call("PATCH", `${I}/servers/[^/]+/user_data/cloud-init`, {}),
  call("GET", `${I}/images`, { query: OWN, answer: { images: "image" } }),
  call("POST", `${I}/images`, { sent: words("name root_volume arch project tags public"), answer: { image: "image" } }),
  call("GET", `${I}/images/[^/]+`, { answer: { image: "image" } }),
  call("PATCH", `${I}/images/[^/]+`, {
    sent: words("name arch extra_volumes tags public"),
    answer: { image: "image" },
  }),
  call("GET", `${I}/ips`, { query: OWN, answer: { ips: "ip" } }),
  call("POST", `${I}/ips`, { sent: words("project tags server type"), answer: { ip: "ip" } }),
  call("GET", `${I}/security_groups`, { query: OWN, answer: { security_groups: "security_group" } }),
  call("POST", `${I}/security_groups`, {
    sent: words(
      "name description project tags stateful inbound_default_policy outbound_default_policy enable_default_security",
    ),
    answer: { security_group: "security_group" },
  }),
  call("PUT", `${I}/security_groups/[^/]+/rules`, { sent: words("rules"), answer: { rules: "rule" } }),
  call("GET", `${B}/volume-types`, { answer: { volume_types: "volume_type" } }),
  call("GET", `${B}/volumes`, { query: BLOCK, answer: { volumes: "volume" } }),
  call("POST", `${B}/volumes`, {
    sent: words("name perf_iops project_id from_empty from_snapshot tags"),
    is: "volume",
  }),
  call("GET", `${B}/volumes/[^/]+`, { is: "volume" }),
  call("PATCH", `${B}/volumes/[^/]+`, { sent: words("name size tags perf_iops"), is: "volume" }),
  call("GET", `${B}/snapshots`, { query: BLOCK, answer: { snapshots: "snapshot" } }),
  call("POST", `${B}/snapshots`, { sent: words("volume_id name project_id tags public"), is: "snapshot" }),
  call("GET", `${B}/snapshots/[^/]+`, { is: "snapshot" }),
  call("DELETE", `${B}/(volumes|snapshots)/[^/]+`, {}),
  call("GET", D, { query: words("project_id"), answer: { dns_zones: "dns_zone" } }),
  call("GET", `${D}/[^/]+/records`, { answer: { records: "record" } }),
  call("PATCH", `${D}/[^/]+/records`, {
    sent: words("changes return_all_records disallow_new_zone_creation"),
    answer: { records: "record" },
  }),
]

/** Names of the pages of a list. */
const PAGES = { instance: ["page", "per_page"], others: ["page", "page_size"] }

/** In what a request, or its answer, differs from the reference; nothing where it is as described. */
export function scalewayDeviations({ method, path, query, body, status, answer }: Exchange): string[] {
  const what = `${method} ${path}`
  const known = CALLS.find(one => one.at.test(what))
  if (!known) return [`${what}: no such call`]
  const pages = method !== "GET" ? [] : path.startsWith("/instance/") ? PAGES.instance : PAGES.others
  const asked = [...query.keys()].filter(key => !known.query?.has(key) && !pages.includes(key))
  const sent = Object.keys(body).filter(key => !known.sent?.has(key))
  const wrong = [...asked.map(key => `parameter ${key}`), ...sent.map(key => `field ${key}`)]
  const told =
    status >= 400
      ? typeof answer.type === "string" && typeof answer.message === "string"
        ? []
        : ["is no error of Scaleway's"]
      : inAnswer(known, answer)
  return [...wrong.map(one => `no such ${one}`), ...told].map(one => `${what}: ${one}`)
}

function inAnswer({ is, answer: parts = {} }: Call, answer: Record<string, unknown>): string[] {
  if (is) return strange(answer, is)
  return Object.entries(answer).flatMap(([key, value]) => {
    if (key === "total_count") return []
    const kind = parts[key]
    if (!kind) return [`answers ${key}`]
    const isOne = kind === key
    const all = Array.isArray(value) ? value : isOne ? [value] : Object.values(value as object)
    return all.flatMap(one => strange(one, kind))
  })
}

function strange(one: unknown, kind: keyof typeof ANSWERED): string[] {
  if (typeof one !== "object" || one === null) return [`is no ${kind}`]
  return Object.keys(one)
    .filter(key => !ANSWERED[kind].has(key))
    .map(key => `${kind} has no ${key}`)
}
