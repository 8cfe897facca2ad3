import { existsSync } from "node:fs"
import { mkdir, realpath, rename } from "node:fs/promises"
import { join } from "node:path"
import type { MachineConfig, Machines } from "../contract.ts"
import { detectAcceleration } from "./acceleration.ts"
import { findConnector } from "./connector.ts"
import { lockDirectory } from "./directory-lock.ts"
import { allocatedBytes } from "./files.ts"
import { lowestBindablePort, wantedForwards } from "./forwards.ts"
import { backingName, bootOf, createImages, importImage } from "./images.ts"
import { createInTurn } from "./in-turn.ts"
import { launch, launchError } from "./launch.ts"
import { findQemu, isAlive, kill, type ProcessIdentity, residentBytes } from "./processes.ts"
import { machineFiles, qemuArguments } from "./qemu-arguments.ts"
import { createMachineRecords, type MachineRecord } from "./records.ts"
import { availableMemory, checkDisk, checkMemory, freeDisk, type Reserve } from "./room.ts"
import { run } from "./run.ts"
import { attach, type RunningMachine, startMetadata } from "./running.ts"
import { abandonSnapshot, explainCopyError, snapshotMachine } from "./snapshot.ts"

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
  /** Snapshots of machines with this many images below them are copied whole, so that chains stay short; 8 by default. */
  maxLayers?: number
  /** Lowest port that may be listened on; found out by default. Lower ones are found 10000 higher (see `hostPort`). */
  lowestPort?: number
  /** Hears of what went wrong where no caller waits for an answer. */
  log?: (line: string) => void
}

const longestDirectory = 80

/** Makes the driver that boots real machines with QEMU. Nothing is touched before `open`. */
export function createQemuMachines(options: QemuOptions): Machines {
  const program = options.program ?? "qemu-system-x86_64"
  const lowestPort = options.lowestPort ?? lowestBindablePort()
  const log = options.log ?? (() => {})
  const reserve: Reserve = { memoryBytes: 512 * 1024 ** 2, diskBytes: 2 * 1024 ** 3, ...options.reserve }
  const images = createImages(join(options.directory, "images"))
  const machines = createMachineRecords(join(options.directory, "machines"))
  const running = new Map<number, RunningMachine>()
  const listeners = new Set<(id: number) => void>()
  const inTurn = createInTurn()
  const alone = <T>(id: number, task: () => Promise<T>): Promise<T> => inTurn(`machine ${id}`, task)
  let host: { accel: "kvm" | "tcg"; metadataConnector: string; unlock: () => Promise<void> } | null = null

  const fileOf = (id: number, name: keyof typeof machineFiles) => join(machines.directoryOf(id), machineFiles[name])

  const isOn = (id: number): boolean => {
    const machine = running.get(id)
    return machine !== undefined && isAlive(machine.process)
  }

  const recordOf = async (id: number): Promise<MachineRecord> => {
    const record = await machines.get(id)
    if (record === null) throw new Error(`Machine ${id} has no disk; make one from an image first.`)
    return record
  }

  const collectImages = (): Promise<void> =>
    inTurn("images", async () => images.collect((await machines.list()).records.map(record => record.imageId)))

  const checkMemoryFor = (memoryBytes: number): void => {
    const promises = [...running.values()].map(({ config, process }) => config.memoryBytes - residentBytes(process.pid))
    const promised = promises.reduce((sum, bytes) => sum + Math.max(0, bytes), 0)
    checkMemory(memoryBytes, availableMemory(), promised, reserve.memoryBytes)
  }

  const wentOff = (id: number): Promise<void> =>
    alone(id, async () => {
      // Started again meanwhile: then it is on, and its record is right.
      if (running.has(id)) return
      const record = await machines.get(id)
      if (record !== null) await machines.put({ ...record, process: null })
    }).finally(() => {
      for (const listener of listeners) listener(id)
    })

  /** Takes charge of a machine's process and kills it if that fails. */
  const takeCharge = async (
    record: MachineRecord,
    config: MachineConfig,
    begin: () => Promise<ProcessIdentity>,
  ): Promise<RunningMachine> => {
    const directory = machines.directoryOf(record.id)
    const metadata = await startMetadata(directory, config)
    let process: ProcessIdentity | null = null
    try {
      process = await begin()
      const onGone = (): void => {
        // Another process may have taken its place: then this end is no news.
        if (running.get(record.id) !== machine) return
        running.delete(record.id)
        wentOff(record.id).catch(error => log(`Machine ${record.id} went off, and that could not be noted: ${error}`))
      }
      const machine = await attach({ directory, process, metadata, onGone })
      running.set(record.id, machine)
      await machines.put({ ...record, config, process })
      return machine
    } catch (error) {
      await metadata.close()
      if (process !== null && !isAlive(process)) throw await launchError(directory)
      if (process !== null) await kill(process)
      throw error
    }
  }

  const stop = async (id: number): Promise<void> => {
    const machine = running.get(id)
    if (machine === undefined) return
    running.delete(id)
    await machine.stop()
    const record = await machines.get(id)
    if (record !== null) await machines.put({ ...record, process: null })
  }

  /** Finds a machine's process again after a restart of the local cloud, and finishes what that interrupted. */
  const findAgain = async (record: MachineRecord, found: ProcessIdentity[]): Promise<void> => {
    const known = record.process !== null && isAlive(record.process) ? record.process : found[0]
    for (const other of found) if (other.pid !== known?.pid) await kill(other)
    if (known !== undefined && record.config !== null) {
      try {
        const machine = await takeCharge(record, record.config, async () => known)
        await abandonSnapshot(machine.qmp())
        await machine.setForwards(wantedForwards(record.config, lowestPort))
        return
      } catch (error) {
        // It ended meanwhile, or it cannot be controlled and was killed: off, either way.
        log(`Machine ${record.id} was found running but could not be taken over: ${error}`)
        await stop(record.id)
      }
    }
    if (record.process !== null) await wentOff(record.id)
  }

  const createImage = async (id: number, imageId: number): Promise<void> => {
    const record = await recordOf(id)
    checkDisk(await allocatedBytes(fileOf(id, "disk")), await freeDisk(options.directory), reserve.diskBytes)
    await snapshotMachine({
      images,
      imageId,
      record,
      machineDirectory: machines.directoryOf(id),
      qmp: isOn(id) ? (running.get(id)?.qmp() ?? null) : null,
      maxLayers: options.maxLayers ?? 8,
    })
  }

  return {
    kind: "qemu",
    open: async () => {
      if (Buffer.byteLength(options.directory) > longestDirectory) {
        throw new Error(
          `The directory ${options.directory} has too long a name; at most ${longestDirectory} bytes work.`,
        )
      }
      await mkdir(options.directory, { recursive: true, mode: 0o700 })
      const unlock = await lockDirectory(options.directory)
      try {
        await images.open()
        const accel = await detectAcceleration({
          directory: options.directory,
          program,
          wanted: options.accel ?? "auto",
        })
        host = { accel, metadataConnector: await findConnector(), unlock }
        const { records, unfinished } = await machines.list()
        for (const id of unfinished) await machines.remove(id)
        const processes = findQemu()
        const root = await realpath(options.directory)
        await Promise.all(
          records.map(record => findAgain(record, processes.get(join(root, "machines", String(record.id))) ?? [])),
        )
        await collectImages()
      } catch (error) {
        await unlock()
        throw error
      }
    },
    close: async () => {
      const released = [...running.values()]
      running.clear()
      await Promise.all(released.map(machine => machine.release()))
      await host?.unlock()
      host = null
    },
    admit: async ({ memoryBytes }) => {
      checkMemoryFor(memoryBytes)
      checkDisk(0, await freeDisk(options.directory), reserve.diskBytes)
    },
    createDisk: (id, imageId, diskBytes) =>
      alone(id, async () => {
        if (isOn(id)) throw new Error(`Machine ${id} is on; turn it off before its disk is replaced.`)
        await inTurn("images", async () => {
          const image = await images.get(imageId)
          if (image === null) throw new Error(`There is no image ${imageId} on this host; import it first.`)
          if (diskBytes < image.diskBytes) {
            throw new Error(`Image ${imageId} needs a disk of ${image.diskBytes} bytes; ${diskBytes} are too few.`)
          }
          await mkdir(machines.directoryOf(id), { recursive: true, mode: 0o700 })
          const fresh = `${fileOf(id, "disk")}.new`
          const layer = ["-b", backingName(imageId), "-F", "qcow2"]
          await run("qemu-img", ["create", "-q", "-f", "qcow2", ...layer, fresh, String(diskBytes)])
          await rename(fresh, fileOf(id, "disk"))
          const config = (await machines.get(id))?.config ?? null
          await machines.put({ version: 1, id, imageId, diskBytes, config, process: null })
        })
        await collectImages()
      }),
    resizeDisk: (id, diskBytes) =>
      alone(id, async () => {
        if (isOn(id)) throw new Error(`Machine ${id} is on; turn it off before its disk is resized.`)
        const record = await recordOf(id)
        if (diskBytes < record.diskBytes) throw new Error(`The disk of machine ${id} cannot become smaller.`)
        await run("qemu-img", ["resize", "-q", "-f", "qcow2", fileOf(id, "disk"), String(diskBytes)])
        await machines.put({ ...record, diskBytes })
      }),
    start: config =>
      alone(config.id, async () => {
        if (isOn(config.id)) return
        await stop(config.id)
        const record = await recordOf(config.id)
        const settings = host
        if (settings === null) throw new Error("The machines are not opened yet.")
        const forwards = wantedForwards(config, lowestPort)
        const boot = await bootOf(images.directoryOf(record.imageId), `../../images/${record.imageId}`)
        // One start at a time: memory is promised to the one before the next is weighed.
        await inTurn("start", async () => {
          checkMemoryFor(config.memoryBytes)
          await machines.put({ ...record, config, process: null })
          await takeCharge(record, config, () =>
            launch(program, qemuArguments(config, { ...settings, forwards, boot }), machines.directoryOf(config.id)),
          )
        })
      }),
    pressPowerButton: async id => {
      await running.get(id)?.qmp().execute("system_powerdown")
    },
    powerOff: id => alone(id, () => stop(id)),
    reset: async id => {
      await running.get(id)?.qmp().execute("system_reset")
    },
    isRunning: async id => isOn(id),
    onStopped: listener => {
      listeners.add(listener)
    },
    update: config =>
      alone(config.id, async () => {
        const machine = running.get(config.id)
        if (machine === undefined) return
        machine.config = config
        await machines.put({ ...(await recordOf(config.id)), config, process: machine.process })
        await machine.setForwards(wantedForwards(config, lowestPort))
      }),
    createImage: (id, imageId) =>
      alone(id, async () => {
        if ((await images.get(imageId)) === null) {
          await createImage(id, imageId).catch(error => {
            throw explainCopyError(error, imageId)
          })
        }
        return { bytes: await images.bytes(imageId) }
      }),
    remove: id =>
      alone(id, async () => {
        await stop(id)
        await machines.remove(id)
        await collectImages()
      }),
    removeImage: async imageId => {
      await inTurn("images", () => images.markRemoved(imageId))
      await collectImages()
    },
    importImage: (imageId, directory) =>
      inTurn(`import ${imageId}`, async () => {
        const known = await images.get(imageId)
        if (known === null) await importImage(images, imageId, directory)
        const diskBytes = (known ?? (await images.get(imageId)))?.diskBytes ?? 0
        return { bytes: await images.bytes(imageId), diskBytes }
      }),
    consoleLog: id => (existsSync(fileOf(id, "console")) ? fileOf(id, "console") : null),
  }
}
