import { InfraError } from "./errors.ts"

/** What Google calls things, where that differs from what a spec says. Pure. */

/** The network of all machines. It lets nothing in by itself, from neighbours neither. */
export const GCP_NETWORK = "foozol"

/** Of a machine's disk, GB, unless a spec says another: at Google that is no property of a machine type. */
export const GCP_DISK_GB = 64

/** Who may come into a machine beside its own door: nobody, by keys of the project or by accounts of Google. */
export const GCP_METADATA = {
  "block-project-ssh-keys": "TRUE",
  "enable-oslogin": "FALSE",
  "serial-port-enable": "FALSE",
} as const

/** The region of a zone: addresses, subnetworks and schedules are of regions, machines and disks of zones. */
export const regionOfZone = (zone: string): string => zone.replace(/-[a-z]$/, "")

/** Cloud DNS names zones by words of their own: by convention the domain's, such as `desk-example-com`. */
export const managedZone = (domain: string): string => domain.replaceAll(".", "-")

/** Names of snapshots of ours begin so. Images and snapshots have names apart at Google, and here one kind of id. */
export const SNAPSHOT_PREFIX = "snapshot-"

/** What a disk is made from, by the id of an image or snapshot. */
export function diskSource(id: string): { image: string } | { snapshot: string } {
  return id.startsWith(SNAPSHOT_PREFIX) ? { snapshot: `global/snapshots/${id}` } : { image: `global/images/${id}` }
}

/** Label that says of a disk what it is: `boot` (a machine starts from it) or `volume` (it is beside that). */
export const DISK_ROLE = "foozol-disk"

/** Longest key or value of a label. */
const MAX_LABEL = 63

/**
 * Labels as Google takes them: lower-case letters, digits and hyphens; what else there is stands as `_` and two
 * hexadecimal digits, so that `fromGcpLabels` gives back what it was.
 * @throws InfraError `invalid-spec` for a value that is too long so
 */
export function toGcpLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [encoded(key), encoded(value)]))
}

/** The labels that were meant. Those of others come through as well as may be. */
export function fromGcpLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [decoded(key), decoded(value)]))
}

function encoded(text: string): string {
  const bytes = [...Buffer.from(text)]
  const code = (byte: number) => {
    const letter = String.fromCharCode(byte)
    return /[a-z0-9-]/.test(letter) ? letter : `_${byte.toString(16).padStart(2, "0")}`
  }
  const label = bytes.map(code).join("")
  if (label.length <= MAX_LABEL) return label
  throw new InfraError(
    "invalid-spec",
    "fail",
    `Google Cloud takes labels of ${MAX_LABEL} characters, and "${text.slice(0, 80)}" is longer: shorten it.`,
  )
}

function decoded(label: string): string {
  const parts = label.split(/_([0-9a-f]{2})/)
  return Buffer.concat(
    parts.map((part, at) => (at % 2 === 1 ? Buffer.from([Number.parseInt(part, 16)]) : Buffer.from(part))),
  ).toString()
}

/** When a workspace's daily snapshot begins, `HH:00` UTC: by its name, so that they do not all begin at once. */
export function snapshotHour(workspace: string): string {
  const sum = [...Buffer.from(workspace)].reduce((sum, byte) => (sum * 31 + byte) % 24, 0)
  return `${String(sum).padStart(2, "0")}:00`
}
