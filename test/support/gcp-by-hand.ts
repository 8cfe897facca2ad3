import { deleteInstance } from "../../local-cloud/gcp/instances.ts"
import type { Json, Resource } from "../../local-cloud/gcp/state.ts"
import { GCP_PROJECT, type TestGcp } from "./gcp-cloud.ts"
import { waitUntil } from "./wait-until.ts"

/** What somebody does to a workspace's resources at Google's console. */
export function byHandAtGoogle(
  { gcp: { state } }: TestGcp,
  workspace: string,
  { zone, domain }: { zone: string; domain: string },
) {
  const name = `foozol-${workspace}`
  const paths = {
    machine: `projects/${GCP_PROJECT}/zones/${zone}/instances/${name}`,
    disk: `projects/${GCP_PROJECT}/zones/${zone}/disks/${name}`,
    rule: (family: string) => `projects/${GCP_PROJECT}/global/firewalls/${name}-${family}`,
    address: (family: string) =>
      `projects/${GCP_PROJECT}/regions/${zone.replace(/-[a-z]$/, "")}/addresses/${name}-${family}`,
    schedule: `projects/${GCP_PROJECT}/regions/${zone.replace(/-[a-z]$/, "")}/resourcePolicies/${name}`,
  }
  const records = () =>
    state.get(`projects/${GCP_PROJECT}/managedZones/${domain.replaceAll(".", "-")}`) as unknown as {
      rrsets: Resource[]
    }
  const change = (path: string, changes: Json) => void Object.assign(state.get(path), changes)
  return {
    paths,
    machine: () => state.get(paths.machine),
    find: (path: string) => state.find(path),
    change,
    remove: (path: string) => void state.resources.delete(path),
    /** The machine, and its disk with it. */
    async removeMachine() {
      change(paths.machine, { deletionProtection: false })
      deleteInstance(state, zone, name)
      await waitUntil("the machine is gone", () => state.find(paths.machine) === undefined)
    },
    label: (path: string, labels: Json) =>
      change(path, { labels: { ...(state.get(path).labels as Json | undefined), ...labels } }),
    addRule(name: string, rule: Json) {
      state.add(`projects/${GCP_PROJECT}/global/firewalls/${name}`, {
        ...{
          kind: "compute#firewall",
          name,
          direction: "INGRESS",
          network: state.link(`projects/${GCP_PROJECT}/global/networks/foozol`),
        },
        ...rule,
      })
      return { remove: () => state.resources.delete(`projects/${GCP_PROJECT}/global/firewalls/${name}`) }
    },
    point(type: string, ...rrdatas: string[]) {
      const found = records().rrsets.find(one => one.name.startsWith(`${workspace}.`) && one.type === type)
      Object.assign(found ?? {}, { rrdatas })
    },
    removeRecord(type: string) {
      const zone = records()
      zone.rrsets = zone.rrsets.filter(one => !(one.name.startsWith(`${workspace}.`) && one.type === type))
    },
    pointsTo: (type: string) =>
      records().rrsets.find(one => one.name.startsWith(`${workspace}.`) && one.type === type)?.rrdatas,
  }
}
