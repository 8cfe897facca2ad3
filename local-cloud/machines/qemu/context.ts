import { join } from "node:path"
import type { OwnAddresses } from "../../own-addresses.ts"
import { lowestBindablePort } from "./forwards.ts"
import { createHostNetwork, type HostNetwork } from "./host-network/host-network.ts"
import { createImages, type Images } from "./images.ts"
import { createInTurn, type InTurn } from "./in-turn.ts"
import { isAlive } from "./processes.ts"
import { machineFiles } from "./qemu-arguments.ts"
import { createMachineRecords, type MachineRecord, type MachineRecords } from "./records.ts"
import type { Reserve } from "./room.ts"
import type { RunningMachine } from "./running.ts"
import type { Standing } from "./standing.ts"
import { createVolumes, type Volumes } from "./volumes.ts"

/** Settings of the driver. */
export interface QemuOptions {
  /** Where disks, sockets and records lie. At most 80 bytes long, because names of unix sockets are short. */
  directory: string
  /** `auto` (the default) boots a probe to find out whether KVM works here. */
  accel?: "auto" | "kvm" | "tcg"
  /** The QEMU program; `qemu-system-x86_64` by default. */
  program?: string
  /** What stays free on this host; by default 512 MiB of memory and 2 GiB of disk. */
  reserve?: Partial<Reserve>
  /** Machines together may be given so many times the memory there is for them; 1, the default: none is promised twice. */
  memoryOvercommit?: number
  /** Snapshots of machines with this many images below them are copied whole, so that chains stay short; 8 by default. */
  maxLayers?: number
  /** Lowest port that may be listened on; found out by default. Lower ones are found 10000 higher (see `hostPort`). */
  lowestPort?: number
  /** `template`: new machines begin as copies of one that has booted, where their image can do that (templates.ts); else `cold`. */
  boot?: "cold" | "template"
  /** Addresses of their own for machines; null, the default: loopback addresses and forwarded ports. Machines boot cold with it. */
  network?: OwnAddresses | null
  /** So many copies of the kind that was wanted last are made ahead where there is room (standing.ts); 0 by default. */
  standing?: number
  /** So long a machine that goes on with its memory may take to come to itself before it is booted; a minute by default. */
  wokenLimitMs?: number
  /** Hears of what went wrong where no caller waits for an answer. */
  log?: (line: string) => void
}

/** What all parts of the driver share. */
export interface QemuContext extends Required<Omit<QemuOptions, "network" | "standing">> {
  /** Null: machines have loopback addresses. */
  network: HostNetwork | null
  reserve: Reserve
  images: Images
  machines: MachineRecords
  volumes: Volumes
  running: Map<number, RunningMachine>
  /** Copies that were made ahead, and how many there shall be. */
  standing: Standing[]
  standingWanted: number
  /** Keys: `machine <id>` around all that changes a machine, `images` around what counts references, `start`. */
  inTurn: InTurn
  /** Runs tasks that concern the same machine one after the other. */
  alone: <T>(id: number, task: () => Promise<T>) => Promise<T>
  isOn(id: number): boolean
  fileOf(id: number, name: keyof typeof machineFiles): string
  /** Throws when the machine has no disk yet. */
  recordOf(id: number): Promise<MachineRecord>
}

/** Fills in the defaults; touches nothing. */
export function createContext(options: QemuOptions): QemuContext {
  const machines = createMachineRecords(join(options.directory, "machines"))
  const running = new Map<number, RunningMachine>()
  const inTurn = createInTurn()
  return {
    directory: options.directory,
    accel: options.accel ?? "auto",
    program: options.program ?? "qemu-system-x86_64",
    reserve: { memoryBytes: 512 * 1024 ** 2, diskBytes: 2 * 1024 ** 3, ...options.reserve },
    memoryOvercommit: options.memoryOvercommit ?? 1,
    maxLayers: options.maxLayers ?? 8,
    lowestPort: options.lowestPort ?? lowestBindablePort(),
    // A template's network is another one, so its memory would not fit.
    boot: options.network ? "cold" : (options.boot ?? "cold"),
    network: options.network ? createHostNetwork(options.network) : null,
    standing: [],
    standingWanted: options.standing ?? 0,
    // It asks at once who it is; busy and emulated, that may take a while.
    wokenLimitMs: options.wokenLimitMs ?? 60_000,
    log: options.log ?? (() => {}),
    images: createImages(join(options.directory, "images")),
    machines,
    volumes: createVolumes(join(options.directory, "volumes")),
    running,
    inTurn,
    alone: (id, task) => inTurn(`machine ${id}`, task),
    isOn: id => {
      const machine = running.get(id)
      return machine !== undefined && isAlive(machine.process)
    },
    fileOf: (id, name) => join(machines.directoryOf(id), machineFiles[name]),
    recordOf: async id => {
      const record = await machines.get(id)
      if (record === null) throw new Error(`Machine ${id} has no disk; make one from an image first.`)
      return record
    },
  }
}
