import * as hcloud from "@pulumi/hcloud"
import * as pulumi from "@pulumi/pulumi"
import { userData } from "../user-data.ts"
import { machineLabels, resourceNames, workspaceLabels } from "../workspace-spec.ts"
import { adopting } from "./adopt.ts"
import type { WorkspaceProgram } from "./contract.ts"

/**
 * What an address that is taken in may differ in: not its location. Of the three properties that say where an address
 * is, the plugin wants one; of an address in use it reads two, drops both, and then misses them.
 */
const ADDRESS_DIFFERS = ["name", "labels", "type", "assigneeType", "autoDelete"]

const ANYWHERE = ["0.0.0.0/0", "::/0"]

/**
 * A workspace at Hetzner (or at the local cloud, which is Hetzner with another endpoint): addresses that outlive the
 * server, a firewall that lets in HTTPS and nothing else, the server from the golden image, and its two DNS records.
 */
export const hetznerProgram: WorkspaceProgram =
  (spec, secrets, adopt = {}) =>
  async () => {
    const names = resourceNames(spec)
    const labels = workspaceLabels(spec)

    const firewall = new hcloud.Firewall(
      "firewall",
      {
        name: names.firewall,
        labels,
        rules: [{ direction: "in", protocol: "tcp", port: "443", sourceIps: ANYWHERE, description: "HTTPS" }],
      },
      adopting(adopt, "firewall"),
    )
    const address = (type: "ipv4" | "ipv6") =>
      new hcloud.PrimaryIp(
        type,
        {
          name: names[type],
          type,
          labels,
          assigneeType: "server",
          location: spec.region,
          // The address is the workspace's, not the server's: hibernate and resize replace the server and keep it.
          autoDelete: false,
        },
        // A move to another place brings another address; both would have the same name.
        adopting(adopt, type, { deleteBeforeReplace: true }, ADDRESS_DIFFERS),
      )
    const ipv4 = address("ipv4")
    const ipv6 = address("ipv6")

    const server =
      !spec.asleep &&
      new hcloud.Server(
        "machine",
        {
          name: names.server,
          labels: machineLabels(spec),
          serverType: spec.size,
          image: String(spec.image),
          location: spec.region,
          firewallIds: [numericId(firewall)],
          publicNets: [{ ipv4Enabled: true, ipv4: numericId(ipv4), ipv6Enabled: true, ipv6: numericId(ipv6) }],
          userData: pulumi.secret(userData(spec, secrets)),
          // A user's disk stays the size it has, so that a machine can go back to a smaller type.
          keepDisk: true,
          deleteProtection: spec.deleteProtection,
          rebuildProtection: spec.deleteProtection,
        },
        adopting(adopt, "machine", {
          // Hetzner replaces a server, or powers it off, when one of these changes. That never happens in passing: a
          // new image or new settings reach it by operations that keep the user's data.
          ignoreChanges: ["userData", "image", "location", "publicNets"],
        }),
      )

    // An IPv6 address of Hetzner is a /64 network; its first host is the server.
    const ipv6Host = ipv6.ipNetwork.apply(network => network.replace(/::\/64$/, "::1"))
    const record = (type: "A" | "AAAA", value: pulumi.Input<string>) =>
      new hcloud.ZoneRrset(
        `record-${type}`,
        {
          zone: spec.dns.zone,
          name: spec.dns.name,
          type,
          ttl: spec.dns.ttl,
          labels,
          records: [{ value }],
        },
        adopting(adopt, `record-${type}`),
      )
    record("A", ipv4.ipAddress)
    record("AAAA", ipv6Host)

    return {
      spec,
      machineId: server ? server.id : null,
      ipv4: ipv4.ipAddress,
      ipv6: ipv6Host,
      hostname: `${spec.dns.name}.${spec.dns.zone}`,
      // Kept so that the program can be rebuilt from its stack alone; encrypted in state.
      workspaceKey: pulumi.secret(secrets.workspaceKey),
    }
  }

function numericId(resource: pulumi.CustomResource): pulumi.Output<number> {
  return resource.id.apply(Number)
}
