import type { MachineConfig } from "../contract.ts"
import type { QemuContext } from "./context.ts"
import { wantedForwards } from "./forwards.ts"
import { bootOf } from "./images.ts"
import { launch, launchError } from "./launch.ts"
import { isAlive, kill, type ProcessIdentity, residentBytes } from "./processes.ts"
import { qemuArguments } from "./qemu-arguments.ts"
import type { MachineRecord } from "./records.ts"
import { availableMemory, checkMemory } from "./room.ts"
import { attach, type RunningMachine, startMetadata } from "./running.ts"
import { abandonSnapshot } from "./snapshot.ts"

/** What was found out about this host when the driver was opened. */
export interface HostFindings {
  accel: "kvm" | "tcg"
  metadataConnector: string
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
  checkMemoryFor(memoryBytes: number): void
}

/** Makes that part; `stopped` is called for each machine that went off by itself. */
export function createPower(context: QemuContext, stopped: (id: number) => void): Power {
  const { images, machines, running, alone, inTurn, log } = context

  const checkMemoryFor = (memoryBytes: number): void => {
    const promises = [...running.values()].map(({ config, process }) => config.memoryBytes - residentBytes(process.pid))
    const promised = promises.reduce((sum, bytes) => sum + Math.max(0, bytes), 0)
    checkMemory(memoryBytes, availableMemory(), promised, context.reserve.memoryBytes)
  }

  const noteOff = async (id: number): Promise<void> => {
    const record = await machines.get(id)
    if (record !== null) await machines.put({ ...record, process: null })
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
    await noteOff(id)
  }

  return {
    stop,
    checkMemoryFor,
    start: async (config, host) => {
      const record = await context.recordOf(config.id)
      const forwards = wantedForwards(config, context.lowestPort)
      const boot = await bootOf(images.directoryOf(record.imageId), `../../images/${record.imageId}`)
      const args = qemuArguments(config, { ...host, forwards, boot })
      // One start at a time: memory is promised to the one before the next is weighed.
      await inTurn("start", async () => {
        checkMemoryFor(config.memoryBytes)
        await machines.put({ ...record, config, process: null })
        await takeCharge(record, config, () => launch(context.program, args, machines.directoryOf(config.id)))
      })
    },
    findAgain: async (record, found) => {
      const known = record.process !== null && isAlive(record.process) ? record.process : found[0]
      for (const other of found) if (other.pid !== known?.pid) await kill(other)
      if (known !== undefined && record.config !== null) {
        try {
          const machine = await takeCharge(record, record.config, async () => known)
          await abandonSnapshot(machine.qmp())
          await machine.setForwards(wantedForwards(record.config, context.lowestPort))
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
