import { fromGcpLabels, GCP_DISK_GB, GCP_METADATA } from "../../gcp-names.ts"
import { bootOf, type Instance, lastOf, toMachine } from "../../machines/gcp-answers.ts"
import type { GcpFacts } from "../../machines/gcp-facts.ts"
import type { WantedMachine } from "../../wanted.ts"
import { LABELS, resourceNames, type WorkspaceSpec } from "../../workspace-spec.ts"
import { type Difference, idPart, leftTo, repairable } from "../difference.ts"
import { missing, surplus } from "../drift.ts"
import { type Power, powerOf } from "../machine.ts"
import { gcpLabels } from "./gcp-labels.ts"

const resource = "machine"

/** What a machine is told at its birth, and reads then alone. */
const AT_BIRTH = "user-data"

/** What somebody at Google's console may have changed of a machine and its disk. */
export function gcpMachineDifferences(
  spec: WorkspaceSpec,
  wanted: WantedMachine | null,
  facts: GcpFacts,
  power: Power | null,
): Difference[] {
  const { machine } = facts
  if (machine === null) return wanted === null ? [] : [missing("machine")]
  if (wanted === null) return [surplus("machine", toMachine(machine).id, true)]
  const { state } = toMachine(machine)
  return [
    ...powerOf({ status: state }, power),
    ...stoppedOnly(wanted, machine, state === "off"),
    ...protection(wanted, machine),
    ...tags(spec, machine),
    ...doors(machine),
    ...gcpLabels("machine", wanted.labels, machine.labels),
    ...disks(spec, facts, machine),
  ]
}

/** What the engine would stop a machine for: of one that is on a repair leaves it. */
function stoppedOnly({ size }: WantedMachine, machine: Instance, isOff: boolean): Difference[] {
  const found: Difference[] = []
  const real = lastOf(machine.machineType)
  if (real !== size) found.push(repairable({ resource, id: "size" }, `The machine is of type ${real}, not ${size}.`))
  const { enableSecureBoot, enableVtpm, enableIntegrityMonitoring } = machine.shieldedInstanceConfig ?? {}
  if (!enableSecureBoot || !enableVtpm || !enableIntegrityMonitoring)
    found.push(
      repairable({ resource, id: "shielded" }, "Secure boot, or what watches over it, was switched off by hand."),
    )
  if (isOff) return found
  const todo = "Stop the workspace (power-off), then repair it: this cannot be changed of a machine that is on."
  return found.map(one => leftTo("operator", todo, one))
}

function protection({ protection }: WantedMachine, { deletionProtection }: Instance): Difference[] {
  const is = deletionProtection ?? false
  if (is === protection) return []
  const words = `Delete protection of the machine was ${is ? "switched on" : "lifted"} by hand.`
  return [repairable({ resource, id: "protection" }, words, { what: "protection", on: is })]
}

/** A machine's tags say which rules are for it. */
function tags(spec: WorkspaceSpec, machine: Instance): Difference[] {
  const { server } = resourceNames(spec)
  const real = machine.tags?.items ?? []
  const gone = real.includes(server)
    ? []
    : [
        repairable(
          { resource, id: "tags.own", kind: "missing" },
          "The machine's network tag was taken away by hand: its firewall rules are not for it, so nobody reaches it.",
        ),
      ]
  const added = real
    .filter(tag => tag !== server)
    .map(tag =>
      repairable(
        { resource, id: `tags.${idPart(tag)}`, kind: "added" },
        `The network tag ${tag} was put on the machine by hand: what is let in by it, comes in.`,
      ),
    )
  return [...gone, ...added]
}

/** Ways into a machine, or from it to Google, that no workspace has. The engine does not touch them. */
function doors(machine: Instance): Difference[] {
  const found: Difference[] = []
  const left = (id: string, words: string, todo: string, kind: Difference["kind"] = "changed") =>
    found.push(leftTo("operator", todo, repairable({ resource, id, kind }, words)))
  for (const { email } of machine.serviceAccounts ?? [])
    left(
      `accounts.${idPart(email ?? "")}`,
      `The machine was given the service account ${email} by hand: whoever is at the desktop can act as it.`,
      "Stop the workspace (power-off) and take the account off at Google.",
      "added",
    )
  const real = new Map((machine.metadata?.items ?? []).map(({ key, value }) => [key ?? "", value ?? ""]))
  for (const [key, value] of Object.entries(GCP_METADATA)) {
    if ((real.get(key) ?? "").toUpperCase() === value) continue
    const is = real.has(key) ? `"${real.get(key)}"` : "not set"
    left(
      `metadata.${key}`,
      `The machine's metadata ${key} is ${is} instead of "${value}".`,
      `Set it to ${value} at Google.`,
    )
  }
  // What stands in them is nobody's to read here: it may be secret.
  for (const key of real.keys())
    if (key !== AT_BIRTH && !(key in GCP_METADATA))
      left(
        `metadata.${idPart(key)}`,
        `The metadata ${key} was added to the machine by hand.`,
        "Take it away at Google: such as ssh-keys or startup-script let somebody in.",
        "added",
      )
  const { provisioningModel, instanceTerminationAction } = machine.scheduling ?? {}
  if (provisioningModel === "SPOT" && instanceTerminationAction !== "STOP")
    left(
      "termination",
      "What Google takes back of it would be deleted, not switched off: that was changed by hand.",
      "Set the action on termination to STOP at Google.",
    )
  return found
}

function disks(spec: WorkspaceSpec, { disk }: GcpFacts, machine: Instance): Difference[] {
  const boot = bootOf(machine)
  if (boot === null || disk === null)
    return [
      leftTo(
        "restore",
        "Attach its disk at Google again, as boot disk with the device name boot; where it is gone, restore its newest backup.",
        repairable(
          { resource: "disk", id: "there", kind: "missing" },
          "The machine's disk was taken off it, or deleted, by hand.",
        ),
      ),
    ]
  const found: Difference[] = []
  const left = (id: string, words: string, todo: string, kind: Difference["kind"] = "changed") =>
    found.push(leftTo("operator", todo, repairable({ resource: "disk", id, kind }, words)))
  const shall = spec.diskGb ?? GCP_DISK_GB
  if (Number(disk.sizeGb) > shall)
    left(
      "size",
      `The machine's disk was made larger by hand: ${disk.sizeGb} GB instead of ${shall} GB.`,
      `A disk cannot be made smaller. What is in it cannot be put on one of ${shall} GB again, so back up what matters by other ways before it sleeps, moves or is restored.`,
    )
  if (!boot.autoDelete)
    left(
      "auto-delete",
      "The machine's disk was set by hand to stay when the machine is deleted: it would go on being billed.",
      "Set it to be deleted with the machine at Google.",
    )
  if (fromGcpLabels(disk.labels ?? {})[LABELS.workspace] !== spec.workspace)
    left(
      "labels",
      `The label ${LABELS.workspace}=${spec.workspace} of the machine's disk was changed or taken away by hand.`,
      "Put it on the disk again at Google: what is left over is found by it.",
    )
  const policies = (disk.resourcePolicies ?? []).map(lastOf)
  if (!policies.includes(resourceNames(spec).server))
    left(
      "schedule",
      "The machine's disk was taken out of the schedule of daily snapshots by hand.",
      `Attach the snapshot schedule ${resourceNames(spec).server} to the disk at Google.`,
    )
  for (const other of machine.disks ?? []) {
    if (other === boot || other.deviceName?.startsWith("carry-")) continue
    left(
      `others.${idPart(lastOf(other.source))}`,
      `The disk ${lastOf(other.source)} was attached to the machine by hand.`,
      "Detach it at Google; what is on it is in no backup of the workspace.",
      "added",
    )
  }
  return found
}
