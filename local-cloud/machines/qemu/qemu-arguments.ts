import { isIPv4 } from "node:net"
import { HOST_FROM_MACHINES } from "../../host-address.ts"
import type { MachineConfig } from "../contract.ts"
import { type Forward, forwardRule } from "./forwards.ts"
import { volumeArguments, volumeController } from "./volumes.ts"

/** What the command line needs to know besides the machine itself. */
export interface QemuHost {
  accel: "kvm" | "tcg"
  /** Program and arguments that connect their standard input and output to the unix socket named after them. */
  metadataConnector: string
  forwards: Forward[]
  /** The machine's interface on this host, where it has addresses of its own; absent: user networking. */
  tap?: string
  /** Direct kernel boot: paths as seen from the machine's directory; null boots from the disk. */
  boot: { kernel: string; initrd: string | null; commandLine: string } | null
  /** Memory that lies in a file; absent: memory of its own. */
  memory?: MemoryFile
  /** What the machine's memory rests on already; absent for one that begins now. */
  hardware?: Hardware
}

/** A file with a machine's memory: of a template or what begins as a copy of one (templates.ts), or of one that sleeps (keeping.ts). */
export interface MemoryFile {
  /** As seen from the machine's directory. */
  path: string
  /**
   * `template`, `keeper`: what the machine writes is written to the file. `copy`, `kept`: the file is read, and what is
   * written is the machine's own. All but a template wait for a state that they are handed.
   */
  role: "template" | "copy" | "keeper" | "kept"
}

/** What a machine's memory rests on: the same for as long as that memory lives, over its sleep too. */
export interface Hardware {
  /** It began as a copy of a template: its processor is such a one's. */
  copied: boolean
  /** Number that the address of its network card is made of. */
  card: number
}

/** The hardware of a machine that begins now. */
export const newHardware = (id: number, memory?: MemoryFile): Hardware =>
  // A copy goes on with the template's address: another one after a reboot would get another lease.
  ({ copied: memory !== undefined, card: memory === undefined ? id : 0 })

/** Names of the files in a machine's directory, which is QEMU's working directory: so no path needs quoting. */
export const machineFiles = {
  disk: "disk.qcow2",
  qmp: "qmp.sock",
  metadata: "metadata.sock",
  console: "console.log",
  errors: "qemu.log",
  pid: "qemu.pid",
  record: "machine.json",
} as const

/**
 * The QEMU command line of a machine, without the program's own name. Pure.
 *
 * The guest's network is 169.254.0.0/16, so that the metadata address lies in it and can be answered by a process of
 * ours. The gateway 169.254.0.2 leads to the loopback of this host (with older versions of libslirp every other address of
 * that network does): that is how QEMU's user networking works. A KNOWN LIMIT: a guest can reach whatever listens on
 * 127.0.0.1 here; test/integration/loopback-isolation.test.ts holds it to that. It cannot reach the cloud metadata of this host, because that address is shadowed by its own. With an interface of its own (`tap`)
 * there is no user networking, and host-network/ruleset.ts says what it can reach.
 */
export function qemuArguments(config: MachineConfig, host: QemuHost): string[] {
  if (host.tap === undefined && config.ipv4 !== null && !(isIPv4(config.ipv4) && config.ipv4.startsWith("127."))) {
    throw new Error(
      `Machine ${config.id} has the address ${config.ipv4}; only loopback addresses (127.x.y.z) are served.`,
    )
  }
  const hardware = host.hardware ?? newHardware(config.id, host.memory)
  return [
    ...["-name", escaped(config.name)],
    ...["-machine", "q35,vmport=off,smm=off,memory-backend=ram"],
    ...acceleration(host, hardware),
    ...["-smp", String(config.cores)],
    ...["-m", memorySize(config)],
    ...memory(config, host.memory),
    // What a guest's cloud-init looks for to know that it is at Hetzner.
    ...["-smbios", `type=1,manufacturer=Hetzner,product=vServer,serial=${config.id}`],
    ...["-nodefaults", "-no-user-config", "-display", "none"],
    // `spawn` stays allowed and `elevateprivileges` too: the metadata connector is forked and starts its own session.
    ...["-sandbox", "on,obsolete=deny,resourcecontrol=deny"],
    ...["-pidfile", machineFiles.pid],
    ...["-chardev", `socket,id=qmp,path=${machineFiles.qmp},server=on,wait=off`, "-mon", "chardev=qmp,mode=control"],
    ...["-chardev", `file,id=console,path=${machineFiles.console},append=on`, "-serial", "chardev:console"],
    ...["-blockdev", `driver=file,node-name=disk-file,filename=${machineFiles.disk},discard=unmap`],
    ...["-blockdev", "driver=qcow2,node-name=disk,file=disk-file,discard=unmap"],
    ...["-device", "virtio-blk-pci,drive=disk"],
    ...volumeController,
    ...volumeArguments(config.volumes ?? []),
    ...["-netdev", network(host)],
    ...["-device", `virtio-net-pci,netdev=net,mac=${macAddress(hardware.card)},romfile=`],
    ...["-object", "rng-random,id=rng,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng"],
    ...["-rtc", host.memory?.role === "template" ? `base=${templateClock()}` : "base=utc"],
    ...kernel(host, hardware),
  ]
}

/** The hardware address of a machine's network card; each machine is alone in its network. */
export function macAddress(id: number): string {
  const bytes = [0x92, 0x00, (id >>> 24) & 255, (id >>> 16) & 255, (id >>> 8) & 255, id & 255]
  return bytes.map(byte => byte.toString(16).padStart(2, "0")).join(":")
}

function acceleration({ accel }: Pick<QemuHost, "accel">, { copied }: Hardware): string[] {
  if (accel === "kvm") return ["-accel", "kvm", "-cpu", "host"]
  // Copies by one `rep movsb`, which the two left out promise to be fast, are emulated byte by byte: a boot takes a tenth
  // more. By the vendor's name programs trust the processor's randomness, which QEMU takes from this host, at every draw:
  // copies of a machine that runs do not draw the same then.
  const vendor = copied ? ",vendor=GenuineIntel" : ""
  return ["-accel", "tcg,thread=multi", "-cpu", `max,-erms,-fsrm${vendor}`]
}

const memorySize = (config: MachineConfig): string => `${Math.floor(config.memoryBytes / 1024 / 1024)}M`

/** By one name everywhere, so that one machine's memory can be handed to another. */
function memory(config: MachineConfig, file: MemoryFile | undefined): string[] {
  const size = memorySize(config)
  if (file === undefined) return ["-object", `memory-backend-ram,id=ram,size=${size}`]
  const share = file.role === "template" || file.role === "keeper" ? "on" : "off"
  const object = `memory-backend-file,id=ram,size=${size},mem-path=${file.path},share=${share}`
  return ["-object", object, ...(file.role === "template" ? [] : ["-incoming", "defer"])]
}

/** Two hours ago: what a template's programs have drawn of randomness is old when a copy sets its clock. */
function templateClock(now = Date.now()): string {
  return new Date(now - 7_200_000).toISOString().slice(0, 19)
}

function network(host: QemuHost): string {
  if (host.tap !== undefined) return `tap,id=net,ifname=${host.tap},script=no,downscript=no`
  return [
    `user,id=net,ipv6=off,net=169.254.0.0/16,host=${HOST_FROM_MACHINES},dns=169.254.0.3,dhcpstart=169.254.0.15`,
    // A template's programs may draw on no randomness for somebody out there, and nobody shall know them.
    ...(host.memory?.role === "template" ? ["restrict=on"] : []),
    `guestfwd=tcp:169.254.169.254:80-cmd:${escaped(host.metadataConnector)}${machineFiles.metadata}`,
    ...host.forwards.map(forward => `hostfwd=${forwardRule(forward)}`),
  ].join(",")
}

function kernel({ boot, accel }: Pick<QemuHost, "boot" | "accel">, { copied }: Hardware): string[] {
  if (boot === null) return []
  // What guards against the faults of real processors of that vendor costs an emulated one time for nothing; programs that
  // lie at the same addresses each time need not be translated each time (standing.ts).
  const commandLine = accel === "tcg" && copied ? `${boot.commandLine} mitigations=off norandmaps` : boot.commandLine
  const initrd = boot.initrd === null ? [] : ["-initrd", boot.initrd]
  return ["-kernel", boot.kernel, ...initrd, "-append", commandLine]
}

/** QEMU's option lists are split at commas; a doubled comma stands for itself. */
function escaped(value: string): string {
  return value.replaceAll(",", ",,")
}
