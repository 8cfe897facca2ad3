import * as hcloud from "@pulumi/hcloud"
import * as pulumi from "@pulumi/pulumi"
import type { FirewallRule } from "../accepted.ts"
import { tokenVariable } from "../projects.ts"
import { userData } from "../user-data.ts"
import { type WantedRecord, wantedOf } from "../wanted.ts"
import { workspaceLabels } from "../workspace-spec.ts"
import { adopting } from "./adopt.ts"
import type { WorkspaceProgram } from "./contract.ts"
import { outputsOf } from "./outputs.ts"
import { portsRecord } from "./ports-record.ts"

/**
 * What an address that is taken in may differ in: not its location. Of the three properties that say where an address
 * is, the plugin wants one; of an address in use it reads two, drops both, and then misses them.
 */
const ADDRESS_DIFFERS = ["name", "labels", "type", "assigneeType", "autoDelete"]

/**
 * A workspace at Hetzner (or at the local cloud, which is Hetzner with another endpoint): addresses that outlive the
 * server, a firewall that lets in HTTPS and nothing else, the server from the golden image, its two DNS records, and
 * one for the names of its ports.
 */
export const hetznerProgram: WorkspaceProgram =
  (spec, secrets, adopt = {}, { isMachineLost = false, leave = [] } = {}) =>
  async () => {
    const there = provider(spec.project)
    const wanted = wantedOf(spec)

    const { name, labels, rules } = wanted.firewall
    const firewall = new hcloud.Firewall(
      "firewall",
      { name, labels, rules: rules.map(declared) },
      adopting(adopt, "firewall", there),
    )
    const address = (type: "ipv4" | "ipv6") =>
      new hcloud.PrimaryIp(
        type,
        {
          ...wanted[type],
          type,
          assigneeType: "server",
          location: spec.region,
        },
        // A move to another place brings another address; both would have the same name.
        adopting(adopt, type, { ...there, deleteBeforeReplace: true }, ADDRESS_DIFFERS),
      )
    const ipv4 = address("ipv4")
    const ipv6 = address("ipv6")

    const { machine } = wanted
    const server =
      machine &&
      !isMachineLost &&
      new hcloud.Server(
        "machine",
        {
          name: machine.name,
          labels: machine.labels,
          serverType: machine.size,
          image: String(spec.image),
          location: spec.region,
          firewallIds: [numericId(firewall), ...machine.otherFirewalls],
          publicNets: [{ ipv4Enabled: true, ipv4: numericId(ipv4), ipv6Enabled: true, ipv6: numericId(ipv6) }],
          userData: pulumi.secret(userData(spec, secrets)),
          // A user's disk stays the size it has, so that a machine can go back to a smaller type.
          keepDisk: true,
          deleteProtection: machine.protection,
          rebuildProtection: machine.protection,
          ...(machine.backups ? { backups: true } : {}),
        },
        adopting(adopt, "machine", {
          ...there,
          // Hetzner replaces a server, or powers it off, when one of these changes. That never happens in passing: a
          // new image or new settings reach it by operations that keep the user's data.
          ignoreChanges: ["userData", "image", "location", "publicNets", ...leave],
        }),
      )

    // An IPv6 address of Hetzner is a /64 network; its first host is the server.
    const ipv6Host = ipv6.ipNetwork.apply(network => network.replace(/::\/64$/, "::1"))
    // The zone is in the main project, wherever the rest is.
    const record = (type: "A" | "AAAA", { ttl, labels, values }: WantedRecord, own: pulumi.Input<string>) =>
      new hcloud.ZoneRrset(
        `record-${type}`,
        {
          zone: spec.dns.zone,
          name: spec.dns.name,
          type,
          ...(ttl === null ? {} : { ttl }),
          labels,
          records: values?.map(value => ({ value })) ?? [{ value: own }],
        },
        adopting(adopt, `record-${type}`),
      )
    if (wanted["record-A"]) record("A", wanted["record-A"], ipv4.ipAddress)
    if (wanted["record-AAAA"]) record("AAAA", wanted["record-AAAA"], ipv6Host)
    const { target, ...ports } = portsRecord(spec)
    new hcloud.ZoneRrset(
      "record-CNAME",
      { zone: spec.dns.zone, ...ports, labels: workspaceLabels(spec), records: [{ value: target }] },
      adopting(adopt, "record-CNAME"),
    )

    return outputsOf(spec, secrets, { machineId: server ? server.id : null, ipv4: ipv4.ipAddress, ipv6: ipv6Host })
  }

/**
 * How resources come into a further project. Its token is named, not given: the engine takes it from its environment at
 * each run, so that it is in no state, not even encrypted, and may be replaced by another one of the project.
 */
function provider(project: string | undefined): { provider?: hcloud.Provider } {
  if (project === undefined) return {}
  const envVarMappings = { [tokenVariable(project)]: "HCLOUD_TOKEN" }
  return { provider: new hcloud.Provider(`project-${project}`, {}, { envVarMappings }) }
}

/** A rule with nothing in it that it does not need. */
function declared({ direction, protocol, port, sourceIps, destinationIps, description }: FirewallRule) {
  return {
    ...{ direction, protocol },
    ...(port === null ? {} : { port }),
    ...(sourceIps.length > 0 ? { sourceIps } : {}),
    ...(destinationIps.length > 0 ? { destinationIps } : {}),
    ...(description ? { description } : {}),
  }
}

function numericId(resource: pulumi.CustomResource): pulumi.Output<number> {
  return resource.id.apply(Number)
}
