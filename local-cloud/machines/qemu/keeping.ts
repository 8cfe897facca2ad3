import { mkdir, open, rm, symlink } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type { QemuContext } from "./context.ts"
import { bootOf } from "./images.ts"
import { KEPT, type KeptKind, keptFiles, moveKept, noteKept, sizeOf } from "./kept.ts"
import { launch } from "./launch.ts"
import { handOver, migrate } from "./migration.ts"
import type { HostFindings } from "./power.ts"
import { isAlive, isGoneWithin, kill, killQemuBelow, type ProcessIdentity } from "./processes.ts"
import { type Hardware, machineFiles, qemuArguments } from "./qemu-arguments.ts"
import { connectQmp, type Qmp } from "./qmp.ts"
import type { MachineRecord } from "./records.ts"
import { checkDisk, freeDisk } from "./room.ts"
import type { RunningMachine } from "./running.ts"

/** The service waits longer than this for a machine that falls asleep. */
const LIMIT_MS = 60_000
const SOCKET = "handed.sock"

/**
 * Keeps a running machine's memory and its devices' state in its folder. The machine is paused then, its disk is of the
 * same moment, and all that is left to do is to end it. The memory is handed to a second process that has it in a file:
 * so whoever goes on with it maps that, and nothing is read beforehand.
 * @param still waits for a moment in which it can be paused
 * @throws with the machine running as before
 */
export async function keepMemory(
  context: QemuContext,
  machine: RunningMachine,
  record: MachineRecord & { hardware: Hardware },
  host: HostFindings,
  still: () => Promise<void>,
): Promise<void> {
  const { directory, images, machines, program, reserve } = context
  const { config } = machine
  const folder = join(workDirectory(directory), String(record.id))
  const kept = join(folder, KEPT)
  const qmp = machine.qmp()
  const signal = AbortSignal.timeout(LIMIT_MS)
  checkDisk(config.memoryBytes, await freeDisk(directory), reserve.diskBytes)
  await rm(folder, { recursive: true, force: true })
  await mkdir(kept, { recursive: true, mode: 0o700 })
  let keeper: ProcessIdentity | null = null
  try {
    await emptyFile(join(kept, keptFiles.memory), Math.floor(config.memoryBytes / 2 ** 20) * 2 ** 20)
    await symlink(join("..", "..", "machines", String(record.id), machineFiles.disk), join(folder, machineFiles.disk))
    const boot = await bootOf(images.directoryOf(record.imageId), `../../images/${record.imageId}`)
    const { hardware } = record
    const memory = { path: `${KEPT}/${keptFiles.memory}`, role: "keeper" } as const
    const args = qemuArguments({ ...config, volumes: [] }, { ...host, hardware, forwards: [], boot, memory })
    keeper = await launch(program, args, folder)
    const begun = keeper
    const keeping = await connectQmp(join(folder, machineFiles.qmp), () => isAlive(begun))
    try {
      await still()
      await qmp.execute("stop")
      const from = { qmp, socket: `../../${WORK}/${record.id}/${SOCKET}` }
      await handOver(from, { qmp: keeping, socket: SOCKET }, signal)
      await migrate(keeping, `${KEPT}/${keptFiles.state}`, signal)
      keeping.execute("quit").catch(() => {})
      if (!(await isGoneWithin(keeper, 10_000))) await kill(keeper)
    } finally {
      keeping.close()
    }
    const kind: KeptKind = { size: sizeOf(record, config), hardware, host, qemu: host.qemu, boot }
    await noteKept(kept, kind)
    await moveKept(folder, machines.directoryOf(record.id))
  } catch (error) {
    // Two must not have the disk.
    if (keeper !== null) await kill(keeper)
    await goOn(qmp)
    throw error
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Lets a machine run that was paused, whatever was being made of its memory; nothing happens to one that runs. */
export async function goOn(qmp: Qmp): Promise<void> {
  await qmp.execute("migrate_cancel").catch(() => {})
  for (const end = Date.now() + 10_000; Date.now() < end; await sleep(20)) {
    const { status } = (await qmp.execute("query-status")) as { status: string }
    if (status !== "finish-migrate") break
  }
  await qmp.execute("cont")
}

/** Ends what an earlier process was keeping: its machines go on, see `goOn`. */
export async function openKeeping({ directory }: Pick<QemuContext, "directory">): Promise<void> {
  await killQemuBelow(workDirectory(directory))
  await rm(workDirectory(directory), { recursive: true, force: true })
}

async function emptyFile(path: string, bytes: number): Promise<void> {
  const file = await open(path, "wx", 0o600)
  try {
    await file.truncate(bytes)
  } finally {
    await file.close()
  }
}

const WORK = "keeping"
/** As deep as the directories of machines, since disks name what lies below them relative to themselves. */
const workDirectory = (directory: string) => join(directory, WORK)
