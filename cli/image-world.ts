import { existsSync } from "node:fs"
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { World } from "../image-builder/verify/world.ts"
import { HOST_FROM_MACHINES } from "../local-cloud/host-address.ts"
import type { Machines } from "../local-cloud/machines/contract.ts"
import { hostPort } from "../local-cloud/machines/qemu/forwards.ts"
import { diskInfo } from "../local-cloud/machines/qemu/images.ts"
import { isAlive, type ProcessIdentity } from "../local-cloud/machines/qemu/processes.ts"
import { createQemuMachines } from "../local-cloud/machines/qemu/qemu-machines.ts"

const GB = 1e9
const GiB = 1024 ** 3
/** What a `cx43` is in the local cloud: 8 cores, 16 GB and 160 GB, scaled down. */
const SIZE = { cores: 2, memoryBytes: 2 * GiB, diskBytes: 20 * GB }
const PREFIX = "checking-"
/** Names of unix sockets are short; the driver takes no longer directories. */
const LONGEST_DIRECTORY = 80

/**
 * A local cloud of its own for the checklist: the machines of the local cloud, without its API, in a folder that goes
 * away with the machine. Their addresses are of a network that no local cloud gives out, so both can run at once.
 * @param directory where the folder is made: best on the image's file system, whose disk then takes no second place
 * @param boot `template`: the machine begins as a copy of one that has booted, made ahead
 */
export async function imageWorld(directory: string, boot: "cold" | "template" = "cold"): Promise<World> {
  const parent = directory.length + PREFIX.length + "XXXXXX/images".length <= LONGEST_DIRECTORY ? directory : tmpdir()
  await mkdir(parent, { recursive: true })
  await removeAbandoned(parent)
  return {
    async start(wanted) {
      const folder = await mkdtemp(join(parent, PREFIX))
      const machines = createQemuMachines({ directory: folder, boot, standing: 1 })
      const remove = async () => {
        await machines.remove(1)
        await machines.close()
        await rm(folder, { recursive: true, force: true })
      }
      try {
        await machines.open()
        const { diskBytes: least } = await diskInfo(join(wanted.directory, "disk.qcow2"))
        const diskBytes = Math.max(SIZE.diskBytes, least)
        await machines.importImage(1, wanted.directory)
        if (boot === "template") await machines.prepare(1, { ...SIZE, diskBytes })
        await machines.settled()
        await machines.admit({ ...SIZE, diskBytes })
        await machines.createDisk(1, 1, diskBytes)
        const ipv4 = ownAddress()
        await machines.start({
          id: 1,
          name: wanted.hostname,
          ...SIZE,
          diskBytes,
          ipv4,
          ports: wanted.ports.map(port => ({ protocol: "tcp", port })),
          metadata: {
            instanceId: 1,
            hostname: wanted.hostname,
            publicIpv4: ipv4,
            region: "eu-central",
            availabilityZone: "fsn1-dc14",
            publicKeys: [],
            userData: wanted.userData(HOST_FROM_MACHINES),
          },
        })
        return {
          at: port => ({ host: ipv4, port: hostPort(port) }),
          hostFromInside: HOST_FROM_MACHINES,
          diskBytes,
          console: async () => readFile(machines.consoleLog(1) ?? "", "utf8").catch(() => ""),
          remove,
        }
      } catch (error) {
        await remove()
        throw error
      }
    },
  }
}

let started = 0
/** A loopback address of this process alone, outside of what local clouds give out (127.77.0.0/16). */
function ownAddress(): string {
  const number = (process.pid * 8 + started++) % 65_536
  return `127.78.${number >> 8}.${number & 255 || 1}`
}

/** Ends machines whose checklist was killed: nobody else would. */
async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const folder = join(parent, name)
    if (!name.startsWith(PREFIX) || !existsSync(join(folder, "lock.json"))) continue
    const holder = JSON.parse(
      await readFile(join(folder, "lock.json"), "utf8").catch(() => "null"),
    ) as ProcessIdentity | null
    if (holder === null || isAlive(holder)) continue
    const machines: Machines = createQemuMachines({ directory: folder })
    await machines.open()
    await machines.remove(1)
    await machines.close()
    await rm(folder, { recursive: true, force: true })
  }
}
