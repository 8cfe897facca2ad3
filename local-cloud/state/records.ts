/** What the local cloud remembers of each resource. Times are ISO 8601 texts, sizes in GB unless said otherwise. */

export interface Common {
  id: number
  project: string
  created: string
  labels: Record<string, string>
}

export type ServerStatus =
  | "initializing"
  | "starting"
  | "running"
  | "stopping"
  | "off"
  | "deleting"
  | "rebuilding"
  | "unknown"

export interface ServerRecord extends Common {
  name: string
  status: ServerStatus
  type: string
  location: string
  image: number | null
  diskGb: number
  ipv4: number | null
  ipv6: number | null
  firewalls: number[]
  volumes: number[]
  sshKeys: number[]
  userData: string
  protection: { delete: boolean; rebuild: boolean }
  backupWindow: string | null
  dnsPtr: Record<string, string>
  /** A server exists for the ledger from the answer to its creation until its deletion. */
  locked: boolean
  /** Its shutdown was asked for, and nobody has started it since: a reboot of the host leaves it off. */
  askedOff?: boolean
  /** It ran when the host went down, and is still to be started again. */
  startAgain?: boolean
}

export interface ImageRecord extends Common {
  type: "system" | "snapshot" | "backup"
  status: "creating" | "available" | "unavailable"
  name: string | null
  description: string
  /** Compressed size, GB; null while it is made. */
  imageSize: number | null
  diskSize: number
  createdFrom: { id: number; name: string } | null
  boundTo: number | null
  architecture: "x86" | "arm"
  osFlavor: string
  osVersion: string | null
  protection: { delete: boolean }
}

export interface FirewallRule {
  direction: "in" | "out"
  protocol: "tcp" | "udp" | "icmp" | "esp" | "gre"
  port: string | null
  source_ips: string[]
  destination_ips: string[]
  description: string | null
}

export interface FirewallRecord extends Common {
  name: string
  rules: FirewallRule[]
  selectors: string[]
}

export interface SshKeyRecord extends Common {
  name: string
  publicKey: string
  fingerprint: string
}

export interface PrimaryIpRecord extends Common {
  name: string
  type: "ipv4" | "ipv6"
  ip: string
  location: string
  assignee: number | null
  autoDelete: boolean
  protection: { delete: boolean }
  dnsPtr: Record<string, string>
}

export interface VolumeRecord extends Common {
  name: string
  size: number
  location: string
  server: number | null
  format: "ext4" | "xfs" | null
  protection: { delete: boolean }
}

export interface ZoneRecord extends Common {
  name: string
  ttl: number
  protection: { delete: boolean }
}

export interface RrsetRecord extends Common {
  zone: number
  name: string
  type: string
  ttl: number | null
  records: { value: string; comment: string }[]
  protection: { change: boolean }
}

export interface ActionRecord extends Omit<Common, "labels"> {
  command: string
  status: "running" | "success" | "error"
  progress: number
  finished: string | null
  error: { code: string; message: string } | null
  resources: { id: number; type: string }[]
  /** What has to be done, as data, so that a restart can go on with it. */
  work: Work | null
  /** Starts when this action has ended well. */
  after: number | null
}

/** The work behind an action: `run` names a function of `api/server-work.ts`. */
export interface Work {
  run: string
  server: number
  args: Record<string, unknown>
}

export interface Records {
  server: ServerRecord
  image: ImageRecord
  firewall: FirewallRecord
  ssh_key: SshKeyRecord
  primary_ip: PrimaryIpRecord
  volume: VolumeRecord
  zone: ZoneRecord
  rrset: RrsetRecord
  action: ActionRecord
}
export type Kind = keyof Records
