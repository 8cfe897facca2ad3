import * as hcloud from "@pulumi/hcloud"
import * as pulumi from "@pulumi/pulumi"
import { type PlatformSecrets, type PlatformSpec, platformLabels, recordName } from "./spec.ts"
import { platformUserData } from "./user-data.ts"

const ANYWHERE = ["0.0.0.0/0", "::/0"]

/** What the program exports; values may be Pulumi outputs. */
export interface PlatformOutputs {
  spec: PlatformSpec
  machineId: unknown
  ipv4: unknown
  ipv6: unknown
  volumeId: unknown
  /** Where the zone must be delegated to; null where the zone was there before. */
  nameServers: unknown
}

/**
 * What an operator needs once, at Hetzner: addresses that stay, one open port, the zone and the service's names in it,
 * a volume with all that must survive, and the server, which may be replaced at any time.
 */
export const platformProgram =
  (spec: PlatformSpec, secrets: PlatformSecrets) => async (): Promise<PlatformOutputs & Record<string, unknown>> => {
    const { name, region, dns, deleteProtection } = spec
    const base = `foozol-${name}`
    const labels = platformLabels(name)

    const zone = dns.makeZone
      ? new hcloud.Zone("zone", { name: dns.zone, mode: "primary", ttl: dns.ttl, labels, deleteProtection })
      : null
    // Machines and the service prove their names by TLS (tls-alpn-01), so 80 stays shut.
    const firewall = new hcloud.Firewall("firewall", {
      name: base,
      labels,
      rules: [{ direction: "in", protocol: "tcp", port: "443", sourceIps: ANYWHERE, description: "HTTPS" }],
    })
    const address = (type: "ipv4" | "ipv6") =>
      new hcloud.PrimaryIp(
        type,
        {
          ...{ name: `${base}-${type}`, labels, type, location: region },
          ...{ assigneeType: "server", autoDelete: false, deleteProtection },
        },
        { deleteBeforeReplace: true },
      )
    const [ipv4, ipv6] = [address("ipv4"), address("ipv6")]
    const volume = new hcloud.Volume(
      "volume",
      { name: `${base}-data`, labels, size: spec.volumeGb, location: region, format: "ext4", deleteProtection },
      // Another place would be another volume, an empty one: that is refused, and the operator moves what is on it.
      { ignoreChanges: ["location", "format"] },
    )
    const server = new hcloud.Server(
      "server",
      {
        ...{ name: base, labels, serverType: spec.size, image: String(spec.image), location: region },
        firewallIds: [numericId(firewall)],
        publicNets: [{ ipv4Enabled: true, ipv4: numericId(ipv4), ipv6Enabled: true, ipv6: numericId(ipv6) }],
        userData: pulumi.secret(volume.id.apply(id => platformUserData(spec, secrets, id))),
        keepDisk: true,
        deleteProtection,
        rebuildProtection: deleteProtection,
      },
      {
        // Both would have the same name, addresses and volume.
        deleteBeforeReplace: true,
        ignoreChanges: ["location", "publicNets"],
      },
    )
    new hcloud.VolumeAttachment(
      "attachment",
      { volumeId: numericId(volume), serverId: numericId(server), automount: false },
      { deleteBeforeReplace: true },
    )

    const inZone: pulumi.CustomResourceOptions = zone ? { dependsOn: [zone] } : {}
    const record = (resource: string, type: string, at: string, values: pulumi.Input<string>[]) =>
      new hcloud.ZoneRrset(
        resource,
        { zone: dns.zone, name: at, type, ttl: dns.ttl, labels, records: values.map(value => ({ value })) },
        inZone,
      )
    // An IPv6 address of Hetzner is a /64 network; its first host is the server.
    const ipv6Host = ipv6.ipNetwork.apply(network => network.replace(/::\/64$/, "::1"))
    record("record-A", "A", recordName(dns), [ipv4.ipAddress])
    record("record-AAAA", "AAAA", recordName(dns), [ipv6Host])
    if (spec.caa.length > 0) record("record-CAA", "CAA", "@", caaValues(spec))

    return {
      spec,
      machineId: server.id,
      ipv4: ipv4.ipAddress,
      ipv6: ipv6Host,
      volumeId: volume.id,
      nameServers: zone ? zone.authoritativeNameservers.apply(({ assigneds }) => assigneds ?? []) : null,
    }
  }

/** What there is at first to be made: the names of the program's resources. Pure. */
export function platformResources({ dns, caa }: Pick<PlatformSpec, "dns" | "caa">): string[] {
  const always = ["firewall", "ipv4", "ipv6", "volume", "server", "attachment", "record-A", "record-AAAA"]
  return [...(dns.makeZone ? ["zone"] : []), ...always, ...(caa.length > 0 ? ["record-CAA"] : [])]
}

/** Who may issue for the zone and all names below it; no wildcards, which nobody here needs. */
function caaValues({ caa, contact }: Pick<PlatformSpec, "caa" | "contact">): string[] {
  return [
    ...caa.map(issuer => `0 issue "${issuer}"`),
    '0 issuewild ";"',
    ...(contact === null ? [] : [`0 iodef "mailto:${contact}"`]),
  ]
}

const numericId = (resource: pulumi.CustomResource) => resource.id.apply(Number)
