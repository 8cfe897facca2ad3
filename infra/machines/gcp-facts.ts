import type { google } from "@google-cloud/compute/build/protos/protos.js"
import { z } from "zod"
import { GCP_NETWORK, managedZone, regionOfZone } from "../gcp-names.ts"
import { resourceNames, type WorkspaceSpec } from "../workspace-spec.ts"
import type { LabelledResource, Machines } from "./contract.ts"
import { bootOf, type Disk, type Instance, placed } from "./gcp-answers.ts"
import type { GcpApi } from "./gcp-api.ts"
import { orNull } from "./or-null.ts"

type Compute = typeof google.cloud.compute.v1
type Plain<T> = T extends new (properties?: infer P) => unknown ? NonNullable<P> : never

const RecordSet = z.object({ ttl: z.number().nullable().default(null), rrdatas: z.array(z.string()).default([]) })

/** What Google has of a workspace's resources, by their names; null: it is not there. */
export interface GcpFacts {
  machine: Instance | null
  /** That the machine starts from. */
  disk: Disk | null
  /** All rules of the network of machines, this workspace's among them. */
  rules: Plain<Compute["Firewall"]>[]
  ipv4: Plain<Compute["Address"]> | null
  ipv6: Plain<Compute["Address"]> | null
  schedule: Plain<Compute["ResourcePolicy"]> | null
  "record-A": z.output<typeof RecordSet> | null
  "record-AAAA": z.output<typeof RecordSet> | null
  /** What carries the workspace's label, or is described as its. */
  labelled: LabelledResource[]
}

/**
 * Finds them: some fourteen requests, none of which changes anything.
 * @param main the project that has the zone of names
 */
export async function gcpFacts(
  api: GcpApi,
  main: GcpApi,
  machines: Pick<Machines, "resources">,
  spec: WorkspaceSpec,
  signal?: AbortSignal,
): Promise<GcpFacts> {
  const { project } = api.project
  const names = resourceNames(spec)
  const [zone, region] = [spec.region, regionOfZone(spec.region)]
  const zoneOfNames = `/dns/v1/projects/${main.project.project}/managedZones/${managedZone(spec.dns.zone)}`
  const address = (family: "ipv4" | "ipv6") =>
    orNull(api.ask(({ addresses }) => addresses.get({ project, region, address: names[family] }), signal))
  const record = async (type: string) => {
    const path = `${zoneOfNames}/rrsets/${spec.dns.name}.${spec.dns.zone}./${type}`
    const found = await main.rest("dns", "GET", path, { signal })
    return found === null ? null : RecordSet.parse(found)
  }
  const machine = orNull(api.ask(({ instances }) => instances.get({ project, zone, instance: names.server }), signal))
  const diskOfMachine = async () => {
    const found = await machine
    const boot = found && bootOf(found)
    if (!boot?.source) return null
    const { zone, name } = placed(boot.source)
    return orNull(api.ask(({ disks }) => disks.get({ project, zone, disk: name }), signal))
  }
  const [disk, rules, ipv4, ipv6, schedule, recordA, recordAaaa, labelled] = await Promise.all([
    diskOfMachine(),
    api.ask(({ firewalls }) => firewalls.list({ project }), signal),
    address("ipv4"),
    address("ipv6"),
    orNull(
      api.ask(
        ({ resourcePolicies }) => resourcePolicies.get({ project, region, resourcePolicy: names.server }),
        signal,
      ),
    ),
    record("A"),
    record("AAAA"),
    machines.resources(spec.workspace, signal ? { signal } : {}),
  ])
  return {
    ...{ machine: await machine, disk, ipv4, ipv6, schedule, labelled },
    rules: rules.filter(({ network }) => network?.endsWith(`/${GCP_NETWORK}`)),
    ...{ "record-A": recordA, "record-AAAA": recordAaaa },
  }
}
