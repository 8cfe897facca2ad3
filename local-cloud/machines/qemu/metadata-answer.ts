import type { MachineMetadata } from "../contract.ts"
import { macAddress } from "./qemu-arguments.ts"

const prefix = "/hetzner/v1/"

/** The text a machine reads at `path` of its metadata service; null where Hetzner has nothing either. Pure. */
export function metadataAnswer(metadata: MachineMetadata, path: string): string | null {
  if (!path.startsWith(prefix)) return null
  const answers: Record<string, () => string> = {
    metadata: () => document(metadata),
    userdata: () => metadata.userData,
    "metadata/hostname": () => metadata.hostname,
    "metadata/instance-id": () => String(metadata.instanceId),
    "metadata/public-ipv4": () => metadata.publicIpv4 ?? "",
    "metadata/region": () => metadata.region,
    "metadata/availability-zone": () => metadata.availabilityZone,
    "metadata/public-keys": () => JSON.stringify(metadata.publicKeys),
    "metadata/private-networks": () => "[]\n",
  }
  const name = path.slice(prefix.length).replace(/\/$/, "")
  return Object.hasOwn(answers, name) ? (answers[name]?.() ?? null) : null
}

/** The whole as YAML. cloud-init's data source refuses to work without `network-config`. */
function document(metadata: MachineMetadata): string {
  return `availability-zone: ${scalar(metadata.availabilityZone)}
hostname: ${scalar(metadata.hostname)}
instance-id: ${metadata.instanceId}
local-ipv4: ''
network-config:
  config:
  - mac_address: ${macAddress(metadata.instanceId)}
    name: eth0
    subnets:
    - ipv4: true
      type: dhcp${ipv6Subnet(metadata.publicIpv6 ?? null)}
    type: physical
  version: 1
public-ipv4: ${scalar(metadata.publicIpv4 ?? "")}
public-keys:${metadata.publicKeys.length === 0 ? " []" : metadata.publicKeys.map(key => `\n- ${JSON.stringify(key)}`).join("")}
region: ${scalar(metadata.region)}
`
}

/** As at Hetzner: nobody advertises an IPv6 address, a machine reads it here. */
function ipv6Subnet(address: string | null): string {
  if (address === null) return ""
  return `
    - address: ${address}
      gateway: fe80::1
      ipv6: true
      type: static`
}

/** Plain words as they are; whatever YAML could read differently in the quotes of JSON, which YAML understands. */
function scalar(value: string): string {
  const isPlain = /^[a-z][a-z0-9.-]*[a-z0-9]$/i.test(value) && !/^(true|false|yes|no|on|off|null)$/i.test(value)
  return isPlain || /^\d+\.\d+\.\d+\.\d+$/.test(value) ? value : JSON.stringify(value)
}
