import * as pulumi from "@pulumi/pulumi"
import * as scaleway from "@pulumiverse/scaleway"
import type { FirewallRule } from "../accepted.ts"
import { SCALEWAY_DISK_GB, toTags } from "../scaleway-names.ts"
import { userData } from "../user-data.ts"
import { type Wanted, type WantedRecord, wantedOf } from "../wanted.ts"
import type { WorkspaceSpec } from "../workspace-spec.ts"
import { adopting } from "./adopt.ts"
import type { WorkspaceProgram } from "./contract.ts"
import { outputsOf } from "./outputs.ts"

/**
 * A workspace at Scaleway: addresses that outlive the machine, a security group that lets in HTTPS and nothing else, the
 * Instance with its disk from the golden image, and its DNS records. Names are not unique there; tags say whose things are.
 */
export const scalewayProgram: WorkspaceProgram =
  (spec, secrets, adopt = {}, { isMachineLost = false, leave = [] } = {}) =>
  async () => {
    const wanted = wantedOf(spec)
    const zone = spec.region

    const firewall = new scaleway.instance.SecurityGroup(
      "firewall",
      {
        ...{ zone, name: wanted.firewall.name, tags: toTags(wanted.firewall.labels) },
        description: `foozol-cloud: HTTPS into ${spec.workspace}`,
        ...{ stateful: true, inboundDefaultPolicy: "drop", outboundDefaultPolicy: "accept" },
        inboundRules: wanted.firewall.rules.filter(rule => rule.direction === "in").flatMap(allowed),
        // No mail goes out, which is how Scaleway has it.
        enableDefaultSecurity: true,
      },
      adopting(adopt, "firewall"),
    )
    const address = (family: "ipv4" | "ipv6") =>
      new scaleway.instance.Ip(
        family,
        { zone, type: `routed_${family}`, tags: toTags(wanted[family].labels) },
        adopting(adopt, family),
      )
    const ipv4 = address("ipv4")
    const ipv6 = address("ipv6")

    const machine =
      wanted.machine && !isMachineLost
        ? new scaleway.instance.Server(
            "machine",
            {
              ...instance(spec, wanted.machine),
              securityGroupId: firewall.id,
              ipIds: [ipv4.id, ipv6.id],
              userData: pulumi.secret({ "cloud-init": userData(spec, secrets) }),
            },
            adopting(adopt, "machine", {
              // The plugin replaces a machine whose image, disk or zone is another. That never happens in passing: a new image
              // or new settings reach it by operations that keep the user's data. Where the spec says nothing of power,
              // whoever starts and stops the machine by the API has the say.
              ignoreChanges: [
                ...["userData", "image", "rootVolume", "zone", "ipIds"],
                ...(spec.power === undefined ? ["state"] : []),
                ...leave,
              ],
            }),
          )
        : null

    // An IPv6 address of Scaleway is a network, out of which each machine has an address of its own.
    const ipv6Host =
      machine?.publicIps.apply(all => all.find(({ family }) => family === "inet6")?.address ?? "") ?? null
    const record = (type: "A" | "AAAA", { ttl, values }: WantedRecord, own: pulumi.Input<string>) =>
      new scaleway.domain.Record(
        `record-${type}`,
        {
          ...{ dnsZone: spec.dns.zone, name: spec.dns.name, type, ttl: ttl ?? spec.dns.ttl },
          // One value each: what Scaleway calls a record has no more.
          data: values?.[0] ?? own,
        },
        adopting(adopt, `record-${type}`),
      )
    if (wanted["record-A"]) record("A", wanted["record-A"], ipv4.address)
    // Without a machine nothing would be behind it.
    if (wanted["record-AAAA"] && ipv6Host) record("AAAA", wanted["record-AAAA"], ipv6Host)

    return outputsOf(spec, secrets, { machineId: machine ? machine.id : null, ipv4: ipv4.address, ipv6: ipv6Host })
  }

/** A machine without its addresses and secrets. */
function instance(
  spec: WorkspaceSpec,
  { name, labels, size, protection }: NonNullable<Wanted["machine"]>,
): Omit<scaleway.instance.ServerArgs, "ipIds" | "userData"> {
  return {
    ...{ zone: spec.region, name, tags: toTags(labels), type: size, image: String(spec.image) },
    rootVolume: {
      // By this name a disk is found that a destroy has left.
      name,
      volumeType: "sbs_volume",
      sizeInGb: spec.diskGb ?? SCALEWAY_DISK_GB,
      deleteOnTermination: true,
    },
    enableDynamicIp: false,
    bootType: "local",
    state: spec.power === "off" ? "stopped" : "started",
    protected: protection,
  }
}

/** A rule as Scaleway has it: for one network each. */
function allowed({ protocol, port, sourceIps }: FirewallRule) {
  return sourceIps.map(ipRange => ({
    ...{ action: "accept", protocol: protocol.toUpperCase(), ipRange },
    ...(port === null ? {} : port.includes("-") ? { portRange: port } : { port: Number(port) }),
  }))
}
