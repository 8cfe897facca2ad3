import { scalewayProgram } from "../../infra/programs/scaleway.ts"
import type { WorkspaceSpec } from "../../infra/workspace-spec.ts"
import type { Json, Resource } from "../../local-cloud/scaleway/state.ts"
import { type Registered, runMocked } from "./mocked-program.ts"
import { SCALEWAY_PROJECT, type TestScaleway } from "./scaleway-cloud.ts"
import { testSecrets } from "./workspace.ts"

/**
 * Makes at the local Scaleway what the program declares, in the requests that Scaleway's plugin of the engine makes of it:
 * the plugin itself cannot be had everywhere. What is there already stays as it is.
 */
export async function applyScaleway(cloud: TestScaleway, spec: WorkspaceSpec): Promise<void> {
  const { call } = cloud
  const { state } = cloud.scaleway
  const zone = spec.region
  const base = `/instance/v1/zones/${zone}`
  const project = SCALEWAY_PROJECT
  const { resources } = await runMocked(scalewayProgram(spec, testSecrets), {
    "scaleway:instance/ip:Ip": { address: "to be known" },
    "scaleway:instance/server:Server": { publicIps: [{ family: "inet6", address: "to be known" }] },
  })
  const of = (part: string) => resources.filter(one => one.type.endsWith(`:${part}`))
  const known = (kind: "servers" | "security_groups" | "ips", { inputs }: Registered, more = (_: Resource) => true) =>
    state.all(kind, zone).find(one => String(one.tags) === String(inputs.tags) && more(one))

  const ids = new Map<string, string>()
  for (const group of of("SecurityGroup")) {
    const { inboundRules, inboundDefaultPolicy, outboundDefaultPolicy, enableDefaultSecurity, ...rest } = group.inputs
    const { name, description, stateful, tags } = rest
    const found = known("security_groups", group)
    const made =
      found ??
      ((
        await call("POST", `${base}/security_groups`, {
          ...{ name, description, stateful, tags, project, enable_default_security: enableDefaultSecurity },
          ...{ inbound_default_policy: inboundDefaultPolicy, outbound_default_policy: outboundDefaultPolicy },
        })
      ).security_group as Resource)
    ids.set(`${group.name}-id`, made.id)
    if (!found) {
      const rules = (inboundRules as Json[]).map(({ action, protocol, ipRange, port }, at) => ({
        ...{ action, protocol, direction: "inbound", ip_range: ipRange, dest_port_from: port, position: at + 1 },
      }))
      await call("PUT", `${base}/security_groups/${made.id}/rules`, { rules })
    }
  }
  for (const address of of("Ip")) {
    const { type, tags } = address.inputs
    const found = known("ips", address, one => one.type === type)
    const made = found ?? ((await call("POST", `${base}/ips`, { type, tags, project })).ip as Resource)
    ids.set(`${address.name}-id`, made.id)
  }
  for (const machine of of("Server")) {
    const { inputs } = machine
    const found = known("servers", machine)
    if (found) continue
    const { sizeInGb, volumeType, name } = inputs.rootVolume as { sizeInGb: number; volumeType: string; name: string }
    const made = (
      await call("POST", `${base}/servers`, {
        ...{ name: inputs.name, commercial_type: inputs.type, image: inputs.image, tags: inputs.tags, project },
        ...{ protected: inputs.protected, boot_type: inputs.bootType, dynamic_ip_required: inputs.enableDynamicIp },
        security_group: ids.get(String(inputs.securityGroupId)),
        public_ips: (inputs.ipIds as string[]).map(id => ids.get(id)),
        volumes: { "0": { boot: false, size: sizeInGb * 1_000_000_000, volume_type: volumeType } },
      })
    ).server as Resource & { volumes: Record<string, { id: string }> }
    await call("PATCH", `/block/v1/zones/${zone}/volumes/${made.volumes["0"]?.id}`, { name })
    await call("PATCH", `${base}/servers/${made.id}/user_data/cloud-init`, undefined, "told at birth")
    if (inputs.state === "started") await start(cloud, `${base}/servers/${made.id}`)
  }
  for (const { inputs } of of("Record")) {
    const { dnsZone, name, type, ttl } = inputs
    const path = `/domain/v2beta1/dns-zones/${dnsZone}/records`
    const there = state.zones.get(String(dnsZone))?.records ?? []
    if (there.some(one => one.name === name && one.type === type)) continue
    const data = await own(cloud, base, spec, type === "A" ? "inet" : "inet6")
    const changes = [{ add: { records: [{ name, type, ttl, data }] } }]
    await call("PATCH", path, { changes, return_all_records: false, disallow_new_zone_creation: false })
  }
}

async function start(cloud: TestScaleway, path: string): Promise<void> {
  await cloud.call("POST", `${path}/action`, { action: "poweron" })
  for (;;) {
    const { server } = (await cloud.call("GET", path)) as { server: { state: string } }
    if (server.state === "running") return
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

async function own(cloud: TestScaleway, base: string, spec: WorkspaceSpec, family: string): Promise<string> {
  const query = `tags=foozol-workspace%3D${spec.workspace}`
  const { servers } = (await cloud.call("GET", `${base}/servers?${query}`)) as {
    servers: { public_ips: { family: string; address: string }[] }[]
  }
  return servers[0]?.public_ips.find(one => one.family === family)?.address ?? ""
}
