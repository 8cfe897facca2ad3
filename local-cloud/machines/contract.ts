/**
 * What the API needs from whatever makes its servers real. Two drivers exist:
 * `none` (instantaneous, nothing boots) and `qemu`. The API owns all records
 * (names, states, actions, ledger); a driver owns disks and processes, keeps
 * what it needs to find them again on disk, and knows nothing of HTTP.
 *
 * Every call is idempotent: the API repeats what was interrupted by a crash.
 */

/** A port of a machine that its firewalls let this host reach. */
export interface OpenPort {
  protocol: "tcp" | "udp"
  port: number
}

/** A rule of a machine's firewalls, as Hetzner has it. */
export interface FirewallRule {
  direction: "in" | "out"
  protocol: "tcp" | "udp" | "icmp" | "esp" | "gre"
  /** One, a range (`80-90`) or `any`; null for protocols without ports. */
  port: string | null
  /** Networks that connections come from, or go to. */
  peers: string[]
}

/** A disk besides a machine's own, which outlives it. */
export interface MachineVolume {
  /** The volume's id in the API; the serial number that the guest reads. */
  id: number
  bytes: number
}

/** The file systems that a volume may have when it is made. */
export type VolumeFormat = "ext4" | "xfs"

/** What a machine is made of; sizes are already scaled to this host. */
export interface MachineConfig {
  /** The server's id in the API. */
  id: number
  name: string
  cores: number
  memoryBytes: number
  diskBytes: number
  /** Loopback address that plays the public IPv4, or an address of its own; null for a server without one. */
  ipv4: string | null
  /** Network of the public IPv6, such as `2001:db8:5:1::/64`; absent in what an earlier version wrote down. */
  ipv6?: string | null
  /** For machines on loopback addresses. */
  ports: OpenPort[]
  /** For machines with addresses of their own: the rules of all firewalls; null where it has no firewall. */
  rules?: FirewallRule[] | null
  /** Disks besides its own; none in what an earlier version wrote down. */
  volumes?: MachineVolume[]
  /** What the machine reads at 169.254.169.254, current at each read. */
  metadata: MachineMetadata
}

/** What Hetzner serves at http://169.254.169.254/hetzner/v1/. */
export interface MachineMetadata {
  instanceId: number
  hostname: string
  publicIpv4: string | null
  /** The machine's own address in its IPv6 network and the length of that (`…::1/64`); null where none leads anywhere. */
  publicIpv6?: string | null
  region: string
  availabilityZone: string
  publicKeys: string[]
  userData: string
}

/** Thrown by a driver when the host has no room; the API answers `resource_unavailable`. */
export class NoRoomError extends Error {
  override name = "NoRoomError"
}

/** A driver. `id` is a server id, `imageId` an image id of the API. */
export interface Machines {
  readonly kind: "none" | "qemu"

  /** Reads back what exists on disk; machines that run are found again. Called once, before anything else. */
  open(): Promise<void>
  /** Lets go of machines without stopping them. */
  close(): Promise<void>

  /** Throws NoRoomError when a machine of this size cannot be started now. */
  admit(config: Pick<MachineConfig, "memoryBytes" | "diskBytes">): Promise<void>
  /**
   * Makes the machine's disk as a copy-on-write layer over the image. Replaces an existing disk (rebuild).
   * @param options.wakes it goes on with the memory that was kept with the image, where it can: once, and no other does
   */
  createDisk(id: number, imageId: number, diskBytes: number, options?: { wakes?: boolean }): Promise<void>
  /** Grows the disk of a stopped machine. */
  resizeDisk(id: number, diskBytes: number): Promise<void>
  /** Starts the machine; resolves when its process runs, not when it has booted. No-op when it runs. */
  start(config: MachineConfig): Promise<void>
  /**
   * Sees to it that machines of this image and size start in no time, as copies of one that has booted already.
   * Resolves when they do; false where this driver or this image has no such thing. Throws NoRoomError.
   */
  prepare(imageId: number, size: Pick<MachineConfig, "cores" | "memoryBytes" | "diskBytes">): Promise<boolean>
  /** Resolves when nothing is being made ahead of machines that may be wanted. */
  settled(): Promise<void>
  /** Machines that were made ahead and wait for one that is wanted. */
  ahead(): number
  /** Presses the power button (ACPI). Resolves at once; `onStopped` tells when the machine is off. */
  pressPowerButton(id: number): Promise<void>
  /** Hard power-off; resolves when the process is gone. No-op when it is off. */
  powerOff(id: number): Promise<void>
  /** Hard reset; the machine stays on. */
  reset(id: number): Promise<void>
  isRunning(id: number): Promise<boolean>
  /** Called with the id whenever a machine goes off by itself (guest shutdown, crash, it fell asleep). */
  onStopped(listener: (id: number) => void): void
  /** Applies changed ports, volumes or metadata to a running machine; no-op when it is off. */
  update(config: MachineConfig): Promise<void>
  /**
   * Copies the machine's disk, running or not, into a new image. Returns its size on disk in bytes.
   * @param options.withMemory the memory that was kept when the machine fell asleep moves there
   */
  createImage(id: number, imageId: number, options?: { withMemory?: boolean }): Promise<{ bytes: number }>
  /** Removes the memory that was kept with an image: whoever is made from it boots. No-op when there is none. */
  dropMemory(imageId: number): Promise<void>
  /** Stops the machine if needed and removes its disk, logs and sockets. No-op when nothing is there. */
  remove(id: number): Promise<void>
  /** Removes an image's own files once nothing is based on them. No-op when nothing is there. */
  removeImage(imageId: number): Promise<void>
  /** Makes a volume, or grows it. */
  makeVolume(volume: MachineVolume, format: VolumeFormat | null): Promise<void>
  /** Removes a volume that no machine has. No-op when nothing is there. */
  removeVolume(id: number): Promise<void>
  /** Registers a system image from a directory holding `disk.qcow2` (and optionally `kernel`, `initrd`, `cmdline`). */
  importImage(imageId: number, directory: string): Promise<{ bytes: number; diskBytes: number }>
  /** Path of a machine's console log, for operators; null where there is none. */
  consoleLog(id: number): string | null
}
