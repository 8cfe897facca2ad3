import { rm } from "node:fs/promises"
import { type MachineConfig, NoRoomError } from "../contract.ts"
import type { QemuContext } from "./context.ts"
import { wantedForwards } from "./forwards.ts"
import { applyNetwork, plugIn, withoutRights } from "./host-network/machine-network.ts"
import { bootOf, type ImageRecord, layDisk } from "./images.ts"
import { goOn } from "./keeping.ts"
import { dropKept } from "./kept.ts"
import { launch, launchError } from "./launch.ts"
import { resume } from "./migration.ts"
import { isAlive, kill, type ProcessIdentity, residentBytes } from "./processes.ts"
import { type MemoryFile, newHardware, qemuArguments } from "./qemu-arguments.ts"
import type { MachineRecord } from "./records.ts"
import { availableMemory, checkMemory, stillPromised } from "./room.ts"
import { attach, type RunningMachine, startMetadata } from "./running.ts"
import { createSleeping } from "./sleep.ts"
import { abandonSnapshot } from "./snapshot.ts"
import { dropStanding, type Standing, takeStanding } from "./standing.ts"
import { findTemplate, kindOf, templateFiles } from "./templates.ts"

/** What was found out about this host when the driver was opened. */
export interface HostFindings {
  accel: "kvm" | "tcg"
  metadataConnector: string
  /** What QEMU says that it is. */
  qemu: string
}

/** The part of the driver that turns machines on and off. Callers see to it that each machine has its turn (`alone`). */
export interface Power {
  /** Starts a machine that is off. */
  start(config: MachineConfig, host: HostFindings): Promise<void>
  /** Turns a machine off hard; returns when its process is gone. */
  stop(id: number): Promise<void>
  /** Takes over the process of a machine that an earlier local cloud started, and finishes what was interrupted. */
  findAgain(record: MachineRecord, found: ProcessIdentity[]): Promise<void>
  /** Lets go of all machines without stopping them. */
  releaseAll(): Promise<void>
  /** Throws NoRoomError when a machine with this much memory cannot be started now. */
  checkMemoryFor(memoryBytes: number, droppable?: number): void
}

/**
 * Makes that part.
 * @param stopped called for each machine that went off by itself
 * @param findings throws before there are any
 */
export function createPower(context: QemuContext, stopped: (id: number) => void, findings: () => HostFindings): Power {
  const { images, machines, running, alone, inTurn, fileOf, log } = context

  /** @param droppable what comes free when others have to make room, bytes */
  const checkMemoryFor = (memoryBytes: number, droppable = 0): void => {
    const { memoryOvercommit, reserve } = context
    const promised = [...running.values()].reduce(
      (sum, { config, process }) =>
        sum + stillPromised(config.memoryBytes, residentBytes(process.pid), memoryOvercommit),
      0,
    )
    checkMemory(memoryBytes, availableMemory() + droppable, promised, reserve.memoryBytes, memoryOvercommit)
  }

  /** Those that were made ahead go when a machine needs their room. */
  const makeRoomFor = async (memoryBytes: number): Promise<void> => {
    try {
      checkMemoryFor(memoryBytes)
    } catch (error) {
      if (context.standing.length === 0) throw error
      await dropStanding(context)
      checkMemoryFor(memoryBytes)
    }
  }

  const noteOff = async (id: number): Promise<void> => {
    const record = await machines.get(id)
    if (record !== null) await machines.put({ ...record, process: null })
    await context.network?.detach(id)
  }

  const wentOff = (id: number): Promise<void> =>
    alone(id, async () => {
      // Started again meanwhile: then it is on, and its record is right.
      if (!running.has(id)) await noteOff(id)
    }).finally(() => stopped(id))

  /** Takes charge of the process that `begin` returns, and kills it if that fails. */
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
      sleeping.offer(record, machine)
      running.set(record.id, machine)
      await machines.put({ ...record, config, process })
      return machine
    } catch (error) {
      await metadata.close()
      await context.network?.detach(record.id)
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
    await noteOff(id)
  }

  /**
   * @param known whose hardware counts where it goes on with a memory of its own
   * @param memory that it goes on with; absent: it boots
   */
  const startWith = async (known: MachineRecord, config: MachineConfig, host: HostFindings, memory?: MemoryFile) => {
    const hardware = (memory?.role === "kept" && known.hardware) || newHardware(config.id, memory)
    const record = { ...known, hardware }
    const forwards = context.network ? [] : wantedForwards(config, context.lowestPort)
    const boot = await bootOf(images.directoryOf(record.imageId), `../../images/${record.imageId}`)
    const tap = context.network && { tap: context.network.interfaceOf(config.id) }
    const args = qemuArguments(config, { ...host, ...tap, forwards, boot, hardware, ...(memory && { memory }) })
    const command = withoutRights(context, args)
    // One start at a time: memory is promised to the one before the next is weighed.
    return inTurn("start", async () => {
      await makeRoomFor(config.memoryBytes)
      await machines.put({ ...record, config, process: null })
      await plugIn(context, config)
      return takeCharge(record, config, () => launch(...command, machines.directoryOf(config.id)))
    })
  }

  const templateFor = async (record: MachineRecord, config: MachineConfig, host: HostFindings) => {
    if ((config.volumes ?? []).length > 0) return null
    const kind = await kindOf(context, record.imageId, { ...config, diskBytes: record.diskBytes }, host)
    return kind && findTemplate(images, kind)
  }

  /** Starts a machine whose disk is new as a copy of a template: with its memory, its devices' state and its disk. */
  const startCopy = async (
    record: MachineRecord,
    config: MachineConfig,
    host: HostFindings,
    template: ImageRecord,
  ): Promise<void> => {
    const copy = { ...record, imageId: template.id }
    // What the template's disk is wanted for is noted before anything could remove it.
    await inTurn("images", async () => {
      if ((await images.get(template.id))?.removed !== false) throw new Error("its template is gone")
      await layDisk(fileOf(config.id, "disk"), template.id, record.diskBytes)
      await machines.put(copy)
    })
    const folder = `../../images/${template.id}`
    const machine = await startWith(copy, config, host, { path: `${folder}/${templateFiles.memory}`, role: "copy" })
    try {
      await resume(machine.qmp(), `${folder}/${templateFiles.state}`)
    } catch (error) {
      await stop(config.id)
      throw error
    }
  }

  /** Makes a copy that stands by the machine: what it must know of itself it is told when it asks the next time. */
  const startStanding = (
    record: MachineRecord,
    config: MachineConfig,
    template: ImageRecord,
    standing: Standing,
  ): Promise<void> =>
    inTurn("start", async () => {
      let place: Awaited<ReturnType<typeof machines.replace>> | null = null
      try {
        await makeRoomFor(config.memoryBytes - residentBytes(standing.process.pid))
        const hardware = { copied: true, card: 0 }
        const copy = { ...record, imageId: template.id, hardware, config, process: standing.process }
        place = await inTurn("images", async () => {
          if ((await images.get(template.id))?.removed !== false) throw new Error("its template is gone")
          return machines.replace(copy, standing.folder)
        })
        const machine = await takeCharge(copy, config, async () => standing.process)
        await applyNetwork(context, machine, config)
        await machine.qmp().execute("cont")
      } catch (error) {
        await stop(config.id)
        await kill(standing.process)
        await rm(standing.folder, { recursive: true, force: true })
        await place?.undo()
        throw error
      }
      await place.done()
    })

  const sleeping = createSleeping(context, { stop, startWith, stopped, findings })

  return {
    stop,
    checkMemoryFor,
    start: async (config, host) => {
      const known = await context.recordOf(config.id)
      if (await sleeping.wake(known, config, host)) return
      const { fresh = false, wakes: _, ...record } = known
      const template = fresh ? await templateFor(record, config, host) : null
      const standing = template && takeStanding(context, template.id)
      if (template && standing) {
        try {
          return await startStanding(record, config, template, standing)
        } catch (error) {
          log(`Machine ${config.id} could not become one that was made ahead, and begins as a copy: ${error}`)
        }
      }
      if (template !== null) {
        try {
          return await startCopy(record, config, host, template)
        } catch (error) {
          if (error instanceof NoRoomError) throw error
          log(`Machine ${config.id} could not begin as a copy and boots: ${error}`)
          await inTurn("images", () => layDisk(fileOf(config.id, "disk"), record.imageId, record.diskBytes))
        }
      }
      await startWith(record, config, host)
    },
    findAgain: async (record, found) => {
      const known = record.process !== null && isAlive(record.process) ? record.process : found[0]
      for (const other of found) if (other.pid !== known?.pid) await kill(other)
      if (known !== undefined && record.config !== null) {
        try {
          const machine = await takeCharge(record, record.config, async () => known)
          const { status } = (await machine.qmp().execute("query-status")) as { status: string }
          // It waits for a state that nobody will hand over: the next start boots it.
          if (status === "inmigrate") throw new Error("it was about to become a copy")
          // Its memory was being kept, or was kept already; it goes on all the same, so nobody else may with that.
          await dropKept(machines.directoryOf(record.id))
          if (status !== "running") await goOn(machine.qmp())
          await abandonSnapshot(machine.qmp())
          await applyNetwork(context, machine, record.config)
          return
        } catch (error) {
          // It ended meanwhile, or it cannot be controlled and is killed: off, either way.
          log(`Machine ${record.id} was found running but could not be taken over: ${error}`)
          await stop(record.id)
        }
      }
      if (record.process !== null) await wentOff(record.id)
    },
    releaseAll: async () => {
      const released = [...running.values()]
      running.clear()
      await Promise.all(released.map(machine => machine.release()))
    },
  }
}
